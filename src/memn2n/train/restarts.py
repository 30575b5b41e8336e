"""Training a network several times from different random starts, and keeping the best."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from memn2n.errors import ConfigError, TrainingError
from memn2n.nn.qa import DataShape, QANetwork
from memn2n.stories import UNKNOWN_ANSWER, StorySet
from memn2n.train.qa import DivergedError, Epoch, Score, measure, train

if TYPE_CHECKING:
    from collections.abc import Callable

    from memn2n.config import NetworkConfig, TrainingConfig
    from memn2n.nn.batch import Longs


@dataclass(frozen=True)
class Restart:
    """What became of one restart.

    Args:
        restart: its number, from 0.
        train: score on the training data after training, without noise; None if it diverged.
        valid: score on the validation data, where there is some.
        seconds: how long it took.
        stopped: why it ended before its last epoch ("interrupted", or in which epoch the loss was not finite), or "".
        kept: whether this network was selected.
    """

    restart: int
    train: Score | None
    valid: Score | None
    seconds: float
    stopped: str = ""
    kept: bool = False


@dataclass(frozen=True)
class Outcome:
    """The selected network, and how all restarts went."""

    network: QANetwork
    restarts: tuple[Restart, ...]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training early."""
        return any(restart.stopped == "interrupted" for restart in self.restarts)


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
        valid: validation data; without it a share of ``stories`` is held out, as ``config`` says.
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
    examples, held_out = hold_out(stories, config) if valid is None else (np.arange(len(stories)), None)
    validation: tuple[StorySet, Longs] | None = None
    if valid is not None:
        validation = (valid, np.flatnonzero(valid.answer != UNKNOWN_ANSWER))
    elif held_out is not None:
        validation = (stories, held_out)
    if validation is None or not len(validation[1]):
        validation = None
        needs = [name for name in ("select", "linear_start") if getattr(config, name) == "validation"]
        if needs:
            raise ConfigError(f'{needs[0]} is "validation", but there is no validation data; raise validation')
    slots = max(min(stories.longest_story, network_config.memory_size), 1)
    shape = DataShape(vocabulary_size, max(stories.longest_sentence, 1), slots)
    best: QANetwork | None = None
    best_loss = np.inf
    restarts: list[Restart] = []
    kept = -1
    for number in range(config.restarts):
        rng = np.random.default_rng([config.seed, number])
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        network = QANetwork(network_config, shape, generator, config.init_std)
        begin = time.perf_counter()
        stopped = ""
        try:
            if not train(network, stories, examples, validation, config, rng, on_event, number):
                stopped = "interrupted"
            scores = measure(network, stories, examples)
            valid_score = None if validation is None else measure(network, *validation)
        except DivergedError as error:
            restarts.append(Restart(number, None, None, time.perf_counter() - begin, stopped=str(error)))
            on_event(restarts[-1])
            continue
        except KeyboardInterrupt:
            if best is None:
                raise
            restarts.append(Restart(number, None, None, time.perf_counter() - begin, stopped="interrupted"))
            on_event(restarts[-1])
            break
        restarts.append(Restart(number, scores, valid_score, time.perf_counter() - begin, stopped))
        chosen = valid_score if config.select == "validation" and valid_score is not None else scores
        if best is None or chosen.loss < best_loss:
            best, best_loss, kept = network, chosen.loss, number
        on_event(restarts[-1])
        if stopped:
            break
    if best is None:
        raise TrainingError(f"every restart failed: {restarts[-1].stopped}; lower the learning rate")
    return Outcome(best, tuple(_mark(restart, kept) for restart in restarts))


def _mark(restart: Restart, kept: int) -> Restart:
    return Restart(restart.restart, restart.train, restart.valid, restart.seconds, restart.stopped,
                   kept=restart.restart == kept)  # fmt: skip


def hold_out(stories: StorySet, config: TrainingConfig) -> tuple[Longs, Longs | None]:
    """Positions of the examples to train on, and of those held out: the last ones of each task, or random ones.

    Raises:
        ConfigError: if nothing is left to train on.
    """
    everything = np.arange(len(stories))
    if config.validation == 0:
        return everything, None
    if config.validation_split == "random":
        n = round(config.validation * len(stories))
        order = np.random.default_rng(config.seed).permutation(len(stories))
        held_out = np.sort(order[:n])
    else:
        parts = [np.flatnonzero(stories.task == task) for task in range(len(stories.tasks))]
        held_out = np.sort(
            np.concatenate([part[len(part) - round(config.validation * len(part)) :] for part in parts])
        )
    examples = np.setdiff1d(everything, held_out)
    if not len(examples):
        raise ConfigError(f"validation is {config.validation}: nothing is left to train on; lower it, or add examples")
    return examples, held_out
