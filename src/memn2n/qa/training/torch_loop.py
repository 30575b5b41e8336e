"""The training loop of PyTorch, on any device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from memn2n.qa.batch import batches, make_batch
from memn2n.qa.training.noise import RandomNoise
from memn2n.qa.training.schedule import Score

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from memn2n.qa.batch import Batch, Longs
    from memn2n.qa.config import Clip, TrainingConfig
    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet


class TorchLoop:
    """Implements ``memn2n.qa.training.schedule.Loop`` on the network's device; ``rng`` also draws the noise."""

    def __init__(
        self, network: QANetwork, stories: StorySet, examples: Longs, config: TrainingConfig, rng: np.random.Generator
    ) -> None:
        self.network = network
        self.stories = stories
        self.examples = examples
        self.config = config
        self.rng = rng
        self.adam = torch.optim.Adam(network.parameters()) if config.optimizer == "adam" else None
        self._kept: dict[str, torch.Tensor] = {}

    def epoch(self, rate: float, linear: bool) -> Score:
        """Train for an epoch, up to the first loss that is not finite."""
        memory_size = self.network.config.memory_size
        noise = RandomNoise(self.config, memory_size, self.rng)
        loss, wrong, seen = 0.0, 0, 0
        for chosen in batches_of_epoch(self.examples, self.config, self.rng):
            cost, mistakes = self.step(make_batch(self.stories, chosen, memory_size, noise), rate, linear)
            loss += cost
            if not math.isfinite(loss):
                break
            wrong += mistakes
            seen += len(chosen)
        return Score.of(loss, wrong, seen)

    def step(self, batch: Batch, rate: float, linear: bool) -> tuple[float, int]:
        """Train on one batch. The network does not change if the loss is not finite.

        Returns:
            The sum of the losses and the number of wrong answers, both before the step.
        """
        network, config = self.network, self.config
        batch = batch.to(network.tables[0].device)
        logits, _ = network(batch, linear)
        cost = functional.cross_entropy(logits, batch.answer, reduction="sum")
        loss = cost.item()
        if math.isfinite(loss):
            network.zero_grad()
            torch.autograd.backward(cost)
            if self.adam is None:
                sgd_step(network, rate, config.clip_norm, config.clip)
            else:
                adam_step(network, self.adam, rate, config.clip_norm, config.clip)
        return loss, int((network.best(logits) != batch.answer).sum())

    def score(self, stories: StorySet, examples: Longs, *, linear: bool = False) -> Score:
        """Loss and error on some examples, without noise."""
        return score(self.network, stories, examples, linear=linear)

    def keep(self) -> None:
        """Save a copy of the parameters."""
        self._kept = {name: value.clone() for name, value in self.network.state_dict().items()}

    def restore(self) -> None:
        """Set the parameters to the saved copy."""
        self.network.load_state_dict(self._kept)


@torch.no_grad()
def score(network: QANetwork, stories: StorySet, examples: Longs, *, linear: bool = False) -> Score:
    """Loss and error of a network on some examples, without noise. The vocabulary must have their answers."""
    loss, wrong = 0.0, 0
    for _, batch in batches(stories, examples, network.config.memory_size):
        batch = batch.to(network.tables[0].device)
        logits, _ = network(batch, linear)
        loss += functional.cross_entropy(logits, batch.answer, reduction="sum").item()
        wrong += int((network.best(logits) != batch.answer).sum())
    return Score.of(loss, wrong, len(examples))


def batches_of_epoch(examples: Longs, config: TrainingConfig, rng: np.random.Generator) -> Iterator[Longs]:
    """Yield the examples of each batch of an epoch, drawn by ``config.sampling``."""
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
    """One step of gradient descent. Each matrix's gradient is clipped by itself; the null word stays zero."""
    for parameter in network.parameters():
        gradient = parameter.grad
        if gradient is not None:
            parameter.add_(gradient, alpha=-rate * _clipping(gradient, clip_norm, clip))
    network.zero_null()


@torch.no_grad()
def adam_step(network: QANetwork, adam: torch.optim.Adam, rate: float, clip_norm: float, clip: Clip) -> None:
    """One step of Adam. Each matrix's gradient is clipped by itself; the null word stays zero."""
    for parameter in network.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(_clipping(parameter.grad, clip_norm, clip))
    for group in adam.param_groups:
        group["lr"] = rate
    adam.step()
    network.zero_null()


def _clipping(gradient: torch.Tensor, clip_norm: float, clip: Clip) -> float:
    """The factor by which a gradient must be multiplied so that its norm is at most ``clip_norm``."""
    norm = gradient.norm().item()
    if clip == "spectral" and norm > clip_norm:  # the spectral norm is never larger
        norm = torch.linalg.matrix_norm(gradient, 2).item()
    return min(1.0, clip_norm / norm) if norm > 0 else 0.0
