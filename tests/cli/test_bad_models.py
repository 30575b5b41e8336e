"""A model that cannot be used: each command that reads one ends with one line and exit status 2."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from memn2n.files.model_folder import save_model
from memn2n.lm.vocabulary import LMVocabulary
from tests.cli.conftest import CLI, WHERE_IS_MARY

FILE = "model.safetensors"


def _cut(folder: Path) -> None:
    os.truncate(folder / FILE, (folder / FILE).stat().st_size - 7)


def _empty(folder: Path) -> None:
    os.truncate(folder / FILE, 0)


def _long_header(folder: Path) -> None:
    header = b'{"a":' + b"[" * 10**8
    (folder / FILE).write_bytes(len(header).to_bytes(8, "little") + header)


def _swapped(folder: Path) -> None:
    raw = (folder / FILE).read_bytes()
    swapped = raw.replace(b'"0.tables.0":', b'"?":').replace(b'"0.tables.1":', b'"0.tables.0":')
    (folder / FILE).write_bytes(swapped.replace(b'"?":', b'"0.tables.1":'))


def _folder(folder: Path) -> None:
    (folder / FILE).unlink()
    (folder / FILE).mkdir()


def _later(folder: Path) -> None:
    path = folder / FILE
    path.write_bytes(path.read_bytes().replace(rb"\"version\": 3", rb"\"version\": 4", 1))


BAD: tuple[tuple[Callable[[Path], None], str], ...] = (
    (_cut, "is damaged ("),
    (_empty, "is damaged (it ends within its header)"),
    (_long_header, "is damaged (its header has 100,000,005 bytes"),
    (_swapped, "is damaged (its SHA-256 differs"),
    (_folder, "is not a file"),
    (_later, "has format version 4, but this memn2n reads versions up to 3; upgrade memn2n"),
)


@pytest.mark.parametrize(("spoil", "message"), BAD)
def test_a_bad_model_is_one_line(
    cli: CLI, model: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(model, bad)
    assert cli("qa", "ask", bad, stdin=WHERE_IS_MARY).status == 0
    spoil(bad)
    for command in (("qa", "ask", bad), ("serve", "--port", 0, bad), ("lm", "next", bad, "the")):
        refused = cli(*command, stdin=WHERE_IS_MARY)
        assert (refused.status, refused.err.count("\n")) == (2, 1), refused.err
        if spoil is _swapped and command[0] == "lm":  # the kind is checked before the arrays are read
            assert "holds a model of kind 'qa', not 'lm'" in refused.err
            continue
        assert refused.err.startswith(f"memn2n: {bad / FILE} ")
        assert message in refused.err


def test_a_model_of_another_kind_is_one_line_with_the_right_command(cli: CLI, model: Path, tmp_path: Path) -> None:
    refused = cli("lm", "next", model, "the")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "holds a model of kind 'qa', not 'lm'" in refused.err
    assert f"memn2n qa ask {model}" in refused.err
    save_model(tmp_path, "lm", {}, LMVocabulary(("the",)), {})
    refused = cli("qa", "ask", tmp_path, stdin=WHERE_IS_MARY)
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert f"it is a language model: memn2n lm next {tmp_path}, or MemoryLM.load" in refused.err


def test_a_file_in_the_place_of_its_folder_names_the_folder(cli: CLI, model: Path) -> None:
    for command in (
        ("qa", "ask", model / FILE),
        ("serve", "--port", 0, model / FILE),
        ("lm", "next", model / FILE, "a"),
    ):
        refused = cli(*command, stdin=WHERE_IS_MARY)
        assert (refused.status, refused.err.count("\n")) == (2, 1)
        assert f"{model / FILE} is a file; name its folder, {model}" in refused.err
