"""An interrupted training resumes, and ends as if it had not been interrupted."""

import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memn2n import Corpus, LMTraining, MemoryLM
from memn2n.errors import ConfigError, ModelError
from memn2n.lm.training.checkpoints import load_checkpoint
from memn2n.lm.training.progress import LMEpoch, LMStep
from tests.lm.small_model import MODERN, PLAIN, TEST, TRAIN, VALID, assert_same, fit


class Killed(Exception):  # noqa: N818 - no error of ours
    """Stands for a kill: nothing is saved after it."""


def after(batches: int, act: Callable[[], object]) -> Callable[[LMStep | LMEpoch], None]:
    """Call a function after a number of batches."""
    left = [batches]

    def listen(event: LMStep | LMEpoch) -> None:
        if isinstance(event, LMStep):
            left[0] -= 1
            if left[0] == 0:
                act()

    return listen


def kill() -> None:
    raise Killed


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(scope="module")
def batches() -> int:
    """How many an epoch of MODERN has."""
    seen: list[LMStep | LMEpoch] = []
    fit(dataclasses.replace(MODERN, epochs=1), on_event=seen.append)
    return len(seen) - 1


@pytest.fixture(scope="module")
def whole() -> dict[Any, MemoryLM]:
    """Uninterrupted trainings, by their settings and validation text."""
    return {(training, valid): fit(training, valid=valid) for training in (MODERN, PLAIN) for valid in (VALID, None)}


@pytest.mark.parametrize("valid", [VALID, None], ids=["validated", "held out"])
@pytest.mark.parametrize("training", [MODERN, PLAIN], ids=["adamw", "sgd"])
@pytest.mark.parametrize("end", [kill, ctrl_c])
def test_an_interrupted_training_ends_like_an_uninterrupted_one(
    training: LMTraining, valid: Corpus | None, end: Callable[[], None], whole: dict[Any, MemoryLM], batches: int,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Within an epoch, at its end, twice; and a kill before the first checkpoint is a training from the beginning."""
    wanted = whole[training, valid]
    for cut in (batches + 2, batches + 1):
        resume = (tmp_path / "checkpoint").exists()
        try:
            model = fit(training, valid=valid, folder=tmp_path, resume=resume, on_event=after(cut, end))
        except Killed:
            assert end is kill
        else:
            assert model.interrupted == (end is ctrl_c)
        progress = load_checkpoint(tmp_path).progress
        assert progress.history == sorted(progress.history, key=lambda epoch: epoch.epoch)
        if end is kill:
            assert progress.batch == 0
    told: list[LMStep | LMEpoch] = []
    found = fit(training, valid=valid, folder=tmp_path, resume=True, on_event=told.append)
    assert_same(found, wanted)
    assert_same(MemoryLM.load(tmp_path), as_saved(wanted))
    assert not found.interrupted
    assert [event.epoch for event in told if isinstance(event, LMEpoch)][-1] == 3
    again = fit(training, valid=valid, folder=tmp_path, resume=True, on_event=told.append)
    assert_same(again, wanted)
    assert told[-1] == found.history[-1], "nothing was left to do"


def as_saved(lm: MemoryLM) -> MemoryLM:
    """The model as it was when its best epoch was saved."""
    best = max(epoch.epoch for epoch in lm.history if epoch.best)
    return MemoryLM(lm.network, lm.vocabulary, lm.training, lm.history[:best])


def test_ctrl_c_in_the_first_epoch(whole: dict[Any, MemoryLM], tmp_path: Path) -> None:
    """There is no network to return yet, but the training can go on."""
    with pytest.raises(KeyboardInterrupt):
        fit(folder=tmp_path, on_event=after(2, ctrl_c))
    assert load_checkpoint(tmp_path).progress.batch == 2
    assert_same(fit(folder=tmp_path, resume=True), whole[MODERN, VALID])
    with pytest.raises(KeyboardInterrupt):
        fit(on_event=after(2, ctrl_c))


def test_ctrl_c_without_a_folder_returns_the_best_so_far(batches: int) -> None:
    found = fit(on_event=after(batches + 3, ctrl_c))
    assert found.interrupted
    one = fit(dataclasses.replace(MODERN, epochs=3), on_event=after(batches + 1, ctrl_c))
    assert_same(found, one)
    assert len(found.history) == 1


def train_in_a_process(folder: str, resume: bool) -> None:
    """Say each batch, then how it ended; run by ``test_a_real_signal``."""
    model = fit(PLAIN, folder=folder, resume=resume, on_event=lambda event: print(type(event).__name__, flush=True))
    print("interrupted" if model.interrupted else "finished", flush=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_real_signal(number: signal.Signals, whole: dict[Any, MemoryLM], tmp_path: Path) -> None:
    code = f"from tests.lm.test_resume import train_in_a_process as run; run({str(tmp_path)!r}, False)"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        lines = iter(child.stdout)
        for line in lines:
            if line == "LMEpoch\n":
                break
        next(lines)
        child.send_signal(number)
        *_, last = (line, *lines)
    if number == signal.SIGINT:
        assert (child.returncode, last) == (0, "interrupted\n")
    else:
        assert child.returncode == -signal.SIGKILL
    progress = load_checkpoint(tmp_path).progress
    assert len(progress.history) < PLAIN.epochs
    assert MemoryLM.load(tmp_path).history[0].epoch == 1
    assert_same(fit(PLAIN, folder=tmp_path, resume=True), whole[PLAIN, VALID])


def test_a_resumed_training_may_have_more_epochs(tmp_path: Path) -> None:
    fit(dataclasses.replace(PLAIN, epochs=1), folder=tmp_path)
    assert_same(fit(PLAIN, folder=tmp_path, resume=True), fit(PLAIN))
    again = MemoryLM.fit(TRAIN, VALID, folder=tmp_path, resume=True, threads=1)
    assert len(again.history) == 3, "by default as many as before"


def test_a_new_training_replaces_the_checkpoint_of_the_earlier_one(tmp_path: Path) -> None:
    fit(folder=tmp_path)
    other = dataclasses.replace(MODERN, seed=5)

    def kill(event: LMStep | LMEpoch) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fit(other, folder=tmp_path, on_event=kill)
    assert load_checkpoint(tmp_path).training == other
    assert_same(fit(other, folder=tmp_path, resume=True), fit(other))


def test_errors_of_resume(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="resume needs the folder of the training"):
        fit(resume=True)
    with pytest.raises(ModelError, match="has no checkpoint to resume from"):
        fit(resume=True, folder=tmp_path)
    fit(dataclasses.replace(MODERN, epochs=1), folder=tmp_path)
    with pytest.raises(ModelError, match="its train text is not the one given now"):
        fit(resume=True, folder=tmp_path, train=TEST)
    with pytest.raises(ModelError, match="its valid text is not the one given now"):
        fit(resume=True, folder=tmp_path, valid=TEST)
    with pytest.raises(ModelError, match="text is not the one given now"):
        fit(resume=True, folder=tmp_path, valid=None)
