"""A folder to which another process writes: each command ends with one line and exit status 2, and changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from memn2n import MemoryLM, StoryQA
from memn2n.errors import InputError
from memn2n.files import model_folder
from tests.cli.conftest import CLI, FAST
from tests.files.held_folder import held
from tests.lm.small_model import fit, sentences
from tests.reproduce.babi.small_data import babi_1k, quick
from tests.reproduce.ptb.small_data import ptb, quick_lm

__all__ = ["babi_1k", "ptb", "quick", "quick_lm"]


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def in_use(folder: Path, *, beside: bool = False) -> Iterator[None]:
    with held(folder, beside=beside):
        before = content(folder)
        yield
        assert content(folder) == before


def check(cli: CLI, out: Path, *command: object) -> None:
    refused = cli(*command, "--out", out)
    assert (refused.status, refused.err.count("\n")) == (2, 1), refused.err
    assert refused.err.startswith(f"memn2n: {out} is in use: another thread of this process writes to it; wait")


def test_trainings(cli: CLI, babi: Path, tmp_path: Path) -> None:
    text, out = tmp_path / "text", tmp_path / "out"
    text.write_text(sentences(100, 1))
    with in_use(out):
        check(cli, out, "qa", "train", babi, "--task", 1, *FAST)
        check(cli, out, "lm", "train", "--train", text, "--dim", 4)
        check(cli, out, "lm", "train", "--train", text, "--resume")


@pytest.mark.usefixtures("quick", "quick_lm")
def test_tables(cli: CLI, babi_1k: Path, ptb: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with in_use(out):
        check(cli, out, "reproduce", "babi-1k", "--data", babi_1k, "--tasks", 1, "--restarts", 1)
        check(cli, out, "reproduce", "ptb", "--data", ptb, "--row", "2x100")


def test_files(cli: CLI, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with in_use(out):
        check(cli, out, "simulate", "--task", 1, "--train", 5, "--test", 5)
    with in_use(tmp_path / "babi", beside=True):
        check(cli, tmp_path / "babi", "data", "get", "babi", "--url", "http://localhost:1")


def test_a_save_waits_for_another_one_and_then_gives_up(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "_SECONDS_TO_WAIT", 0.2)
    qa, lm, out = StoryQA.load(model), fit(), tmp_path / "out"
    qa.save(out)
    with in_use(out):
        for one in (qa, lm):
            with pytest.raises(InputError, match="is in use"):
                one.save(out)
        with pytest.raises(InputError, match="is in use"):
            fit(folder=out)
    lm.save(out)
    assert MemoryLM.load(out).vocabulary == lm.vocabulary


def test_a_training_says_that_it_replaced_a_model(cli: CLI, babi: Path, tmp_path: Path) -> None:
    out, text = tmp_path / "out", tmp_path / "text"
    text.write_text(sentences(100, 1))
    line = f"saved in {out}"
    commands: tuple[tuple[Any, ...], ...] = (
        ("qa", "train", babi, "--task", 1, *FAST),
        ("lm", "train", "--train", text, "--dim", 4, "--hops", 1, "--memory-size", 5, "--epochs", 1, "--threads", 1),
    )
    for command in commands:
        trained = cli(*command, "--out", out / command[0])
        assert trained.out.endswith(f"{line}/{command[0]}\n")
        trained = cli(*command, "--out", out / command[0])
        assert trained.out.endswith(f"{line}/{command[0]}, in the place of an earlier model\n")
    resumed = cli(*commands[1], "--out", out / "lm", "--epochs", 2, "--resume")
    assert resumed.out.endswith(f"{line}/lm\n")
