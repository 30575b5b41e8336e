"""A full or broken disk is a failure, with exit status 1; a wrong path is bad input, with exit status 2."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import CLI, COMMAND, FAST, WHERE_IS_MARY, babi, cli

__all__ = ["babi", "cli"]

QUESTION = '{"story": ["Mary went home."], "question": "Where is Mary?"}\n'


def commands(folder: Path) -> dict[str, list[str]]:
    """Commands that write to ``folder / "out"``, by name."""
    out, files = str(folder / "out"), {"story.txt": WHERE_IS_MARY, "text.txt": "a b c d e f\n" * 100}
    for name, text in files.items():
        (folder / name).write_text(text)
    explain = ["--story", str(folder / "story.txt"), "--question", "Where is Mary?"]
    return {
        "predict": ["qa", "predict", "stories", "-", "--out", out],
        "qa train": ["qa", "train", str(folder / "en"), "--task", "1", "--out", out, *FAST],
        "lm train": ["lm", "train", "--train", str(folder / "text.txt"), "--memory-size", "5", "--out", out],
        "simulate": ["simulate", "--task", "1", "--train", "2", "--test", "2", "--out", out],
        "explain": ["qa", "explain", *explain, "--html", out],
    }


NAMES = ["predict", "qa train", "lm train", "simulate", "explain"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG])
def test_a_full_disk_is_a_failure(
    cli: CLI, babi: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    args = commands(tmp_path)[name]
    if name in {"qa train", "lm train", "simulate"}:
        (tmp_path / "out").mkdir()

    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    failed = cli(*args, stdin=QUESTION)
    assert failed.status == 1, failed.err
    last = failed.err.splitlines()[-1]
    assert last.startswith("memn2n: ")
    assert last.endswith(os.strerror(number))
    assert "out" in last
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_path_is_bad_input(cli: CLI, babi: Path, tmp_path: Path, name: str) -> None:
    args = commands(tmp_path)[name]
    (tmp_path / "file").write_text("mine")
    args[args.index(str(tmp_path / "out"))] = str(tmp_path / "file" / "out")
    failed = cli(*args, stdin=QUESTION)
    assert failed.status == 2, failed.err
    assert failed.err.splitlines()[-1].startswith("memn2n: ")


def test_standard_output_that_cannot_be_written_is_a_failure() -> None:
    with Path("/dev/full").open("wb") as full:
        failed = subprocess.run([*COMMAND, "info"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr == "memn2n: input or output failed: No space left on device\n"


def test_a_closed_pipe_ends_a_command_without_a_word() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        ended = subprocess.run([*COMMAND, "info"], stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "")
