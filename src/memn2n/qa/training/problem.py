"""What the restarts of a training share, and what becomes of each."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch

from memn2n.errors import ConfigError, Setting
from memn2n.qa.networks.memn2n import DataShape, QANetwork
from memn2n.qa.training.backends import choose_backend, make_loop
from memn2n.qa.training.schedule import DivergedError, Epoch, Score, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import Backend, NetworkConfig, TrainingConfig
    from memn2n.qa.stories import StorySet

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Restart:
    """What became of one restart.

    Args:
        restart: its number, from 0.
        train: score on the training data after training, without noise; None if it diverged.
        valid: score on the validation data, where there is some.
        seconds: how long it took.
        stopped: why it ended before its last epoch (``INTERRUPTED``, or in which epoch the loss was not finite), or "".
        kept: whether this network was selected.
    """

    restart: int
    train: Score | None
    valid: Score | None
    seconds: float
    stopped: str = ""
    kept: bool = False

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Restart:
        """A restart from parsed JSON, as ``dataclasses.asdict`` wrote it; raises TypeError for other keys."""
        scores = {name: values[name] and Score(**values[name]) for name in ("train", "valid")}
        return cls(**(values | scores))


@dataclass(frozen=True)
class Problem:
    """What all restarts share: the data, the settings, and what does the arithmetic.

    Args:
        stories: training data, all answers known.
        examples: positions in it to train on.
        valid: stories and positions to validate on, where there are some.
        network: the network's settings.
        shape: sizes taken from the training data.
        training: the training's settings.
        backend: what trains.
        device: where, in PyTorch's words; the engine knows "cpu" only.
    """

    stories: StorySet
    examples: Longs
    valid: tuple[StorySet, Longs] | None
    network: NetworkConfig
    shape: DataShape
    training: TrainingConfig
    backend: Literal["native", "torch"]
    device: str

    @classmethod
    def make(
        cls,
        stories: StorySet,
        valid: StorySet | None,
        network: NetworkConfig,
        training: TrainingConfig,
        vocabulary_size: int,
        backend: Backend = "auto",
        device: str = "cpu",
    ) -> Problem:
        """Hold out what is validated on (without data of its own, a share of ``stories``), and choose the backend.

        Raises:
            ConfigError: if validation data is needed and there is none, nothing is left to train on, or the backend
                or device cannot serve.
        """
        chosen = choose_backend(backend, device, network)
        if valid is None:
            examples, held_out = hold_out(stories, training)
            validation = (stories, held_out) if len(held_out) else None
        else:
            examples = np.arange(len(stories))
            validation = (valid, np.arange(len(valid))) if len(valid) else None
        if validation is None:
            _check_needs_no_validation(training)
        slots = max(min(stories.longest_story, network.memory_size), 1)
        shape = DataShape(vocabulary_size, max(stories.longest_sentence, 1), slots)
        return cls(stories, examples, validation, network, shape, training, chosen, device)

    def train(self, number: int, on_epoch: Callable[[Epoch], None]) -> Trained:
        """Train one network; the same number gives the same network, whatever else is trained beside it.

        Raises:
            KeyboardInterrupt: on Ctrl-C before the first epoch is done.
        """
        begin = time.perf_counter()
        last: Epoch | None = None

        def remember(epoch: Epoch) -> None:
            nonlocal last
            last = epoch
            on_epoch(epoch)

        def ended(train: Score | None, valid: Score | None, stopped: str) -> Trained:
            return Trained(Restart(number, train, valid, time.perf_counter() - begin, stopped), network.cpu())

        rng = np.random.default_rng([self.training.seed, number])
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        network = QANetwork(self.network, self.shape, generator, self.training.init_std).to(self.device)
        loop = make_loop(self.backend, network, self.stories, self.examples, self.training, rng)
        try:
            finished = train(loop, self.valid, self.training, remember, number)
            score = loop.measure(self.stories, self.examples)
            valid_score = None if self.valid is None else loop.measure(*self.valid)
        except DivergedError as error:
            return ended(None, None, str(error))
        except KeyboardInterrupt:
            if last is None:
                raise
            return ended(last.train, last.valid, INTERRUPTED)  # a network that has been trained is not lost
        for found in (score, valid_score):
            if found is not None and not math.isfinite(found.loss):
                return ended(None, None, f"the loss became {found.loss} in the last update")
        return ended(score, valid_score, "" if finished else INTERRUPTED)


class Trained(NamedTuple):
    """A restart and its network."""

    restart: Restart
    network: QANetwork


def _check_needs_no_validation(config: TrainingConfig) -> None:
    for name in ("select", "linear_start"):
        if getattr(config, name) == "validation":
            raise ConfigError(f'{name} is "validation", but there is no validation data; give some, or hold some out')


def hold_out(stories: StorySet, config: TrainingConfig) -> tuple[Longs, Longs]:
    """Positions of the examples to train on, and of those held out: the last ones of each task, or random ones.

    Raises:
        ConfigError: if nothing is left to train on.
    """
    everything = np.arange(len(stories))
    if config.validation_split == "random":
        n = round(config.validation * len(stories))
        order = np.random.default_rng(config.seed).permutation(len(stories))
        held_out = np.sort(order[:n])
    else:
        parts = [np.flatnonzero(stories.task == task) for task in range(len(stories.tasks))]
        held_out = np.sort(np.concatenate([part[len(part) - round(config.validation * len(part)) :] for part in parts]))
    examples = np.setdiff1d(everything, held_out)
    if not len(examples):
        raise ConfigError(
            Setting("validation"), f" is {config.validation}: nothing is left to train on; lower it, or add examples"
        )
    return examples, held_out
