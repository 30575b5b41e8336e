"""Models of format version 2 are still read, also after a save of that version was killed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memn2n.errors import ModelError
from memn2n.files.model_folder import has_model, kind_of, load_model, save_model
from memn2n.files.model_version_2 import open_version_2
from memn2n.qa.vocabulary import Vocabulary
from tests.files.crafted_models import ARRAYS, write_version_2

FILES = ("config.json", "vocab.json", "model.safetensors")
WORDS = {"lowercase": False, "words": ["é", "\ud800"]}


def write(folder: Path, number: int = 1, **arrays: Any) -> None:
    write_version_2(folder, "qa", {"number": number}, WORDS, ARRAYS | arrays)


def number_in(folder: Path) -> Any:
    return load_model(folder, "qa", Vocabulary)[0]["number"]


def test_a_model_is_read(tmp_path: Path) -> None:
    write(tmp_path)
    assert has_model(tmp_path)
    assert kind_of(tmp_path) == "qa"
    config, vocabulary, arrays = load_model(tmp_path, "qa", Vocabulary)
    assert config == {"number": 1}
    assert vocabulary == Vocabulary(("é", "\ud800"), lowercase=False)
    for name, array in ARRAYS.items():
        assert np.array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
        assert arrays[name].flags.owndata
    save_model(tmp_path, "qa", config, vocabulary, arrays)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "model.safetensors"]
    assert number_in(tmp_path) == 1


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("moved", range(4))
def test_the_save_that_was_killed_is_the_model(tmp_path: Path, first: bool, moved: int) -> None:
    if not first:
        write(tmp_path, 1)
    write(tmp_path / ".saved", 2)
    for name in FILES[:moved]:
        (tmp_path / ".saved" / name).replace(tmp_path / name)
    assert has_model(tmp_path)
    assert number_in(tmp_path) == 2


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def error_of(folder: Path) -> str:
    with pytest.raises(ModelError) as error:
        load_model(folder, "qa", Vocabulary)
    assert "\n" not in str(error.value)
    return str(error.value)


CHANGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda raw: raw[: len(raw) // 2],
    lambda raw: b"",
    lambda raw: b"\xff" + raw[1:],
    lambda raw: b"[" * 100_000,
)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", CHANGES)
def test_errors_name_the_damaged_file(tmp_path: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    write(tmp_path)
    path = tmp_path / name
    path.write_bytes(change(path.read_bytes()))
    assert f"{name} is damaged" in error_of(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_errors_name_the_missing_file(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    (tmp_path / name).unlink()
    assert f"it has no {name}" in error_of(tmp_path)


def test_nan_is_refused(tmp_path: Path) -> None:
    write(tmp_path, A=np.array([0, np.nan], np.float32))
    assert "array 'A' holds NaN" in error_of(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "was not written by memn2n"),
        ({"version": 1}, "format version 1, which this memn2n cannot read"),
        ({"version": None}, "format version None"),
        ({"kind": "lm"}, "holds a model of kind 'lm', not 'qa'"),
        ({"kind": ["x" * 1000]}, "holds a model of kind ['xxx"),
        ({"sha256": 3}, "damaged"),
    ],
)
def test_foreign_models_are_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write(tmp_path)
    edit(tmp_path, **changes)
    assert message in error_of(tmp_path)
    assert len(error_of(tmp_path)) < 300 + len(str(tmp_path))


def test_a_save_that_replaces_the_model_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1)

    def replaced(folder: Path) -> Any:
        save_model(folder, "qa", {"number": 2}, Vocabulary(("w",)), ARRAYS)
        return open_version_2(folder)

    monkeypatch.setattr("memn2n.files.model_folder.open_version_2", replaced)
    assert number_in(tmp_path) == 2
