"""The metrics of a training on stories: JSON lines in its folder, and TensorBoard."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Self

from memn2n.files.metrics import MetricsLog
from memn2n.files.tensorboard import TensorBoard
from memn2n.qa.training.schedule import Epoch

if TYPE_CHECKING:
    from pathlib import Path

    from memn2n.qa.training.problem import Restart


class QAMetricsLog(MetricsLog):
    """Writes each epoch and each restart to ``metrics.partial.jsonl``; call ``publish`` when the model is saved.

    So ``metrics.jsonl`` always belongs to a training that ended in a model.
    """

    def __call__(self, event: Epoch | Restart) -> None:
        """Add an event."""
        values = asdict(event)
        values.pop("kept", None)  # which restarts are kept is known only after all have ended
        self.add({"event": "epoch" if isinstance(event, Epoch) else "restart"} | values)


class QATensorBoardLog:
    """Writes each epoch for TensorBoard: losses, errors and learning rate. Each restart is a run of its own.

    It is a context manager, which closes the event files at its end.

    Args:
        folder: where the runs go, in folders ``restart-0``, ``restart-1`` and so on.

    Raises:
        ConfigError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = ExitStack()
        self._runs: dict[int, TensorBoard] = {}
        self._epochs: dict[int, int] = {}  # of each restart so far, of both phases together
        self._open(0)

    def __call__(self, event: Epoch | Restart) -> None:
        """Write an epoch; the ends of restarts are ignored."""
        if not isinstance(event, Epoch):
            return
        run = self._open(event.restart)
        values = {"rate": event.rate}
        for part, score in (("train", event.train), ("valid", event.valid)):
            if score is not None:
                values |= {f"loss/{part}": score.loss, f"error/{part}": score.error}
        self._epochs[event.restart] += 1
        run.add(self._epochs[event.restart], values)

    def _open(self, restart: int) -> TensorBoard:
        if restart not in self._runs:
            self._runs[restart] = self._files.enter_context(TensorBoard(self._folder / f"restart-{restart}"))
            self._epochs[restart] = 0
        return self._runs[restart]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._files.close()
