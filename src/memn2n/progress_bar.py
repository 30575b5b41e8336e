"""The progress of a long command: a bar on a terminal, and lines of text elsewhere; all on standard error."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any, Self, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from memn2n.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Hashable


class _Lossy:
    """A text stream that drops what cannot be written: a closed terminal or a full disk must not end a training."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text if that is possible."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream if that is possible."""
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class ProgressBar:
    """A progress bar, as a context manager. Subclasses turn the events of a training into text and counts.

    Standard output is never touched, so that it can be redirected while the bar is on the terminal.

    Args:
        seconds_between_lines: the shortest time between two lines of ``log``.
        enabled: whether to show the bar, and the lines of ``log`` that stand in for it.
        first: the label of the bar that is shown before the first event; no bar by default.
        unit: what is counted, such as "words", where the speed is to be shown.
    """

    def __init__(
        self, seconds_between_lines: float = 0, enabled: bool = True, *, first: str = "", unit: str = ""
    ) -> None:
        self._console = Console(stderr=True)
        self._console.file = cast("IO[str]", _Lossy(self._console.file))
        self._first, self._unit = first, unit
        self._logs = enabled and not self._console.is_terminal
        self._seconds_between_lines = seconds_between_lines
        self._last_line = time.monotonic()
        self._stage: Hashable = None
        self._task = TaskID(0)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
            TextColumn("{task.fields[text]}", markup=False), TimeRemainingColumn(), console=self._console,
            get_time=time.monotonic, disable=not (enabled and self._console.is_terminal), redirect_stdout=False,
            transient=True,
        )  # fmt: skip

    def show(self, label: str, text: str, done: float, total: float | None, *, stage: Hashable = None) -> None:
        """Move the bar.

        Args:
            label: the text in front of the bar.
            text: the text behind the bar.
            done: how much is done.
            total: how much there is to do, in the same unit; None if that is not known.
            stage: what the bar measures, by default the label. A new stage begins a new bar. What is done when it
                begins does not count for its speed.
        """
        stage = stage or label
        if stage != self._stage:
            if self._stage is not None:
                self._bar.remove_task(self._task)
            self._stage = stage
            self._task = self._bar.add_task(label, total=total, text=text)
        self._bar.start()
        self._bar.update(self._task, description=label, completed=done)
        self._bar.update(self._task, text=text + self.speed)

    def hide(self) -> None:
        """Remove the bar from the terminal until the next ``show``."""
        self._bar.stop()

    @property
    def speed(self) -> str:
        """How much is done per second, as text; empty without a unit, and until it is known."""
        speed = self._bar.tasks[0].speed if self._unit else None
        return "" if speed is None else f"  {speed:,.0f} {self._unit}/s"

    @property
    def time_left(self) -> str:
        """The time to the end of the stage, as text; empty until it is known."""
        seconds = self._bar.tasks[0].time_remaining
        return "" if seconds is None else f"  {timedelta(seconds=round(seconds))} left"

    def print(self, line: str) -> None:
        """Print a line, on a terminal above the bar."""
        self._last_line = time.monotonic()
        self._console.print(printable(line), soft_wrap=True, highlight=False, markup=False)

    def log(self, line: str) -> None:
        """Print a line where there is no terminal, unless the line before it is too recent."""
        if self._logs and time.monotonic() - self._last_line >= self._seconds_between_lines:
            self.print(line)

    def __enter__(self) -> Self:
        if self._first:
            self.show(self._first, "", 0, None)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
