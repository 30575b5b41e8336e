"""How far a training has come: what is reported of it, and what a checkpoint keeps."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class LMStep:
    """How far an epoch has come, told after each batch; ``loss`` is its mean so far, in nats a word."""

    epoch: int
    words: int
    epoch_words: int
    loss: float
    rate: float


@dataclass(frozen=True)
class LMEpoch:
    """One epoch; losses are means in nats a word, ``valid`` is None without validation text."""

    epoch: int  # from 1
    rate: float
    train: float
    valid: float | None
    best: bool  # whether its network is kept
    words_per_second: float
    seconds: float


@dataclass
class Progress:
    """What a training has come to, beside its parameters and its optimizer; all that it needs to go on.

    Args:
        epoch: the epoch under way, from 1.
        batch: how many of its batches are done.
        loss: sum of their losses, in nats.
        words: how many words they had.
        seconds: how long they took.
        rate: the learning rate of anneal validation.
        history: the epochs that are done.
    """

    rate: float
    epoch: int = 1
    batch: int = 0
    loss: float = 0.0
    words: int = 0
    seconds: float = 0.0
    history: list[LMEpoch] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Progress:
        """What ``to_dict`` gave; raises TypeError for anything else."""
        return cls(**(values | {"history": [LMEpoch(**epoch) for epoch in values["history"]]}))

    @property
    def best(self) -> float:
        """The lowest loss that an epoch was judged by."""
        return min((judged(epoch) for epoch in self.history), default=math.inf)

    @property
    def begun(self) -> bool:
        """Whether a step was made."""
        return self.epoch > 1 or self.batch > 0


def judged(epoch: LMEpoch) -> float:
    """The loss by which an epoch is judged: the validation loss, without validation text the training loss."""
    return epoch.train if epoch.valid is None else epoch.valid
