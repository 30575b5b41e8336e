"""What happens while training, as JSON lines in the run's folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Self, TextIO

from memn2n.train.qa import Epoch

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from memn2n.train.restarts import Restart


class MetricsLog:
    """Writes each event as one line, ``{"event": "epoch"|"restart", ...}``; losses in nats a question, errors 0 to 1.

    While training the lines stand in ``metrics.partial.jsonl``; ``keep`` gives the file its name, so that
    ``metrics.jsonl`` always belongs to the model beside it.

    Args:
        folder: the run's folder, which must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._partial = folder / "metrics.partial.jsonl"
        self._final = folder / "metrics.jsonl"
        self._file: TextIO | None = None  # opened by the first event

    def __call__(self, event: Epoch | Restart) -> None:
        """Write one event."""
        if self._file is None:
            self._file = self._partial.open("w", encoding="utf-8")
        name = "epoch" if isinstance(event, Epoch) else "restart"
        self._file.write(json.dumps({"event": name} | asdict(event)) + "\n")
        self._file.flush()

    def keep(self) -> None:
        """Close the file and give it its name."""
        self._close()
        self._partial.replace(self._final)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()
