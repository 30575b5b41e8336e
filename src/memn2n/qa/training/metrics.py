"""What happens while training, as JSON lines in the run's folder."""

from __future__ import annotations

import json
import warnings
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Self, TextIO

from memn2n.errors import DataWarning
from memn2n.qa.training.schedule import Epoch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from memn2n.qa.training.problem import Restart


class MetricsLog:
    """Writes each event as one line, ``{"event": "epoch"|"restart", ...}``; losses in nats a question, errors 0 to 1.

    While training the lines stand in ``metrics.partial.jsonl``; ``keep``, called once the model is saved, gives the
    file its name. So ``metrics.jsonl`` is never of a training that did not end in a model.

    Args:
        folder: the run's folder, which must exist.
    """

    def __init__(self, folder: Path) -> None:
        self._partial = folder / "metrics.partial.jsonl"
        self._final = folder / "metrics.jsonl"
        self._file: TextIO | None = None  # opened by the first event
        self._failed = False

    def __call__(self, event: Epoch | Restart) -> None:
        """Write one event."""
        name = "epoch" if isinstance(event, Epoch) else "restart"
        if self._failed:
            return
        with self._failing_softly():
            if self._file is None:
                self._file = self._partial.open("w", encoding="utf-8")
            record = {"event": name} | asdict(event)
            record.pop("kept", None)  # a restart's, which is not known before all have ended
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()

    def keep(self) -> None:
        """Close the file and give it its name."""
        self._close()
        if self._failed:
            return
        with self._failing_softly():
            self._partial.replace(self._final)

    @contextmanager
    def _failing_softly(self) -> Iterator[None]:
        """A full disk or a folder in the way costs the metrics, with a warning, but not the training."""
        try:
            yield
        except OSError as error:
            self._failed = True
            warnings.warn(f"{self._final} cannot be written: {error.strerror}", DataWarning, stacklevel=4)

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()
