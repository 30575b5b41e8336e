import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memn2n.errors import ModelError
from memn2n.files.model_folder import Tensors, load_model, prepare, save_model
from memn2n.lm.vocabulary import LMVocabulary
from memn2n.qa.vocabulary import Vocabulary

TENSORS: Tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(3)}


def save(folder: Path, version: int = 1) -> None:
    vocabulary = Vocabulary((f"word{version}", "é"), lowercase=False)
    save_model(folder, "qa", {"number": version}, vocabulary, {"n": np.full(1000, version, np.float32)})


def number_in(folder: Path) -> int:
    """Return the number of the save in the folder; fail if its files belong to different saves."""
    config, vocabulary, tensors = load_model(folder, "qa", Vocabulary)
    number = config["number"]
    assert vocabulary.words[0] == f"word{number}"
    assert np.all(tensors["n"] == number)
    assert isinstance(number, int)
    return number


def test_a_model_survives_a_round_trip(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "model"
    vocabulary = Vocabulary(("a", "é", "b c"), lowercase=False)
    save_model(folder, "qa", {"x": [1, None, "é"]}, vocabulary, TENSORS)
    config, words, tensors = load_model(folder, "qa", Vocabulary)
    assert config["x"] == [1, None, "é"]
    assert words == vocabulary
    for name, tensor in TENSORS.items():
        assert np.array_equal(tensors[name], tensor)
        assert tensors[name].dtype == tensor.dtype
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "vocab.json"]


def test_the_format_of_a_qa_vocabulary_does_not_change(tmp_path: Path) -> None:
    save_model(tmp_path, "qa", {}, Vocabulary(("a", "é"), lowercase=False), TENSORS)
    stored = '{\n "lowercase": false,\n "words": [\n  "a",\n  "é"\n ]\n}\n'
    assert (tmp_path / "vocab.json").read_bytes() == stored.encode()


def test_the_vocabulary_of_a_language_model_survives_a_round_trip(tmp_path: Path) -> None:
    vocabulary = LMVocabulary(("b", "é"), tokens="words", lowercase=True)
    save_model(tmp_path, "lm", {}, vocabulary, TENSORS)
    assert load_model(tmp_path, "lm", LMVocabulary)[1] == vocabulary


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {"lowercase": True, "tokens": "space"},
        {"words": ["a"], "tokens": "space"},
        {"lowercase": 1, "words": ["a"], "tokens": "space"},
        {"lowercase": True, "words": "ab", "tokens": "space"},
        {"lowercase": True, "words": ["a", 1], "tokens": "space"},
        {"lowercase": True, "words": ["a", "a"], "tokens": "space"},
    ],
)
@pytest.mark.parametrize("kind", [Vocabulary, LMVocabulary])
def test_a_record_that_is_not_a_vocabulary_is_refused(tmp_path: Path, record: Any, kind: type[Any]) -> None:
    class Wrong:
        to_dict = staticmethod(lambda: record)

        @classmethod
        def from_dict(cls, record: Any) -> "Wrong":
            return cls()

    save_model(tmp_path, "qa", {}, Wrong(), TENSORS)
    with pytest.raises(ModelError, match=r"vocab\.json is not a memn2n vocabulary"):
        load_model(tmp_path, "qa", kind)


@pytest.mark.parametrize("tokens", [None, "letters", ["space"], 3])
def test_an_unknown_way_of_splitting_words_is_refused(tmp_path: Path, tokens: Any) -> None:
    vocabulary = LMVocabulary(("a",))
    object.__setattr__(vocabulary, "tokens", tokens)
    save_model(tmp_path, "lm", {}, vocabulary, TENSORS)
    with pytest.raises(ModelError, match=r"vocab\.json is not a memn2n vocabulary"):
        load_model(tmp_path, "lm", LMVocabulary)


def test_a_later_save_replaces_the_model_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    save(tmp_path, 1)
    save(tmp_path, 2)
    assert number_in(tmp_path) == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


KILLED = """
import sys
from pathlib import Path
from tests.files import test_model_folder
folder, moment, count = Path(sys.argv[1]), int(sys.argv[2]), 0

def hook(event, args):
    global count
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir") and str(folder) in str(args[0]):
        count += 1
        if count == moment:
            import os
            os._exit(9)

sys.addaudithook(hook)
test_model_folder.save(folder, 2)
"""


def test_a_kill_at_any_moment_leaves_the_old_model_or_the_new_one(tmp_path: Path) -> None:
    found = []
    for moment in range(1, 100):
        folder = tmp_path / str(moment)
        save(folder, 1)
        status = subprocess.run(
            [sys.executable, "-c", KILLED, folder, str(moment)], cwd=Path(__file__).parents[2], check=False
        ).returncode
        assert status in {0, 9}
        found.append(number_in(folder))
        save(folder, 3)
        assert number_in(folder) == 3, "a later save works after the kill"
        assert len(list(folder.iterdir())) == 3, "and leaves nothing behind"
        if status == 0:
            break
    assert len(found) > 8
    assert found == sorted(found)
    assert set(found) == {1, 2}


def test_a_load_while_another_process_saves_gets_one_of_the_models(tmp_path: Path) -> None:
    save(tmp_path, 1)
    code = f"from tests.files import test_model_folder as t\nfor i in range(150): t.save(t.Path({str(tmp_path)!r}), i)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2]) as saving:
        loads = 0
        while saving.poll() is None:
            assert number_in(tmp_path) >= 0
            loads += 1
    assert saving.returncode == 0
    assert loads > 10


def damage(folder: Path, name: str, change: Any) -> None:
    path = folder / name
    path.write_bytes(change(path.read_bytes()))


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", ["config.json", "vocab.json", "model.safetensors"])
def test_errors_name_damaged_and_missing_files(tmp_path: Path, name: str) -> None:
    for i, change in enumerate((lambda raw: raw[: len(raw) // 2], lambda raw: b"", lambda raw: b"\xff" + raw[1:])):
        folder = tmp_path / str(i)
        save(folder)
        damage(folder, name, change)
        with pytest.raises(ModelError, match=name):
            load_model(folder, "qa", Vocabulary)
    save(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=f"it has no {name}"):
        load_model(tmp_path, "qa", Vocabulary)


def test_one_changed_bit_is_noticed(tmp_path: Path) -> None:
    save(tmp_path)
    damage(tmp_path, "model.safetensors", lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]))
    with pytest.raises(ModelError, match="damaged"):
        load_model(tmp_path, "qa", Vocabulary)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "was not written by memn2n"),
        ({"version": 1}, "format version 1, but this memn2n reads version 2"),
        ({"version": None}, "format version None"),
        ({"kind": "lm"}, "holds a model of kind 'lm', not 'qa'"),
        ({"sha256": 3}, "damaged"),
    ],
)
def test_foreign_models_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    save(tmp_path)
    edit(tmp_path, **changes)
    with pytest.raises(ModelError) as error:
        load_model(tmp_path, "qa", Vocabulary)
    assert message in str(error.value)


def test_folders_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such model directory"):
        load_model(tmp_path / "none", "qa", Vocabulary)
    with pytest.raises(ModelError, match=r"it has no config\.json"):
        load_model(tmp_path, "qa", Vocabulary)


def test_the_folder_of_another_program_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"name": "another program"}')
    with pytest.raises(ModelError, match=r"config\.json was not written by memn2n"):
        save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_prepare_refuses_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        prepare(tmp_path / "file")
    with pytest.raises(ModelError, match="cannot be written"):
        prepare(tmp_path / "file" / "model")
