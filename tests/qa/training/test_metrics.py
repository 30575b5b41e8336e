"""What TensorBoard gets from a training on stories."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from memn2n.qa.training.metrics import QATensorBoardLog
from memn2n.qa.training.problem import Restart
from memn2n.qa.training.schedule import Epoch, Score


def test_each_restart_is_a_run_whose_steps_are_its_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, ...]] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            self.run = Path(folder).name
            calls.append((self.run, purge_step))

        def add_scalar(self, name: str, value: float, step: int) -> None:
            calls.append((self.run, name, value, step))

        def flush(self) -> None: ...

        def close(self) -> None:
            calls.append((self.run, "closed"))

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", SimpleNamespace(SummaryWriter=SummaryWriter))
    with QATensorBoardLog(tmp_path) as log:
        log(Epoch(0, "linear", 1, 0.005, Score(3.0, 0.5), Score(2.0, 0.4), 1.0))
        log(Epoch(1, "softmax", 1, 0.01, Score(1.0, 0.2), None, 1.0))
        log(Epoch(0, "softmax", 1, 0.01, Score(0.5, 0.1), None, 1.0))
        log(Restart(0, Score(0.5, 0.1), None, 2.0))
    assert calls == [
        ("restart-0", 1),
        ("restart-0", "rate", 0.005, 1), ("restart-0", "loss/train", 3.0, 1), ("restart-0", "error/train", 0.5, 1),
        ("restart-0", "loss/valid", 2.0, 1), ("restart-0", "error/valid", 0.4, 1),
        ("restart-1", 1),
        ("restart-1", "rate", 0.01, 1), ("restart-1", "loss/train", 1.0, 1), ("restart-1", "error/train", 0.2, 1),
        ("restart-0", "rate", 0.01, 2), ("restart-0", "loss/train", 0.5, 2), ("restart-0", "error/train", 0.1, 2),
        ("restart-1", "closed"), ("restart-0", "closed"),
    ]  # fmt: skip
