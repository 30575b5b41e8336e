"""The training of one network: the schedule of section 4.2 of the paper, for any loop."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from memn2n.qa.networks import SOFTMAX, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.stories import StorySet

Phase = Literal["pilot", "linear", "softmax"]


@dataclass(frozen=True)
class Score:
    """Loss and error of a network on some questions.

    Args:
        loss: mean cross-entropy, in nats a question; that of an epoch includes the attention supervision.
        error: share of wrong answers, 0 to 1.
    """

    loss: float
    error: float

    @classmethod
    def of(cls, loss: float, wrong: int, questions: int) -> Score:
        """From the sum of the losses and the number of wrong answers; both means are 0 without questions."""
        return cls(loss / max(questions, 1), wrong / max(questions, 1))


@dataclass(frozen=True)
class Epoch:
    """The result of one epoch of one restart."""

    restart: int  # number of the restart, from 0
    phase: Phase
    epoch: int  # from 1 in each phase
    rate: float
    train: Score  # mean over the epoch's batches, with noise, each before its update
    valid: Score | None  # after the epoch; None without validation data
    seconds: float


class DivergedError(Exception):
    """The loss became infinite or NaN; the message has the epoch."""


class Loop(Protocol):
    """What a backend must offer to train one network on its training data.

    A loop is made of the initial parameters; the training data, as stories and positions in them; the settings; a
    generator, which draws the order of the questions; and the PyTorch device.
    """

    def epoch(self, rate: float, stage: Stage, order: Longs | None = None) -> Score:
        """Train for an epoch, up to the first loss that is not finite. The loss is the one of this stage.

        ``order`` has the positions of the examples of all batches; if it is None, they are drawn by
        ``TrainingConfig.sampling``.
        """

    def begin_anew(self) -> None:
        """Draw the parameters again, and forget what the optimizer knows."""

    def score(self, stories: StorySet, examples: Longs, stage: Stage = SOFTMAX) -> Score:
        """Loss and error on some examples, without noise. All their answers must be known."""

    def keep(self) -> None:
        """Save the parameters, for ``restore``."""

    def restore(self) -> None:
        """Set the parameters to the saved ones, after Ctrl-C in the middle of an epoch."""

    def finish(self) -> None:
        """Write the trained parameters to the arrays, if they are elsewhere."""


class Questions(Protocol):
    """Draws the questions of each epoch, instead of the loop; see ``memn2n.qa.training.sampling``."""

    needs_pilot: bool
    """Whether a pilot training comes first, after which the network starts anew."""

    def draw(self, loop: Loop, phase: Phase, epoch: int) -> Longs:
        """Draw the positions of the examples of all batches of an epoch."""

    def choose_hard_tasks(self, loop: Loop) -> None:
        """Choose the tasks of the first epochs after the pilot training."""


def train(
    loop: Loop, valid: tuple[StorySet, Longs] | None, config: TrainingConfig, on_epoch: Callable[[Epoch], None],
    restart: int = 0, sampling: Questions | None = None,
) -> bool:  # fmt: skip
    """Train a network in place, epoch by epoch.

    Args:
        loop: has the network with its initial parameters, and the training data.
        valid: the validation data: stories, and positions in them.
        config: the training's settings.
        on_epoch: called after each epoch. It may raise KeyboardInterrupt to end the training.
        restart: the restart's number, for ``on_epoch``.
        sampling: draws the questions of each epoch; by default, the loop does.

    Returns:
        False if Ctrl-C ended the training early. The network is then in the state after its last complete epoch.

    Raises:
        DivergedError: if a loss is not finite.
        KeyboardInterrupt: on Ctrl-C before the first epoch has ended.
    """
    begun = False
    linear_losses: list[float] = []
    try:
        before: Phase | None = None
        for phase, epoch, rate in schedule(config):
            if phase == "pilot" and not (sampling and sampling.needs_pilot):
                continue
            if before == "pilot" and phase != "pilot" and sampling is not None:
                sampling.choose_hard_tasks(loop)
                loop.begin_anew()
            before = phase
            if phase == "linear" and config.linear_start == "validation" and _stopped_falling(linear_losses, config):
                continue
            begin = time.perf_counter()
            linear = phase == "linear"
            stage = Stage(linear, config.supervision(epoch) if phase == "softmax" else 0.0)
            order = None if sampling is None else sampling.draw(loop, phase, epoch)
            trained = loop.epoch(rate, stage, order)
            validated = None if valid is None else loop.score(*valid, Stage(linear))
            losses = (trained.loss, 0.0 if validated is None else validated.loss)
            for loss in losses:
                if not math.isfinite(loss):
                    raise DivergedError(f"the loss became {loss} in {phase} epoch {epoch}")
            seconds = time.perf_counter() - begin
            loop.keep()
            begun = True
            on_epoch(Epoch(restart=restart, phase=phase, epoch=epoch, rate=rate, train=trained, valid=validated,
                           seconds=seconds))  # fmt: skip
            if phase == "linear" and validated is not None:
                linear_losses.append(validated.loss)
            unproven = validated is None and epoch <= config.hard_epochs  # other tasks were not tested
            if phase == "softmax" and not unproven and max(losses) < config.stop_loss:
                break
    except KeyboardInterrupt:
        if not begun:
            raise
        loop.restore()
        return False
    return True


def _stopped_falling(losses: list[float], config: TrainingConfig) -> bool:
    """Whether the last ``linear_start_patience`` epochs of the linear start brought no new lowest validation loss."""
    patience = config.linear_start_patience
    return len(losses) > patience and min(losses[-patience:]) >= min(losses[:-patience])


def schedule(config: TrainingConfig) -> Iterator[tuple[Phase, int, float]]:
    """Yield (phase, epoch from 1, learning rate) for all epochs: pilot, linear start, then those with the softmax.

    With ``linear_start="validation"`` the linear start may end before its last epoch.
    """
    for epoch in range(1, config.pilot_epochs + 1):
        yield "pilot", epoch, config.first_rate
    if config.linear_start != "none":
        for epoch in range(1, config.linear_start_epochs + 1):
            yield "linear", epoch, config.first_rate
    for epoch in range(1, config.epochs + 1):
        yield "softmax", epoch, config.rate(epoch)
