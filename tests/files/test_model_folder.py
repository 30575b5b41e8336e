"""The folder of a model: saving, replacing, kills during a save, and files of other programs."""

import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from memn2n.errors import ModelError
from memn2n.files import model_file
from memn2n.files.model_folder import config_of, has_model, hold_folder, kind_of, load_model, save_model
from memn2n.lm.vocabulary import LMVocabulary
from memn2n.qa.vocabulary import Vocabulary
from tests.files.crafted_models import ARRAYS, RECORD, write_record, write_version_2
from tests.files.killed import killed_at

ROOT = Path(__file__).parents[2]


def save(folder: Path, number: int = 1) -> None:
    vocabulary = Vocabulary((f"word{number}", "é"), lowercase=False)
    save_model(folder, "qa", {"number": number}, vocabulary, {"n": np.full(1000, number, np.float32)})


def save_version_2(folder: Path, number: int) -> None:
    words = {"lowercase": False, "words": [f"word{number}", "é"]}
    write_version_2(folder, "qa", {"number": number}, words, {"n": np.full(1000, number, np.float32)})


def number_in(folder: Path) -> int:
    """Return the number of the save in the folder; fail if its parts belong to different saves."""
    config, vocabulary, arrays = load_model(folder, "qa", Vocabulary)
    number = config["number"]
    assert vocabulary.words[0] == f"word{number}"
    assert np.all(arrays["n"] == number)
    assert isinstance(number, int)
    return number


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_model_survives_a_round_trip(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "model"
    assert not has_model(folder)
    vocabulary = Vocabulary(("a", "é", "b c", "\ud800", "\U0001f600"), lowercase=False)
    arrays = ARRAYS | {"empty": np.empty((0, 3), np.int64), "columns": np.arange(6.0).reshape(2, 3).T,
                       "big endian": np.arange(3, dtype=">f4")}  # fmt: skip
    save_model(folder, "qa", {"x": [1, None, "é"], "kind": "mine"}, vocabulary, arrays)
    config, words, found = load_model(folder, "qa", Vocabulary)
    assert config == {"x": [1, None, "é"], "kind": "mine"}
    assert words == vocabulary
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == array.dtype.newbyteorder("=")
        assert found[name].flags.writeable
        assert found[name].flags.aligned
        assert found[name].flags.owndata
    assert names(folder) == ["config.json", "model.safetensors"]
    assert has_model(folder)
    assert (kind_of(folder), config_of(folder)) == ("qa", config)


def test_the_format_of_a_file_does_not_change(tmp_path: Path) -> None:
    """Later versions of the package must read the files of this one."""
    save_model(tmp_path / "saved", "qa", {}, Vocabulary(("w",)), ARRAYS)
    write_record(tmp_path / "crafted", RECORD)
    saved, crafted = (tmp_path / name / "model.safetensors" for name in ("saved", "crafted"))
    assert saved.read_bytes() == crafted.read_bytes()


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b"):
        save(folder)
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (tmp_path / "b" / "model.safetensors").read_bytes()


def test_the_copy_of_the_settings_is_never_read(tmp_path: Path) -> None:
    settings = {"dim": 3, "name": "é", "version": 2}
    save_model(tmp_path, "qa", settings, Vocabulary(("w",)), ARRAYS)
    copy = tmp_path / "config.json"
    assert json.loads(copy.read_bytes()) == {"format": "memn2n", "version": 3, "kind": "qa", "dim": 3, "name": "é"}
    for content in (b"", b"{", b'{"format": "other", "version": 7}'):
        copy.write_bytes(content)
        assert load_model(tmp_path, "qa", Vocabulary)[0] == settings
    copy.unlink()
    assert kind_of(tmp_path) == "qa"


def test_the_vocabulary_of_a_language_model_survives_a_round_trip(tmp_path: Path) -> None:
    vocabulary = LMVocabulary(("b", "é", "\udfff"), tokens="words", lowercase=True)
    save_model(tmp_path, "lm", {}, vocabulary, ARRAYS)
    assert load_model(tmp_path, "lm", LMVocabulary)[1] == vocabulary


@pytest.mark.parametrize("words", [("\ud83d\ude00",), ("\ud83d\ude00", "\U0001f600")])
def test_a_word_that_would_be_read_as_another_one_is_not_saved(tmp_path: Path, words: tuple[str, ...]) -> None:
    """JSON joins the halves of a surrogate pair."""
    for vocabulary in (Vocabulary(words), LMVocabulary(words)):
        with pytest.raises(ModelError, match=r"not saved, because it could not be loaded \(.* word"):
            save_model(tmp_path / "model", "qa", {}, vocabulary, ARRAYS)
    assert names(tmp_path) == []


def test_a_later_save_replaces_the_model_and_nothing_else(tmp_path: Path) -> None:
    for name in ("notes.txt", "vocab.json"):
        (tmp_path / name).write_text("mine")
    save(tmp_path, 1)
    save(tmp_path, 2)
    assert number_in(tmp_path) == 2
    assert names(tmp_path) == ["config.json", "model.safetensors", "notes.txt", "vocab.json"]
    assert (tmp_path / "notes.txt").read_text() == (tmp_path / "vocab.json").read_text() == "mine"


def earlier_model(folder: Path, earlier: str) -> None:
    if earlier == "version 3":
        save(folder, 1)
        return
    if earlier == "version 2":
        save_version_2(folder, 1)
        return
    save_version_2(folder, 0)  # and a save of version 2 that was killed when its first file was in place
    save_version_2(folder / ".saved", 1)
    (folder / ".saved" / "model.safetensors").rename(folder / "model.safetensors")
    save_version_2(folder / ".saving-half", 5)


@pytest.mark.parametrize("earlier", ["version 3", "version 2", "version 2, killed"])
def test_a_kill_at_any_moment_leaves_the_old_model_or_the_new_one(tmp_path: Path, earlier: str) -> None:
    found = []
    for moment in range(1, 100):
        folder = tmp_path / str(moment)
        earlier_model(folder, earlier)
        assert number_in(folder) == 1
        killed = killed_at(moment, folder, lambda: save(folder, 2))  # noqa: B023 - called at once
        found.append(number_in(folder))
        save(folder, 3)
        assert number_in(folder) == 3, "a later save works after the kill"
        assert names(folder) == ["config.json", "model.safetensors"], "and leaves nothing behind"
        if not killed:
            break
    assert len(found) > 8
    assert found == sorted(found)
    assert set(found) == {1, 2}


def test_a_load_while_another_process_saves_gets_one_of_the_models(tmp_path: Path) -> None:
    save(tmp_path, 1)
    code = f"from tests.files import test_model_folder as t\nfor i in range(150): t.save(t.Path({str(tmp_path)!r}), i)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as saving:
        loads = 0
        while saving.poll() is None:
            assert number_in(tmp_path) >= 0
            loads += 1
    assert saving.returncode == 0
    assert loads > 10


def save_often(folder: Path, first: int) -> None:
    for number in range(first, first + 15):
        save(folder, number)
        number_in(folder)


def test_processes_that_save_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=save_often, args=(tmp_path, first)) for first in (0, 100, 200)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert json.loads((tmp_path / "config.json").read_bytes())["number"] == number_in(tmp_path)
    assert names(tmp_path) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("what", ["NaN", "header"])
def test_a_model_that_could_not_be_read_is_not_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    save(tmp_path, 1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    arrays = {"n": np.full(1000, np.nan, np.float32)} if what == "NaN" else ARRAYS
    words = Vocabulary(tuple(f"word{i}" for i in range(1000)))
    if what == "header":
        monkeypatch.setattr(model_file, "HEADER_LIMIT", 10_000)
    with pytest.raises(ModelError, match=r"'n' holds NaN|at most 10,000 can be saved; train with fewer words"):
        save_model(tmp_path, "qa", {}, words, arrays)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_folders_without_a_model(tmp_path: Path) -> None:
    for read in (kind_of, config_of, lambda folder: load_model(folder, "qa", Vocabulary)):
        with pytest.raises(ModelError, match="there is no such model directory"):
            read(tmp_path / "none")
        with pytest.raises(ModelError, match=r"it has no model\.safetensors"):
            read(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("content", ['{"name": "another program"}', "[]", "[" * 100_000, ""])
def test_the_folder_of_another_program_is_not_written(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(ModelError, match=f"{name} was not written by memn2n; choose another folder"):
        save(tmp_path)
    assert names(tmp_path) == [name]
    assert (tmp_path / name).read_text() == content


def test_the_weights_of_another_program_are_neither_read_nor_replaced(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for metadata in (None, {}, {"format": "pt"}):
        raw = safetensors.numpy.save(ARRAYS, metadata)
        path.write_bytes(raw)
        with pytest.raises(ModelError, match=r"was not written by memn2n; choose another folder, or remove the file"):
            save(tmp_path)
        with pytest.raises(ModelError, match=r"was not written by memn2n; name the folder that training wrote"):
            load_model(tmp_path, "qa", Vocabulary)
        assert path.read_bytes() == raw


def test_a_damaged_model_can_be_replaced(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "model.safetensors").write_bytes(b"")
    save(tmp_path, 2)
    assert number_in(tmp_path) == 2


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_folder_in_the_place_of_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(ModelError, match=f"{name} is a folder, but a model needs a file of this name"):
        hold_folder(tmp_path).__enter__()
    assert names(tmp_path) == [name]


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "model"):
        with pytest.raises(ModelError, match="cannot be written"):
            hold_folder(folder).__enter__()


def test_a_new_folder_in_which_nothing_was_saved_is_removed(tmp_path: Path) -> None:
    with hold_folder(tmp_path / "new" / "folder") as folder:
        assert folder.is_dir()
    assert not folder.exists()
    with hold_folder(folder):
        (folder / "notes").write_text("mine")
    assert names(folder) == ["notes"]


class _Wrong:
    """A vocabulary that stores any record."""

    def __init__(self, record: Any) -> None:
        self.record = record

    def to_dict(self) -> Any:
        return self.record

    @classmethod
    def from_dict(cls, record: Any) -> "_Wrong":
        return cls(record)


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        3,
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
    save_model(tmp_path, "qa", {}, _Wrong(record), ARRAYS)
    with pytest.raises(ModelError, match="its vocabulary is not one of memn2n"):
        load_model(tmp_path, "qa", kind)


@pytest.mark.parametrize("tokens", [None, "letters", ["space"], 3])
def test_an_unknown_way_of_splitting_words_is_refused(tmp_path: Path, tokens: Any) -> None:
    save_model(tmp_path, "lm", {}, _Wrong({"lowercase": True, "words": ["a"], "tokens": tokens}), ARRAYS)
    with pytest.raises(ModelError, match="its vocabulary is not one of memn2n"):
        load_model(tmp_path, "lm", LMVocabulary)
