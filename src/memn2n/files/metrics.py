"""The course of a training, as JSON lines in its folder.

Each line of ``metrics.jsonl`` is a JSON object. Its key ``event`` says what it describes:

- ``{"event": "epoch", "epoch": 1, "rate": ..., "train": {...}, "valid": {...}, "seconds": ...}``: one epoch.
  ``train`` and ``valid`` hold the same measures by name: ``loss`` in nats (a question or a word) and ``error``
  (share of wrong answers, 0 to 1) or ``perplexity``. ``valid`` is null without validation data. ``epoch`` counts
  from 1, ``rate`` is the learning rate. Question answering adds ``restart`` (from 0) and ``phase``; its epochs
  count from 1 in each phase. Language models add ``best`` (whether this epoch's network is kept) and
  ``words_per_second``.
- ``{"event": "restart", "restart": 0, "train": {...}, "valid": {...}, "seconds": ..., "stopped": ""}``: the end of a
  restart, with the scores of its network. ``train`` is null if it diverged. ``stopped`` says why it ended early.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memn2n.errors import DataError, DataWarning
from memn2n.files.records import iter_records, json_line
from memn2n.files.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

METRICS = "metrics.jsonl"
_LIVE = "metrics.partial.jsonl"


class MetricsLog:
    """Collects the events of a training and writes them to its folder.

    ``add`` appends an event to ``metrics.partial.jsonl``, which can be watched while training. ``publish`` writes all
    events to ``metrics.jsonl`` and removes the partial file. If a file cannot be written, a warning says so once, and
    the training goes on.

    Args:
        folder: the folder of the training; it must exist when an event is added.
        earlier: the events of a training that is resumed.
    """

    def __init__(self, folder: Path, earlier: Iterable[dict[str, Any]] = ()) -> None:
        self._final, self._live = folder / METRICS, folder / _LIVE
        self.lines = [json_line(event) for event in earlier]
        """All events so far."""
        self._appending = False  # the first event replaces what an earlier training left in the partial file
        self._failed = False

    def add(self, event: dict[str, Any]) -> None:
        """Append an event to the partial file."""
        self.lines.append(json_line(event))
        if not self._failed:
            with self._failure_as_warning(), self._live.open("ab" if self._appending else "wb") as file:
                file.write(self.lines[-1])
                self._appending = True

    def publish(self) -> None:
        """Write all events to ``metrics.jsonl``, whole or not at all."""
        if not self._failed:
            with self._failure_as_warning():
                write_whole(self._final, b"".join(self.lines))
                self._live.unlink(missing_ok=True)
                self._appending = False

    @contextmanager
    def _failure_as_warning(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._failed = True
            warnings.warn(f"{self._final} cannot be written: {error.strerror}", DataWarning, stacklevel=4)


def read_metrics(folder: str | Path) -> list[dict[str, Any]]:
    """Read the events of a training, the first one first.

    Raises:
        DataError: if the folder has no metrics, or a line is not a JSON object.
    """
    path = Path(folder) / METRICS
    if not path.is_file():
        raise DataError(folder, None, f"there is no {METRICS} here; name the folder of a training")
    return [event if "event" in event else _converted(event) for _, _, event in iter_records(path)]


def _converted(event: dict[str, Any]) -> dict[str, Any]:
    """Convert an epoch of the older format of language models, which has no ``event`` and plain numbers as losses."""
    scores = {
        name: None if event.get(name) is None else {"loss": event[name], "perplexity": event.get(f"{name}_perplexity")}
        for name in ("train", "valid")
    }
    return {"event": "epoch"} | event | scores
