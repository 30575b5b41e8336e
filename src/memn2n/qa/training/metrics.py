"""The metrics of a question answering training."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from memn2n.files.metrics import MetricsLog
from memn2n.qa.training.schedule import Epoch

if TYPE_CHECKING:
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
