"""The events that a training reports, and the progress that a checkpoint saves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class LMStep:
    """Progress within an epoch, reported after each batch; ``loss`` is its mean so far, in nats a word."""

    epoch: int
    words: int
    epoch_words: int
    loss: float
    rate: float


@dataclass(frozen=True)
class LMEpoch:
    """A finished epoch; losses are means in nats a word, and ``valid`` is None without validation text."""

    epoch: int  # from 1
    rate: float
    train: float
    valid: float | None
    best: bool  # whether no earlier epoch had a lower or equal loss
    words_per_second: float
    seconds: float

    @property
    def judged(self) -> float:
        """The loss that epochs are compared by: the validation loss, or without validation text the training loss."""
        return self.train if self.valid is None else self.valid


@dataclass
class TrainingProgress:
    """The state of a training, except for its parameters, its optimizer and its random generator."""

    rate: float  # of anneal validation
    epoch: int = 1  # the current one, from 1
    batch: int = 0  # number of its batches that are done
    loss: float = 0.0  # sum of their losses, in nats
    words: int = 0  # in these batches
    seconds: float = 0.0  # that they took
    history: list[LMEpoch] = field(default_factory=list)  # the finished epochs

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrainingProgress:
        """Make a progress of its ``dataclasses.asdict``; raises TypeError for any other dictionary."""
        return cls(**(values | {"history": [LMEpoch(**epoch) for epoch in values["history"]]}))

    @property
    def best(self) -> float:
        """The lowest loss of the finished epochs."""
        return min((epoch.judged for epoch in self.history), default=math.inf)

    @property
    def begun(self) -> bool:
        """Whether a batch is done."""
        return self.epoch > 1 or self.batch > 0
