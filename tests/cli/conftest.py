"""Run the command line in this process where that is enough, otherwise in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from memn2n.cli import main

FAST = ["--epochs", "1", "--linear-start-epochs", "1", "--restarts", "1", "--dim", "4"]
COMMAND = [sys.executable, "-m", "memn2n"]
WHERE_IS_MARY = "Mary moved to the bathroom.\nJohn went to the hallway.\nWhere is Mary?\n"


class Result(NamedTuple):
    status: int
    out: str
    err: str


CLI = Callable[..., Result]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> CLI:
    """Run a command in this process, with a pipe for standard input."""

    def run(*args: object, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "argv", ["memn2n", *map(str, args)])
        read, write = os.pipe()
        os.write(write, stdin.encode())
        os.close(write)
        with os.fdopen(read) as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            with pytest.raises(SystemExit) as exit_:
                main()
        out, err = capfd.readouterr()
        code = exit_.value.code
        return Result(code if isinstance(code, int) else 0, out, err)

    return run


def process(*args: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *map(str, args)], input=stdin, capture_output=True, text=True, check=False)


@pytest.fixture
def babi(tmp_path: Path) -> Path:
    folder = tmp_path / "en"
    folder.mkdir()
    story = "".join(
        f"1 {who} moved to the {where}.\n2 Where is {who}?\t{where}\t1\n" for who in "abcd" for where in ("x", "y")
    )
    for name in ("qa1_s_train.txt", "qa1_s_test.txt", "qa2_t_train.txt", "qa2_t_test.txt", "qa3_u_test.txt"):
        (folder / name).write_text(story)
    return folder
