"""Ctrl-C, SIGTERM and SIGHUP end every command in the same way."""

import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from memn2n import StoryQA
from memn2n.files.folder_lock import locked
from memn2n.progress_bar import ProgressBar
from memn2n.qa import predict
from tests.cli.conftest import CLI, COMMAND, WHERE_IS_MARY, babi, cli

__all__ = ["babi", "cli"]

LONG = ["--epochs", "100000", "--linear-start", "none", "--dim", "4", "--stop-loss", "0"]
SLOW = """
import time
from memn2n.qa.training.native_loop import NativeLoop

def epoch(*_):
    print("training", flush=True)
    time.sleep(60)

NativeLoop.epoch = epoch
"""


def training(out: Path, *before: object, ignored: signal.Signals | None = None) -> subprocess.Popen[str]:
    def ignore() -> None:
        if ignored is not None:
            signal.signal(ignored, signal.SIG_IGN)

    command = [*COMMAND, *map(str, before), "qa", "train", "--out", str(out), *LONG]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=ignore)


def wait_for_epochs(process: subprocess.Popen[str]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if "softmax epoch" in line:
            return
    raise AssertionError("the training ended")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_keeps_the_best_model_so_far(tmp_path: Path, number: signal.Signals) -> None:
    process = training(tmp_path / "run")
    wait_for_epochs(process)
    process.send_signal(number)
    _, err = process.communicate()
    assert process.returncode == 128 + number
    assert err.splitlines()[-1] == f"memn2n: interrupted; the best model so far is in {tmp_path / 'run'}"
    assert StoryQA.load(tmp_path / "run").interrupted


def test_a_signal_that_the_process_was_started_to_ignore_stays_ignored(tmp_path: Path) -> None:
    process = training(tmp_path / "run", ignored=signal.SIGHUP)
    wait_for_epochs(process)
    process.send_signal(signal.SIGHUP)
    wait_for_epochs(process)  # a line a second
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM


def test_a_second_signal_ends_the_process_at_once_and_in_silence(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW)
    process = training(tmp_path / "run", "--import", tmp_path / "slow.py")
    assert process.stdout is not None
    process.stdout.readline()
    begin = time.monotonic()
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, err = process.communicate()
    assert (process.returncode, err) == (128 + signal.SIGINT, "")
    assert time.monotonic() - begin < 30
    left = {path.name for path in (tmp_path / "run").iterdir()}
    assert left == {".memn2n.lock"}, "which locks nothing once its process has ended"
    with locked(tmp_path / "run"):
        pass
    assert not list((tmp_path / "run").iterdir())


def test_a_closed_terminal_does_not_cost_the_model(tmp_path: Path) -> None:
    run = tmp_path / "run"
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [*COMMAND, "qa", "train", "--out", str(run), *LONG])
    shown = b""
    while b"softmax" not in shown:
        shown += os.read(terminal, 4096)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 128 + signal.SIGHUP
    assert StoryQA.load(run).interrupted


def test_what_cannot_be_shown_does_not_end_a_training(monkeypatch: pytest.MonkeyPatch) -> None:
    with io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as full:
        with pytest.raises(OSError, match="No space"):
            print("half", file=full)
        monkeypatch.setattr(sys, "stderr", full)
        with ProgressBar() as bar:
            bar.log("half")
        monkeypatch.undo()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_any_command_says_that_it_was_interrupted(
    cli: CLI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    def press(*_: object) -> None:
        signal.raise_signal(number)

    monkeypatch.setattr(predict, "_by_engine", press)
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    line = '{"story": ["Mary went home."], "question": "Where is Mary?"}\n'
    stopped = cli("qa", "predict", "stories", "-", "--out", tmp_path / "out.jsonl", stdin=line)
    assert (stopped.status, stopped.out, stopped.err) == (128 + number, "", "memn2n: interrupted\n")
    assert not list(tmp_path.iterdir())
    assert before == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    monkeypatch.undo()
    assert cli("qa", "ask", "stories", stdin=WHERE_IS_MARY).status == 0, "the next command is not interrupted"


IMPORTING = """
import os, runpy, signal, sys

class Press:
    def find_spec(self, name, *_):
        if name == "memn2n.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Press())
runpy.run_module("memn2n", run_name="__main__")
"""


def test_ctrl_c_while_the_modules_are_imported_shows_no_traceback() -> None:
    stopped = subprocess.run([sys.executable, "-c", IMPORTING], capture_output=True, check=False)
    assert (stopped.returncode, stopped.stderr) == (-signal.SIGINT, b"")
