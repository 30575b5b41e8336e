"""Training of one question answering network: stochastic gradient descent as in section 4.2 of the paper."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch.nn import functional

from memn2n.nn.batch import batches, make_batch
from memn2n.train.noise import RandomNoise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from memn2n.config import Clip, TrainingConfig
    from memn2n.nn.batch import Longs
    from memn2n.nn.qa import QANetwork
    from memn2n.stories import StorySet

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


def train(
    network: QANetwork,
    stories: StorySet,
    examples: Longs,
    valid: tuple[StorySet, Longs] | None,
    config: TrainingConfig,
    rng: np.random.Generator,
    on_epoch: Callable[[Epoch], None],
    restart: int = 0,
) -> bool:
    """Train a network in place.

    Args:
        network: with its random start.
        stories: holds the training examples.
        examples: which ones to train on, positions in ``stories``.
        valid: stories and positions to validate on.
        config: settings.
        rng: order of the questions, and noise.
        on_epoch: called after each epoch.
        restart: number to report.

    Returns:
        False if Ctrl-C ended the training early; the network is then as its last whole epoch left it.

    Raises:
        DivergedError: when a loss is not finite.
        KeyboardInterrupt: on Ctrl-C before the first epoch is done.
    """
    whole_epoch: dict[str, torch.Tensor] | None = None
    linear_losses: list[float] = []
    try:
        for phase, epoch, rate in schedule(config):
            if phase == "linear" and config.linear_start == "validation" and _stopped_falling(linear_losses, config):
                continue
            begin = time.perf_counter()
            score = _train_epoch(network, stories, examples, config, rng, rate, phase == "linear")
            validated = None if valid is None else measure(network, *valid, linear=phase == "linear")
            for loss in (score.loss, 0.0 if validated is None else validated.loss):
                if not math.isfinite(loss):
                    raise DivergedError(f"the loss became {loss} in {phase} epoch {epoch}")
            seconds = time.perf_counter() - begin
            whole_epoch = {name: value.clone() for name, value in network.state_dict().items()}
            on_epoch(Epoch(restart, phase, epoch, rate, score, validated, seconds))
            if phase == "linear" and validated is not None:
                linear_losses.append(validated.loss)
    except KeyboardInterrupt:
        if whole_epoch is None:
            raise
        network.load_state_dict(whole_epoch)
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


@torch.no_grad()
def measure(network: QANetwork, stories: StorySet, examples: Longs, *, linear: bool = False) -> Score:
    """Loss and error on some examples, without noise; their answers must be known to the network."""
    loss, wrong = 0.0, 0
    for _, batch in batches(stories, examples, network.config.memory_size):
        logits, _ = network(batch, linear)
        loss += functional.cross_entropy(logits, batch.answer, reduction="sum").item()
        wrong += int((network.best(logits) != batch.answer).sum())
    return Score(loss / max(len(examples), 1), wrong / max(len(examples), 1))


def _train_epoch(
    network: QANetwork,
    stories: StorySet,
    examples: Longs,
    config: TrainingConfig,
    rng: np.random.Generator,
    rate: float,
    linear: bool,
) -> Score:
    memory_size = network.config.memory_size
    noise = RandomNoise(config, memory_size, rng)
    loss, wrong, seen = 0.0, 0, 0
    for chosen in _batches_of_epoch(examples, config, rng):
        batch = make_batch(stories, chosen, memory_size, noise)
        logits, _ = network(batch, linear)
        cost = functional.cross_entropy(logits, batch.answer, reduction="sum")
        loss += cost.item()
        if not math.isfinite(loss):
            break
        wrong += int((network.best(logits) != batch.answer).sum())
        seen += len(chosen)
        network.zero_grad()
        torch.autograd.backward(cost)
        sgd_step(network, rate, config.clip_norm, config.clip)
    return Score(loss / max(seen, 1), wrong / max(seen, 1))


def _batches_of_epoch(examples: Longs, config: TrainingConfig, rng: np.random.Generator) -> Iterator[Longs]:
    size = config.batch_size
    if config.sampling == "replacement":
        for _ in range(max(len(examples) // size, 1)):
            yield rng.choice(examples, min(size, len(examples)))
    else:
        order = rng.permutation(examples)
        for start in range(0, len(order), size):
            yield order[start : start + size]


@torch.no_grad()
def sgd_step(network: QANetwork, rate: float, clip_norm: float, clip: Clip) -> None:
    """One step down the gradient, each matrix's gradient clipped by itself; the null word stays at zero."""
    for parameter in network.parameters():
        gradient = parameter.grad
        if gradient is None:
            continue
        norm = gradient.norm().item()
        if clip == "spectral" and norm > clip_norm:  # never above the Frobenius norm
            norm = torch.linalg.matrix_norm(gradient, 2).item()
        parameter.add_(gradient, alpha=-rate * min(1.0, clip_norm / norm) if norm > 0 else 0.0)
    network.zero_null()
