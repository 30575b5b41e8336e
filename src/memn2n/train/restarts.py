"""Training a network several times from different random starts, and keeping the best."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch

from memn2n.errors import ConfigError, TrainingError
from memn2n.nn.qa import DataShape, QANetwork
from memn2n.train.backends import choose_backend, choose_threads, make_loop
from memn2n.train.interrupt import ctrl_c_sets
from memn2n.train.qa import DivergedError, Epoch, Score, train
from memn2n.train.threads import torch_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from memn2n.config import Backend, NetworkConfig, TrainingConfig
    from memn2n.nn.batch import Longs
    from memn2n.stories import StorySet

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


def run_restarts(
    problem: Problem,
    numbers: Iterable[int],
    on_event: Callable[[Epoch | Restart], None],
    on_trained: Callable[[Trained], None],
    threads: int | None = None,
) -> bool:
    """Train the restarts of these numbers: one after the other, or several at a time by the native engine.

    Args:
        problem: what to train, on what.
        numbers: of the restarts, from 0.
        on_event: called in the caller's thread after each epoch and each restart, in the order in which they end.
        on_trained: called before that with each restart and its network.
        threads: restarts at a time, by default one a core; without the engine it is one.

    Returns:
        False if Ctrl-C ended the training early. The restarts that were under way stop after their epoch and are
        handed on too, as ``INTERRUPTED``.

    Raises:
        ConfigError: for more threads than cores.
    """
    threads = choose_threads(threads)
    numbers = list(numbers)
    with torch_threads(1):  # matrices this small lose more than they gain by a second one
        if problem.backend == "native":
            return _run_in_threads(problem, numbers, on_event, on_trained, threads)
        try:
            for number in numbers:
                trained = problem.train(number, on_event)
                on_trained(trained)
                on_event(trained.restart)
                if trained.restart.stopped == INTERRUPTED:
                    return False
        except KeyboardInterrupt:
            return False
        return True


def _run_in_threads(
    problem: Problem,
    numbers: list[int],
    on_event: Callable[[Epoch | Restart], None],
    on_trained: Callable[[Trained], None],
    threads: int,
) -> bool:
    """The engine releases Python's lock, so that plain threads run side by side.

    Ctrl-C only sets a flag: what runs ends with its epoch, the others do not begin, and nothing that ended is lost.
    """
    stop = threading.Event()
    events: SimpleQueue[Epoch | Trained | BaseException | None] = SimpleQueue()

    def on_epoch(epoch: Epoch) -> None:
        events.put(epoch)
        if stop.is_set():
            raise KeyboardInterrupt

    def work(number: int) -> None:
        try:
            events.put(None if stop.is_set() else problem.train(number, on_epoch))
        except BaseException as error:
            events.put(error)

    failure: BaseException | None = None
    with ctrl_c_sets(stop), ThreadPoolExecutor(threads, thread_name_prefix="memn2n-restart") as pool:
        for number in numbers:
            pool.submit(work, number)
        running = len(numbers)
        while running:
            event = events.get()
            running -= not isinstance(event, Epoch)
            try:
                if isinstance(event, BaseException):
                    raise event
                if isinstance(event, Trained):
                    on_trained(event)
                    on_event(event.restart)
                elif event is not None and failure is None:
                    on_event(event)
            except BaseException as error:
                stop.set()
                if failure is None or isinstance(failure, KeyboardInterrupt):
                    failure = error
    if failure is not None and not isinstance(failure, KeyboardInterrupt):
        raise failure
    return not stop.is_set()


@dataclass(frozen=True)
class Outcome:
    """The selected network, or with an ensemble all that did not diverge, and how all restarts went."""

    networks: tuple[QANetwork, ...]
    restarts: tuple[Restart, ...]


def train_restarts(
    problem: Problem, on_event: Callable[[Epoch | Restart], None], threads: int | None = None
) -> Outcome:
    """Train ``problem.training.restarts`` networks and keep what its ``select`` asks for.

    Args:
        problem: what to train, on what.
        on_event: called after each epoch and each restart.
        threads: restarts at a time, where the engine trains.

    Raises:
        ConfigError: for more threads than cores.
        TrainingError: if every restart diverged.
        KeyboardInterrupt: on Ctrl-C before anything is worth keeping; later, Ctrl-C ends the training and what is
            best so far is returned.
    """
    config = problem.training
    kept: list[Trained] = []
    restarts: list[Restart] = []

    def select(trained: Trained) -> None:
        restarts.append(trained.restart)
        if trained.restart.train is None:
            return
        kept.append(trained)
        if config.select != "ensemble":
            kept[:] = [min(kept, key=loss)]

    def loss(trained: Trained) -> tuple[float, int]:
        score = trained.restart.valid if config.select == "validation" else trained.restart.train
        assert score is not None
        return score.loss, trained.restart.restart

    finished = run_restarts(problem, range(config.restarts), on_event, select, threads)
    if not finished and not kept:
        raise KeyboardInterrupt
    if not kept:
        raise TrainingError(f"every restart failed: {restarts[-1].stopped}; lower the learning rate or init_std")
    begun = {restart.restart for restart in restarts}
    left = [number for number in range(config.restarts) if number not in begun]
    if left and all(restart.stopped != INTERRUPTED for restart in restarts):
        restarts.append(Restart(left[0], None, None, 0.0, stopped=INTERRUPTED))
    restarts.sort(key=lambda restart: restart.restart)
    whole = [trained for trained in kept if not trained.restart.stopped]
    if config.select == "ensemble" and whole:
        kept = whole  # not those that Ctrl-C caught half trained
    kept.sort(key=lambda trained: trained.restart.restart)
    numbers = {trained.restart.restart for trained in kept}
    return Outcome(
        tuple(trained.network for trained in kept),
        tuple(replace(restart, kept=restart.restart in numbers) for restart in restarts),
    )


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
        raise ConfigError(f"validation is {config.validation}: nothing is left to train on; lower it, or add examples")
    return examples, held_out
