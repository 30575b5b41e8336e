"""The training loop of PyTorch, on any device."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from memn2n.machine import own_torch_state
from memn2n.qa.batch import batches, make_batch
from memn2n.qa.networks import SOFTMAX, torch_network
from memn2n.qa.training.noise import RandomNoise
from memn2n.qa.training.schedule import Score
from memn2n.qa.vocabulary import NULL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np

    from memn2n.qa.batch import Batch, Longs
    from memn2n.qa.config import Clip, TrainingConfig
    from memn2n.qa.networks import Stage
    from memn2n.qa.parameters import Parameters
    from memn2n.qa.stories import StorySet
    from memn2n.qa.symmetries.renaming import Renamings


class TorchLoop:
    """Implements ``memn2n.qa.training.schedule.Loop`` on any device; ``rng`` also draws the noise."""

    @own_torch_state(grad=True)
    def __init__(
        self, parameters: Parameters, stories: StorySet, examples: Longs, config: TrainingConfig,
        rng: np.random.Generator, device: torch.device | str = "cpu", renamings: Renamings | None = None,
    ) -> None:  # fmt: skip
        self.parameters = parameters
        self.network, self.tensors = torch_network(parameters, device)
        self.stories = stories
        self.examples = examples
        self.config = config
        self.rng = rng
        self.renamings = renamings
        self.device = torch.device(device)
        self.adam = self._new_adam()
        self._words = [self.tensors[name] for name in parameters.words()]
        self._kept: dict[str, torch.Tensor] = {}

    def _new_adam(self) -> torch.optim.Adam | None:
        return torch.optim.Adam(self.network.parameters()) if self.config.optimizer == "adam" else None

    @own_torch_state(grad=False)
    def begin_anew(self) -> None:
        """Draw the parameters again, and forget what the optimizer knows."""
        self.parameters.draw_again(self.rng, self.config.init_std)
        for name, tensor in self.tensors.items():
            tensor.copy_(torch.from_numpy(self.parameters.arrays[name]))
        self.adam = self._new_adam()

    @own_torch_state(grad=True)
    def epoch(self, rate: float, stage: Stage, order: Longs | None = None) -> Score:
        """Train for an epoch, up to the first loss that is not finite."""
        memory_size = self.parameters.config.memory_size
        noise = RandomNoise(self.config, memory_size, self.rng)
        loss, wrong, seen = 0.0, 0, 0
        with torch.random.fork_rng([self.device] if self.device.type == "cuda" else []):
            self._seed_dropout(int(self.rng.integers(2**63)))
            for chosen in batches_of_epoch(self.examples, self.config, self.rng, order):
                renaming = None if self.renamings is None else self.renamings.of_batch(chosen, self.rng)
                batch = make_batch(self.stories, chosen, memory_size, noise, renaming)
                cost, mistakes = self.step(batch, rate, stage)
                loss += cost
                if not math.isfinite(loss):
                    break
                wrong += mistakes
                seen += len(chosen)
        return Score.of(loss, wrong, seen)

    def _seed_dropout(self, seed: int) -> None:
        """Seed what a network with dropout draws from; ``torch.manual_seed`` would seed every device."""
        torch.default_generator.manual_seed(seed)
        if self.device.type == "cuda":
            with torch.cuda.device(self.device):
                torch.cuda.manual_seed(seed)

    def step(self, batch: Batch[Longs], rate: float, stage: Stage = SOFTMAX) -> tuple[float, int]:
        """Train on one batch. The network does not change if the loss is not finite.

        Returns:
            The loss of the batch and the number of wrong answers, both before the step.
        """
        network, config = self.network.train(), self.config
        total, wrong = network.loss(batch.tensors(self.device), stage)
        loss = total.item()
        if math.isfinite(loss):
            for parameter in network.parameters():
                parameter.grad = None
            torch.autograd.backward(total)
            if self.adam is None:
                sgd_step(network.parameters(), rate, config.clip_norm, config.clip)
            else:
                adam_step(self.adam, rate, config.clip_norm, config.clip)
            for table in self._words:
                table[NULL] = 0  # the null word's embedding stays zero
        return loss, wrong

    @own_torch_state(grad=False)
    def score(self, stories: StorySet, examples: Longs, stage: Stage = SOFTMAX) -> Score:
        """Loss and error on some examples, without noise."""
        network = self.network.train(False)
        loss, wrong = 0.0, 0
        for _, batch in batches(stories, examples, self.parameters.config.memory_size):
            total, mistakes = network.loss(batch.tensors(self.device), stage)
            loss += total.item()
            wrong += mistakes
        return Score.of(loss, wrong, len(examples))

    @own_torch_state(grad=False)
    def keep(self) -> None:
        """Save a copy of the parameters."""
        self._kept = {name: tensor.clone() for name, tensor in self.tensors.items()}

    @own_torch_state(grad=False)
    def restore(self) -> None:
        """Set the parameters to the saved copy."""
        for name, tensor in self._kept.items():
            self.tensors[name].copy_(tensor)

    @own_torch_state(grad=False)
    def finish(self) -> None:
        """Copy the parameters to the arrays. Nothing changes on the CPU, where both have the same memory."""
        for name, tensor in self.tensors.items():
            self.parameters.arrays[name][...] = tensor.cpu().numpy()


def batches_of_epoch(
    examples: Longs, config: TrainingConfig, rng: np.random.Generator, order: Longs | None = None
) -> Iterator[Longs]:
    """Yield the examples of each batch of an epoch: those of ``order``, or drawn by ``config.sampling``."""
    size = config.batch_size
    if order is None and config.sampling != "permutation":
        for _ in range(max(len(examples) // size, 1)):
            yield rng.choice(examples, min(size, len(examples)))
    else:
        order = rng.permutation(examples) if order is None else order
        for start in range(0, len(order), size):
            yield order[start : start + size]


@torch.no_grad()
def sgd_step(parameters: Iterable[torch.nn.Parameter], rate: float, clip_norm: float, clip: Clip) -> None:
    """One step of gradient descent. Each parameter's gradient is clipped by itself."""
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is not None:
            parameter.add_(gradient, alpha=-rate * _clipping(gradient, clip_norm, clip))


@torch.no_grad()
def adam_step(adam: torch.optim.Adam, rate: float, clip_norm: float, clip: Clip) -> None:
    """One step of Adam. Each parameter's gradient is clipped by itself."""
    for group in adam.param_groups:
        group["lr"] = rate
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.grad.mul_(_clipping(parameter.grad, clip_norm, clip))
    adam.step()


def _clipping(gradient: torch.Tensor, clip_norm: float, clip: Clip) -> float:
    """The factor by which a gradient must be multiplied so that its norm is at most ``clip_norm``."""
    norm = gradient.norm().item()
    if clip == "spectral" and norm > clip_norm and gradient.ndim == 2:  # the spectral norm is never larger
        norm = torch.linalg.matrix_norm(gradient, 2).item()
    return min(1.0, clip_norm / norm) if norm > 0 else 0.0
