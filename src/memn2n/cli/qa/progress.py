"""How training shows itself: a bar on a terminal; elsewhere a line a restart, and one a second of its epochs.

All of it goes to standard error.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from memn2n.qa.training.schedule import Epoch, schedule

if TYPE_CHECKING:
    from types import TracebackType

    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.training.problem import Restart

_SECONDS_BETWEEN_LINES = 1.0


class TrainingProgress:
    """Shows the events of a training; a context manager, to be called with each event."""

    def __init__(self, config: TrainingConfig) -> None:
        console = Console(stderr=True)
        self.restarts = config.restarts
        self.epochs = sum(1 for _ in schedule(config))  # of one restart, at the longest
        self._bar = Progress(TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(),
                             TimeRemainingColumn(), console=console, disable=not console.is_terminal)  # fmt: skip
        self._console = console
        self._task = self._bar.add_task("training", total=self.epochs * config.restarts)
        self._told = time.monotonic()
        self._seen: dict[int, int] = {}  # epochs of each restart; several may be under way

    def __call__(self, event: Epoch | Restart) -> None:
        """Show one event."""
        seen = self._seen.get(event.restart, 0)
        if isinstance(event, Epoch):
            self._seen[event.restart] = seen + 1
            self._bar.update(self._task, advance=1, description=self._short(event))
            if self._console.is_terminal or time.monotonic() - self._told < _SECONDS_BETWEEN_LINES:
                return
        self._told = time.monotonic()
        line = self._epoch(event) if isinstance(event, Epoch) else self._restart(event)
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)
        if not isinstance(event, Epoch):
            self._bar.update(self._task, advance=self.epochs - seen)  # also those that were not needed

    def _short(self, event: Epoch) -> str:
        valid = "" if event.valid is None else f"  valid {event.valid.error:.1%}"
        return f"{event.restart + 1}/{self.restarts} {event.phase} {event.epoch}  loss {event.train.loss:.3f}{valid}"

    def _epoch(self, event: Epoch) -> str:
        valid = "" if event.valid is None else f"  validation {event.valid.loss:.4f} ({event.valid.error:.1%} wrong)"
        return (f"restart {event.restart + 1}/{self.restarts}  {event.phase} epoch {event.epoch}  "
                f"loss {event.train.loss:.4f}{valid}")  # fmt: skip

    def _restart(self, event: Restart) -> str:
        line = f"restart {event.restart + 1}/{self.restarts}"
        if event.stopped:
            line += f" stopped: {event.stopped}"
        if event.train is not None:
            line += f"  training loss {event.train.loss:.4f} ({event.train.error:.1%} wrong)"
        if event.valid is not None:
            line += f"  validation {event.valid.loss:.4f} ({event.valid.error:.1%} wrong)"
        return f"{line}  {event.seconds:.1f} s"

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()
