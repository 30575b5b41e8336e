"""The metrics of a language model's training: JSON lines in its folder, and TensorBoard."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from memn2n.files.metrics import MetricsLog
from memn2n.files.records import json_line
from memn2n.files.tensorboard import TensorBoard
from memn2n.lm.answers import perplexity
from memn2n.lm.training.progress import LMEpoch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from memn2n.lm.training.progress import LMStep


def epoch_record(epoch: LMEpoch) -> dict[str, Any]:
    """An epoch as a line of ``memn2n.files.metrics``: each loss, in nats a word, comes with its perplexity."""
    scores = {
        name: None if loss is None else {"loss": loss, "perplexity": perplexity(loss)}
        for name, loss in (("train", epoch.train), ("valid", epoch.valid))
    }
    return {"event": "epoch"} | asdict(epoch) | scores


class LMMetricsLog(MetricsLog):
    """Writes ``metrics.jsonl`` anew after each epoch, with each epoch once, even if the training was resumed.

    Args:
        folder: the folder of the training; it must exist when an epoch ends.
        history: the epochs that are already done.
    """

    def __init__(self, folder: Path, history: Iterable[LMEpoch] = ()) -> None:
        super().__init__(folder, map(epoch_record, history))

    def __call__(self, event: LMStep | LMEpoch) -> None:
        """Write an epoch; steps are ignored."""
        if isinstance(event, LMEpoch):
            self.lines.append(json_line(epoch_record(event)))
            self.publish()


class LMTensorBoardLog(TensorBoard):
    """Writes each epoch for TensorBoard: losses, perplexities, learning rate and words per second."""

    def __call__(self, event: LMStep | LMEpoch) -> None:
        """Write an epoch; steps are ignored."""
        if not isinstance(event, LMEpoch):
            return
        losses = {part: loss for part, loss in (("train", event.train), ("valid", event.valid)) if loss is not None}
        values = {f"loss/{part}": loss for part, loss in losses.items()}
        values |= {f"perplexity/{part}": perplexity(loss) for part, loss in losses.items()}
        self.add(event.epoch, values | {"rate": event.rate, "words per second": event.words_per_second})
