"""The progress of a training on stories: a line a restart, and a bar over all epochs, or a line a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.progress_bar import ProgressBar
from memn2n.qa.training.schedule import Epoch, schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.training.problem import Restart

_SECONDS_BETWEEN_LINES = 1.0


class QAProgress(ProgressBar):
    """Shows each event of a training that it is called with."""

    def __init__(self, trainings: Sequence[TrainingConfig]) -> None:
        super().__init__(_SECONDS_BETWEEN_LINES, first="training")
        # the most epochs that each restart can have, by its number
        self._epochs = [sum(1 for _ in schedule(config)) for config in trainings for _ in range(config.restarts)]
        self._done: dict[int, int] = {}  # epochs by restart; the engine trains several restarts at the same time

    def __call__(self, event: Epoch | Restart) -> None:
        """Show one event."""
        restart = f"{event.restart + 1}/{len(self._epochs)}"
        if isinstance(event, Epoch):
            self._done[event.restart] = self._done.get(event.restart, 0) + 1
            valid = "" if event.valid is None else f"  valid {event.valid.error:.1%}"
            self._move(f"{restart} {event.phase} {event.epoch}  loss {event.train.loss:.3f}{valid}")
            self.log(f"restart {restart}  {_epoch(event)}")
        else:
            self._done[event.restart] = self._epochs[event.restart]  # the epochs that it did not need are done too
            self._move(f"{restart} done")
            self.print(f"restart {restart}{_restart(event)}")

    def _move(self, label: str) -> None:
        done, total = sum(self._done.values()), sum(self._epochs)
        self.show(label, f"{done}/{total}", done, total, stage="all epochs")


def _epoch(event: Epoch) -> str:
    valid = "" if event.valid is None else f"  validation {event.valid.loss:.4f} ({event.valid.error:.1%} wrong)"
    return f"{event.phase} epoch {event.epoch}  loss {event.train.loss:.4f}{valid}"


def _restart(event: Restart) -> str:
    line = f" stopped: {event.stopped}" if event.stopped else ""
    if event.train is not None:
        line += f"  training loss {event.train.loss:.4f} ({event.train.error:.1%} wrong)"
    if event.valid is not None:
        line += f"  validation {event.valid.loss:.4f} ({event.valid.error:.1%} wrong)"
    return f"{line}  {event.seconds:.1f} s"
