"""Training a network several times from different random starts, and keeping the best."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from memn2n.errors import ConfigError, TrainingError
from memn2n.nn.qa import DataShape, QANetwork
from memn2n.train.qa import DivergedError, Epoch, Score, measure, train

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from memn2n.config import NetworkConfig, TrainingConfig
    from memn2n.nn.batch import Longs
    from memn2n.stories import StorySet

INTERRUPTED = "interrupted"

_NOTHING = np.empty(0, np.int64)


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
class Outcome:
    """The selected network, and how all restarts went."""

    network: QANetwork
    restarts: tuple[Restart, ...]


def train_restarts(
    stories: StorySet,
    valid: StorySet | None,
    network_config: NetworkConfig,
    config: TrainingConfig,
    vocabulary_size: int,
    on_event: Callable[[Epoch | Restart], None],
) -> Outcome:
    """Train ``config.restarts`` networks one after the other and keep the one that ``config.select`` asks for.

    Args:
        stories: training data, all answers known.
        valid: validation data, all answers known; without it a share of ``stories`` is held out, as ``config`` says.
        network_config: the network's settings.
        config: the training's settings.
        vocabulary_size: number of word ids.
        on_event: called after each epoch and each restart.

    Raises:
        ConfigError: if validation data is needed and there is none, or nothing is left to train on.
        TrainingError: if every restart diverged.
        KeyboardInterrupt: on Ctrl-C before anything is worth keeping; later, Ctrl-C ends the training and what is
            best so far is returned.
    """
    examples, held_out = hold_out(stories, config) if valid is None else (np.arange(len(stories)), _NOTHING)
    validation = (stories, held_out) if valid is None else (valid, np.arange(len(valid)))
    if not len(validation[1]):
        _check_needs_no_validation(config)
    slots = max(min(stories.longest_story, network_config.memory_size), 1)
    shape = DataShape(vocabulary_size, max(stories.longest_sentence, 1), slots)
    best: QANetwork | None = None
    best_loss = math.inf
    restarts: list[Restart] = []
    kept = -1
    try:
        with _one_thread():
            for number in range(config.restarts):
                rng = np.random.default_rng([config.seed, number])
                generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
                network = QANetwork(network_config, shape, generator, config.init_std)
                restart = _train_one(network, stories, examples, validation, config, rng, on_event, number)
                restarts.append(restart)
                score = restart.valid if config.select == "validation" else restart.train
                if score is not None and score.loss < best_loss:
                    best, best_loss, kept = network, score.loss, number
                on_event(restart)
                if restart.stopped == INTERRUPTED:
                    break
    except KeyboardInterrupt:
        if best is None:
            raise
        if len(restarts) < config.restarts:
            restarts.append(Restart(len(restarts), None, None, 0.0, stopped=INTERRUPTED))
    if best is None:
        raise TrainingError(f"every restart failed: {restarts[-1].stopped}; lower the learning rate or init_std")
    return Outcome(best, tuple(replace(restart, kept=restart.restart == kept) for restart in restarts))


def _train_one(
    network: QANetwork,
    stories: StorySet,
    examples: Longs,
    validation: tuple[StorySet, Longs],
    config: TrainingConfig,
    rng: np.random.Generator,
    on_event: Callable[[Epoch | Restart], None],
    number: int,
) -> Restart:
    begin = time.perf_counter()
    valid = validation if len(validation[1]) else None
    last: Epoch | None = None

    def remember(epoch: Epoch) -> None:
        nonlocal last
        last = epoch
        on_event(epoch)

    def ended(train: Score | None, valid: Score | None, stopped: str) -> Restart:
        return Restart(number, train, valid, time.perf_counter() - begin, stopped)

    try:
        finished = train(network, stories, examples, valid, config, rng, remember, number)
        score = measure(network, stories, examples)
        valid_score = None if valid is None else measure(network, *valid)
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


def _check_needs_no_validation(config: TrainingConfig) -> None:
    for name in ("select", "linear_start"):
        if getattr(config, name) == "validation":
            raise ConfigError(f'{name} is "validation", but there is no validation data; give some, or hold some out')


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: matrices this small lose more than they gain by a second one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


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
        raise ConfigError(f"validation is {config.validation}: nothing is left to train on; lower it, or add examples")
    return examples, held_out
