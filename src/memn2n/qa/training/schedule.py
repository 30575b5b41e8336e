"""Training of one question answering network: the schedule of section 4.2 of the paper, whoever computes it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.stories import StorySet

Phase = Literal["linear", "softmax"]


@dataclass(frozen=True)
class Score:
    """How well a network answers some questions.

    Args:
        loss: mean cross-entropy, in nats a question.
        error: share of wrong answers, 0 to 1.
    """

    loss: float
    error: float

    @classmethod
    def of(cls, loss: float, wrong: int, questions: int) -> Score:
        """From sums over some questions; 0 for none."""
        return cls(loss / max(questions, 1), wrong / max(questions, 1))


@dataclass(frozen=True)
class Epoch:
    """One epoch of one restart, as it is reported while training.

    ``train`` is the mean over the epoch's batches, noise and updates included; ``valid`` is measured after it, and is
    None without validation data.
    """

    restart: int
    phase: Phase
    epoch: int  # from 1 in each phase
    rate: float
    train: Score
    valid: Score | None
    seconds: float


class DivergedError(Exception):
    """The loss became infinite or not a number; the message says in which epoch."""


class Loop(Protocol):
    """One network and the data that it is trained on, in the hands of one backend."""

    def epoch(self, rate: float, linear: bool) -> Score:
        """Train for an epoch, up to the first loss that is not finite."""

    def measure(self, stories: StorySet, examples: Longs, *, linear: bool = False) -> Score:
        """Loss and error on some examples, without noise; their answers must be known to the network."""

    def keep(self) -> None:
        """Take the parameters as they are now for what ``restore`` goes back to."""

    def restore(self) -> None:
        """Undo an epoch that Ctrl-C cut short."""


def train(
    loop: Loop,
    valid: tuple[StorySet, Longs] | None,
    config: TrainingConfig,
    on_epoch: Callable[[Epoch], None],
    restart: int = 0,
) -> bool:
    """Train a network in place.

    Args:
        loop: the network, with its random start, and the training data.
        valid: stories and positions to validate on.
        config: settings.
        on_epoch: called after each epoch; raises KeyboardInterrupt to end the training.
        restart: number to report.

    Returns:
        False if Ctrl-C ended the training early; the network is then as its last whole epoch left it.

    Raises:
        DivergedError: when a loss is not finite.
        KeyboardInterrupt: on Ctrl-C before the first epoch is done.
    """
    begun = False
    linear_losses: list[float] = []
    try:
        for phase, epoch, rate in schedule(config):
            if phase == "linear" and config.linear_start == "validation" and _stopped_falling(linear_losses, config):
                continue
            begin = time.perf_counter()
            score = loop.epoch(rate, phase == "linear")
            validated = None if valid is None else loop.measure(*valid, linear=phase == "linear")
            for loss in (score.loss, 0.0 if validated is None else validated.loss):
                if not math.isfinite(loss):
                    raise DivergedError(f"the loss became {loss} in {phase} epoch {epoch}")
            seconds = time.perf_counter() - begin
            loop.keep()
            begun = True
            on_epoch(Epoch(restart, phase, epoch, rate, score, validated, seconds))
            if phase == "linear" and validated is not None:
                linear_losses.append(validated.loss)
    except KeyboardInterrupt:
        if not begun:
            raise
        loop.restore()
        return False
    return True


def _stopped_falling(losses: list[float], config: TrainingConfig) -> bool:
    patience = config.linear_start_patience
    return len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])


def schedule(config: TrainingConfig) -> Iterator[tuple[Phase, int, float]]:
    """Yield (phase, epoch from 1, learning rate): the linear start at its longest, then the epochs with the softmax."""
    if config.linear_start != "none":
        for epoch in range(1, config.linear_start_epochs + 1):
            yield "linear", epoch, config.first_rate
    for epoch in range(1, config.epochs + 1):
        yield "softmax", epoch, config.rate(epoch)
