"""The metrics of a language model's training: JSON lines in its folder, and TensorBoard."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from memn2n.errors import ConfigError
from memn2n.files.metrics import MetricsLog
from memn2n.files.records import json_line
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


class TensorBoardLog:
    """Writes each epoch for TensorBoard: losses, perplexities, learning rate and words per second.

    It is a context manager, which closes the event file at its end.

    Args:
        folder: where the event files go.
        done: number of epochs that are already done. TensorBoard discards later epochs that the folder has.

    Raises:
        ConfigError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path, done: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError("--tensorboard needs TensorBoard, which is not installed here: "
                              "pip install 'memn2n[tensorboard]'") from None  # fmt: skip
        self._writer: Any = SummaryWriter(str(folder), purge_step=done + 1)

    def __call__(self, event: LMStep | LMEpoch) -> None:
        """Write an epoch; steps are ignored."""
        if not isinstance(event, LMEpoch):
            return
        losses = {part: loss for part, loss in (("train", event.train), ("valid", event.valid)) if loss is not None}
        values = {f"loss/{part}": loss for part, loss in losses.items()}
        values |= {f"perplexity/{part}": perplexity(loss) for part, loss in losses.items()}
        values |= {"rate": event.rate, "words per second": event.words_per_second}
        for name, value in values.items():
            self._writer.add_scalar(name, value, event.epoch)
        self._writer.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
