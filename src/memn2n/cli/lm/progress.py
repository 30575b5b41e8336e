"""How the training of a language model shows itself: a bar on a terminal; elsewhere lines. All on standard error."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from memn2n.lm.answers import perplexity
from memn2n.lm.training.progress import LMEpoch

if TYPE_CHECKING:
    from types import TracebackType

    from memn2n.lm.training.progress import LMStep

_SECONDS_BETWEEN_LINES = 10.0


class LMProgress:
    """Shows the events of a training; a context manager, to be called with each event.

    A line an epoch; within an epoch a bar, or without a terminal a line every ten seconds.

    Args:
        epochs: how many there are at most.
        show: whether to show anything within an epoch.
    """

    def __init__(self, epochs: int, show: bool = True) -> None:
        self._epochs = epochs
        self._console = console = Console(stderr=True)
        self._lines = show and not console.is_terminal
        # standard output is left alone: what is printed there need not go to this terminal
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), TaskProgressColumn(),
            TextColumn("{task.fields[text]}"), console=console, disable=not (show and console.is_terminal),
            redirect_stdout=False, transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("reading", total=None, text="")
        self._began: tuple[float, int] | None = None  # when this epoch, or what is left of it, began, and at which word
        self._told = time.monotonic()

    def __call__(self, event: LMStep | LMEpoch) -> None:
        """Show one event."""
        now = time.monotonic()
        if isinstance(event, LMEpoch):
            self._began, self._told = None, now
            self._print(self._epoch(event))
            return
        label = f"epoch {event.epoch}/{self._epochs}"
        text = self._step(event, now)
        self._bar.update(self._task, description=label, completed=event.words, total=event.epoch_words, text=text)
        if self._lines and now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            self._print(f"{label}  {event.words / event.epoch_words:.0%}  {text}")

    def _step(self, event: LMStep, now: float) -> str:
        text = f"loss {event.loss:.3f}  perplexity {perplexity(event.loss):.5g}"
        if self._began is None:
            self._began = now, event.words
        since, words = self._began
        if event.words == words or now <= since:
            return text
        speed = (event.words - words) / (now - since)
        left = timedelta(seconds=round((event.epoch_words - event.words) / speed))
        return f"{text}  {speed:,.0f} words/s  {left} left"

    def _epoch(self, event: LMEpoch) -> str:
        line = f"epoch {event.epoch}/{self._epochs}  loss {event.train:.4f}  perplexity {perplexity(event.train):.5g}"
        if event.valid is not None:
            line += f"  validation {event.valid:.4f}, perplexity {perplexity(event.valid):.5g}"
        best = "" if event.best else "  (no better)"
        return f"{line}{best}  rate {event.rate:.3g}  {event.words_per_second:,.0f} words/s  {event.seconds:.1f} s"

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()
