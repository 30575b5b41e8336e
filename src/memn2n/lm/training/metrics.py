"""What happens while a language model trains: JSON lines in the run's folder, and TensorBoard."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from memn2n.errors import ConfigError, DataWarning
from memn2n.lm.answers import perplexity
from memn2n.lm.training.progress import LMEpoch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from memn2n.lm.training.progress import LMStep


def epoch_record(epoch: LMEpoch) -> dict[str, Any]:
    """JSON values of an epoch: losses in nats a word with their perplexities, None without validation text."""
    valid = None if epoch.valid is None else perplexity(epoch.valid)
    return asdict(epoch) | {"train_perplexity": perplexity(epoch.train), "valid_perplexity": valid}


class LMMetricsLog:
    """Writes ``metrics.jsonl``, a line an epoch.

    The file is replaced as a whole after each epoch, so that it has each epoch once, however often the training was
    interrupted and resumed. One that cannot be written costs the metrics, with a warning, but not the training.

    Args:
        folder: the run's folder; it must exist when an epoch ends.
        history: the epochs that are done already, when a training is resumed.
    """

    def __init__(self, folder: Path, history: Iterable[LMEpoch] = ()) -> None:
        self.history = list(history)
        self._path = folder / "metrics.jsonl"
        self._failed = False

    def __call__(self, event: LMStep | LMEpoch) -> None:
        """Write an epoch; a step is of no effect."""
        if isinstance(event, LMEpoch):
            self.history.append(event)
            self.write()

    def write(self) -> None:
        """Write the epochs so far."""
        if self._failed:
            return
        partial = self._path.with_name("metrics.partial.jsonl")
        try:
            partial.write_text(
                "".join(json.dumps(epoch_record(epoch)) + "\n" for epoch in self.history), encoding="utf-8"
            )
            partial.replace(self._path)
        except OSError as error:
            self._failed = True
            warnings.warn(f"{self._path} cannot be written: {error.strerror}", DataWarning, stacklevel=2)


class TensorBoardLog:
    """Writes each epoch for TensorBoard: losses, perplexities, rate and words per second; a context manager.

    Args:
        folder: where its event files go.
        done: epochs that are done already; what the folder has of later ones is discarded.

    Raises:
        ConfigError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path, done: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError(
                "--tensorboard needs TensorBoard, which is not installed here: pip install 'memn2n[tensorboard]'"
            ) from None
        self._writer: Any = SummaryWriter(str(folder), purge_step=done + 1)

    def __call__(self, event: LMStep | LMEpoch) -> None:
        """Write an epoch; a step is of no effect."""
        if not isinstance(event, LMEpoch):
            return
        values = {
            "loss/train": event.train,
            "loss/valid": event.valid,
            "perplexity/train": perplexity(event.train),
            "perplexity/valid": None if event.valid is None else perplexity(event.valid),
            "rate": event.rate,
            "words per second": event.words_per_second,
        }
        for name, value in values.items():
            if value is not None:
                self._writer.add_scalar(name, value, event.epoch)
        self._writer.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()
