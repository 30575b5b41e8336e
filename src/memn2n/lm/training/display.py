"""The progress of a language model's training: a line an epoch, and a bar within it, or a line every ten seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.lm.answers import perplexity
from memn2n.lm.training.progress import LMEpoch
from memn2n.progress_bar import ProgressBar

if TYPE_CHECKING:
    from memn2n.lm.training.progress import LMStep

_SECONDS_BETWEEN_LINES = 10.0


class LMProgress(ProgressBar):
    """Shows each event of a training that it is called with.

    Args:
        epochs: how many there are at most.
        show: whether to show anything within an epoch.
    """

    def __init__(self, epochs: int, show: bool = True) -> None:
        super().__init__(_SECONDS_BETWEEN_LINES, show, first="reading", unit="words")
        self._epochs = epochs

    def __call__(self, event: LMStep | LMEpoch) -> None:
        """Show one event."""
        label = f"epoch {event.epoch}/{self._epochs}"
        if isinstance(event, LMEpoch):
            self.print(f"{label}  {_epoch(event)}")
            return
        text = f"{event.words / event.epoch_words:.0%}  loss {event.loss:.3f}  perplexity {perplexity(event.loss):.5g}"
        self.show(label, text, event.words, event.epoch_words)
        self.log(f"{label}  {text}{self.speed}{self.time_left}")


def _epoch(event: LMEpoch) -> str:
    line = f"loss {event.train:.4f}  perplexity {perplexity(event.train):.5g}"
    if event.valid is not None:
        line += f"  validation {event.valid:.4f}, perplexity {perplexity(event.valid):.5g}"
    best = "" if event.best else "  (no better)"
    return f"{line}{best}  rate {event.rate:.3g}  {event.words_per_second:,.0f} words/s  {event.seconds:.1f} s"
