"""A training problem (data, settings and backend), and the training of one network on it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np

from memn2n.errors import ConfigError, Setting
from memn2n.machine import check_device, need_torch
from memn2n.qa import engine
from memn2n.qa.config import Backend, DataShape
from memn2n.qa.networks import check_reads
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import BabiTask, shape_of
from memn2n.qa.training.sampling import Sampling
from memn2n.qa.training.schedule import DivergedError, Epoch, Loop, Score, train
from memn2n.settings import check_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import FamilyConfig, TrainingConfig
    from memn2n.qa.stories import StorySet
    from memn2n.qa.symmetries.renaming import Renamings

INTERRUPTED = "interrupted"
"""``Restart.stopped`` after Ctrl-C."""


def loop_of(backend: Literal["native", "torch"]) -> Callable[..., Loop]:
    """The class of the loop that trains with a backend."""
    if backend == "native":
        from memn2n.qa.training.native_loop import NativeLoop

        return NativeLoop
    from memn2n.qa.training.torch_loop import TorchLoop

    return TorchLoop


@dataclass(frozen=True)
class Restart:
    """The result of one restart.

    Args:
        restart: number of the restart, from 0.
        train: score on the training data after training, without noise; None if the training diverged.
        valid: score on the validation data; None without validation data, or if the training diverged.
        seconds: duration.
        stopped: why it ended before its last epoch: ``INTERRUPTED`` or a message about the loss; "" if it did not.
        kept: whether this network was selected.
    """

    restart: int
    train: Score | None
    valid: Score | None
    seconds: float
    stopped: str = ""
    kept: bool = False

    @property
    def loss(self) -> float:
        """The loss on the validation data or, without any, on the training data; infinite if the training diverged."""
        score = self.train if self.valid is None else self.valid
        return math.inf if score is None else score.loss

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Restart:
        """The restart that ``dataclasses.asdict`` wrote.

        Raises:
            KeyError, TypeError: if the record has other keys.
        """
        scores = {name: values[name] and Score(**values[name]) for name in ("train", "valid")}
        return cls(**(values | scores))


@dataclass(frozen=True)
class Problem:
    """What all restarts share: the data, the settings and the backend."""

    stories: StorySet  # the training data; the vocabulary must have all its answers
    examples: Longs  # positions in ``stories`` of the examples to train on
    valid: tuple[StorySet, Longs] | None  # stories, and positions in them; None without validation data
    network: FamilyConfig
    shape: DataShape
    training: TrainingConfig
    backend: Literal["native", "torch"]
    device: str  # the PyTorch device to train on; "cpu" for the native backend
    renamings: Renamings | None = None  # of the training data
    start: tuple[Parameters, ...] = ()  # the restarts go on from copies of these in turn; if empty, from random values

    @classmethod
    def make(
        cls, *, stories: StorySet, valid: StorySet | None = None, network: FamilyConfig, training: TrainingConfig,
        vocabulary_size: int, backend: Backend = "auto", device: str = "cpu", start: tuple[Parameters, ...] = (),
        renamings: Renamings | None = None,
    ) -> Problem:  # fmt: skip
        """Prepare a training: hold out validation data, take the sizes from the data, and choose the backend.

        Args:
            stories: the training data.
            valid: the validation data; by default a share of ``stories`` is held out.
            network: the network's settings.
            training: the training's settings.
            vocabulary_size: number of word ids.
            backend: see ``choose_backend``.
            device: the PyTorch device.
            start: the networks to go on from; the sizes are theirs.
            renamings: renames the examples of ``stories`` in the training.

        Raises:
            ConfigError: if the settings need validation data or supporting facts and there are none, the network
                cannot read the data, nothing is left to train on, or the backend or device cannot be used.
        """
        shape = start[0].shape if start else shape_of(stories, vocabulary_size, network.memory_size)
        check_reads(network, stories)
        if training.supervise_attention and not len(stories.support):
            raise ConfigError(Setting("supervise_attention"), f" is {training.supervise_attention}, but the data has "
                              "no supporting facts; add them, or set it to 0")  # fmt: skip
        chosen = choose_backend(backend, device, network, shape)
        if valid is None:
            examples, held_out = hold_out(stories, training)
            validation = (stories, held_out) if len(held_out) else None
        else:
            examples = np.arange(len(stories))
            validation = (valid, np.arange(len(valid))) if len(valid) else None
        if validation is None:
            _check_needs_no_validation(training)
        return cls(stories=stories, examples=examples, valid=validation, network=network, shape=shape,
                   training=training, backend=chosen, device=device, renamings=renamings,
                   start=start)  # fmt: skip

    def train(self, number: int, on_epoch: Callable[[Epoch], None]) -> TrainedNetwork:
        """Train one network. The result depends only on the problem and the restart's number.

        Raises:
            KeyboardInterrupt: on Ctrl-C before the first epoch has ended.
        """
        begin = time.perf_counter()
        last: Epoch | None = None

        def remember(epoch: Epoch) -> None:
            nonlocal last
            last = epoch
            on_epoch(epoch)

        def ended(train: Score | None, valid: Score | None, stopped: str) -> TrainedNetwork:
            seconds = time.perf_counter() - begin
            restart = Restart(restart=number, train=train, valid=valid, seconds=seconds, stopped=stopped)
            loop.finish()
            return TrainedNetwork(restart, network)

        rng = np.random.default_rng([self.training.seed, number])
        if self.start:
            network = self.start[number % len(self.start)].copy()
        else:
            network = Parameters.draw(self.network, self.shape, rng, self.training.init_std)
        loop = loop_of(self.backend)(network, self.stories, self.examples, self.training, rng, self.device,
                                     self.renamings)  # fmt: skip
        try:
            sampling = Sampling.of(self.stories, self.examples, self.training, rng, pilot=not self.start)
            finished = train(loop, self.valid, self.training, remember, number, sampling)
            score = loop.score(self.stories, self.examples)
            valid_score = None if self.valid is None else loop.score(*self.valid)
        except DivergedError as error:
            return ended(None, None, str(error))
        except KeyboardInterrupt:
            if last is None:
                raise
            return ended(last.train, last.valid, INTERRUPTED)
        for found in (score, valid_score):
            if found is not None and not math.isfinite(found.loss):
                return ended(None, None, f"the loss became {found.loss} in the last update")
        return ended(score, valid_score, "" if finished else INTERRUPTED)


class TrainedNetwork(NamedTuple):
    """The result of a restart, and the parameters of its network."""

    restart: Restart
    network: Parameters


def choose_backend(
    backend: Backend, device: str, config: FamilyConfig, shape: DataShape | None = None
) -> Literal["native", "torch"]:
    """Resolve "auto": the engine if it can run this network on this device, otherwise PyTorch.

    Raises:
        ConfigError: if this machine does not have the device, the chosen backend cannot be used, or there is none.
    """
    check_choice("backend", backend, get_args(Backend))
    if device == "cpu" or check_device(device).type == "cpu":
        reason = engine.unavailable(config, shape)
    else:
        reason = "it runs on the CPU only"
    if backend == "native" and reason:
        problem = f' is "native", but the engine cannot be used: {reason}; use "auto" or "torch"'
        raise ConfigError(Setting("backend"), problem)
    if backend == "native" or (backend == "auto" and not reason):
        return "native"
    if backend == "torch":
        need_torch(Setting("backend"), ' "torch"')
    need_torch(f"the engine cannot be used: {reason}; without it, training")
    return "torch"


def _check_needs_no_validation(config: TrainingConfig) -> None:
    for name in ("select", "linear_start"):
        if getattr(config, name) == "validation":
            raise ConfigError(Setting(name), ' is "validation", but there is no validation data; give some, or set ',
                              Setting("validation"), " above 0")  # fmt: skip


def hold_out(stories: StorySet, config: TrainingConfig) -> tuple[Longs, Longs]:
    """Split the examples into training and validation examples by ``validation`` and ``validation_split``.

    Returns:
        The positions of the training examples, and of the validation examples.

    Raises:
        ConfigError: if nothing is left to train on.
    """
    everything = np.arange(len(stories))
    split, number = config.validation_split, round(config.validation * len(stories))
    if split == "auto" and all(isinstance(task, BabiTask) for task in stories.tasks):
        split = "tail"
    if split != "tail":
        order = np.random.default_rng(config.seed).permutation(len(stories))
        held_out = np.sort(order[:number] if split == "random" else _of_each_task(stories, order, number))
    else:
        parts = [np.flatnonzero(stories.task == task) for task in range(len(stories.tasks))]
        held_out = np.sort(np.concatenate([part[len(part) - round(config.validation * len(part)) :] for part in parts]))
    examples = np.setdiff1d(everything, held_out)
    if not len(examples):
        raise ConfigError(
            Setting("validation"), f" is {config.validation}: nothing is left to train on; lower it, or add examples"
        )
    return examples, held_out


def _of_each_task(stories: StorySet, order: Longs, number: int) -> Longs:
    """Choose this many examples, the same share of each task, so that others keep each task and each answer.

    Args:
        stories: the examples.
        order: a random order of the examples.
        number: how many to choose. There are fewer if too many answers occur only once.
    """
    order = order[np.argsort(stories.task[order], kind="stable")]
    needed = [np.unique(ids[order], return_index=True)[1] for ids in (stories.task, stories.answer)]
    free = np.delete(order, np.concatenate(needed))
    return free[np.linspace(0, len(free), min(number, len(free)), endpoint=False).astype(np.int64)]
