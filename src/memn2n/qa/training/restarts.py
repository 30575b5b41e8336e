"""Training a network several times from different initial parameters, and keeping the best."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError, Setting, TrainingError
from memn2n.interrupts import interrupt_sets
from memn2n.machine import choose_threads, torch_threads
from memn2n.qa.config import TrainingConfig
from memn2n.qa.training.problem import INTERRUPTED, Problem, Restart, TrainedNetwork
from memn2n.qa.training.schedule import Epoch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memn2n.qa.parameters import Parameters


def run_restarts(
    problem: Problem, numbers: Iterable[int], on_event: Callable[[Epoch | Restart], None],
    on_trained: Callable[[TrainedNetwork], None], threads: int | None = None,
) -> bool:  # fmt: skip
    """Train some restarts: one after the other, or several at a time with the native engine.

    Args:
        problem: the data, settings and backend.
        numbers: the restarts' numbers, from 0.
        on_event: called in the caller's thread after each epoch and each restart, in the order in which they end.
        on_trained: called with each trained network, before ``on_event`` is called with its restart.
        threads: number of restarts at a time, by default one for each core. PyTorch trains one at a time.

    Returns:
        False if Ctrl-C ended the training early. The restarts that were running end with their current epoch and are
        passed to ``on_trained`` too, as ``INTERRUPTED``.

    Raises:
        ConfigError: if there are more threads than cores.
    """
    threads = choose_threads(threads)
    numbers = list(numbers)
    if problem.backend == "native":
        return _run_in_threads(problem, numbers, on_event, on_trained, threads)
    with torch_threads(1):  # a second thread slows down products of matrices this small
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
    problem: Problem, numbers: list[int], on_event: Callable[[Epoch | Restart], None],
    on_trained: Callable[[TrainedNetwork], None], threads: int,
) -> bool:  # fmt: skip
    """Train the restarts in threads; the engine releases Python's global lock.

    Ctrl-C only sets a flag. Restarts that are running end with their current epoch, others do not begin, and every
    restart that has ended reaches ``on_trained``.
    """
    stop = threading.Event()
    events: SimpleQueue[Epoch | TrainedNetwork | BaseException | None] = SimpleQueue()

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
    with interrupt_sets(stop), ThreadPoolExecutor(threads, thread_name_prefix="memn2n-restart") as pool:
        for number in numbers:
            pool.submit(work, number)
        running = len(numbers)
        while running:
            event = events.get()
            running -= not isinstance(event, Epoch)
            try:
                if isinstance(event, BaseException):
                    raise event
                if isinstance(event, TrainedNetwork):
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
    """The selected network, or all networks of an ensemble, and the results of all restarts."""

    networks: tuple[Parameters, ...]
    restarts: tuple[Restart, ...]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training early."""
        return any(restart.stopped == INTERRUPTED for restart in self.restarts)

    @property
    def loss(self) -> float:
        """The mean loss of the selected networks: on the validation data or, without any, on the training data."""
        scores = [
            restart.train if restart.valid is None else restart.valid for restart in self.restarts if restart.kept
        ]
        return sum(score.loss for score in scores if score is not None) / len(scores)


def train_restarts(
    problem: Problem, on_event: Callable[[Epoch | Restart], None], threads: int | None = None, first: int = 0
) -> Outcome:
    """Train ``problem.training.restarts`` networks and select by ``problem.training.select``.

    The arguments mean the same as those of ``run_restarts``; ``first`` is the number of the first restart.

    Returns:
        The networks and restarts. After Ctrl-C, the best network so far.

    Raises:
        ConfigError: if there are more threads than cores.
        TrainingError: if every restart diverged.
        KeyboardInterrupt: on Ctrl-C before the first epoch has ended.
    """
    config = problem.training
    kept: list[TrainedNetwork] = []
    restarts: list[Restart] = []

    def select(trained: TrainedNetwork) -> None:
        restarts.append(trained.restart)
        if trained.restart.train is None:
            return
        kept.append(trained)
        if config.select != "ensemble":
            kept[:] = [min(kept, key=loss)]

    def loss(trained: TrainedNetwork) -> tuple[float, int]:
        score = trained.restart.valid if config.select == "validation" else trained.restart.train
        assert score is not None
        return score.loss, trained.restart.restart

    wanted = range(first, first + config.restarts)
    finished = run_restarts(problem, wanted, on_event, select, threads)
    if not finished and not kept:
        raise KeyboardInterrupt
    if not kept:
        raise TrainingError(f"every restart failed: {restarts[-1].stopped}; lower ", Setting("learning_rate"), " or ",
                            Setting("init_std"))  # fmt: skip
    begun = {restart.restart for restart in restarts}
    # Ctrl-C between two restarts: record it with the first one that did not begin
    left = [number for number in wanted if number not in begun]
    if left and all(restart.stopped != INTERRUPTED for restart in restarts):
        restarts.append(Restart(restart=left[0], train=None, valid=None, seconds=0.0, stopped=INTERRUPTED))
    restarts.sort(key=lambda restart: restart.restart)
    complete = [trained for trained in kept if not trained.restart.stopped]
    if config.select == "ensemble" and complete:
        kept = complete  # without those that Ctrl-C ended early
    kept.sort(key=lambda trained: trained.restart.restart)
    numbers = {trained.restart.restart for trained in kept}
    return Outcome(
        tuple(trained.network for trained in kept),
        tuple(replace(restart, kept=restart.restart in numbers) for restart in restarts),
    )


SOLVED = 0.003
"""The loss in nats, see ``Outcome.loss``, below which a recipe is taken without trying the next one."""


def train_recipes(
    problems: Sequence[Problem], on_event: Callable[[Epoch | Restart], None], threads: int | None = None
) -> tuple[Problem, Outcome]:
    """Train the restarts of each recipe, and select the recipe whose networks have the lowest ``Outcome.loss``.

    Args:
        problems: the same data with different settings. A recipe that comes later is not trained if an earlier one
            has a loss below ``SOLVED``.
        on_event: as for ``run_restarts``. The restarts of all recipes are numbered through.
        threads: as for ``run_restarts``.

    Returns:
        The selected problem; its networks, and the restarts of all recipes.

    Raises:
        ConfigError, TrainingError, KeyboardInterrupt: as ``train_restarts``, if there is no network at all.
    """
    found: list[tuple[Problem, Outcome]] = []
    failure: TrainingError | None = None
    first = 0
    for problem in problems:
        try:
            outcome = train_restarts(problem, on_event, threads, first)
        except TrainingError as error:
            failure = error
        except KeyboardInterrupt:
            if not found:
                raise
            stopped = Restart(restart=first, train=None, valid=None, seconds=0.0, stopped=INTERRUPTED)
            found[-1] = found[-1][0], replace(found[-1][1], restarts=(*found[-1][1].restarts, stopped))
            break
        else:
            found.append((problem, outcome))
            if outcome.interrupted or outcome.loss < SOLVED:
                break
        first += problem.training.restarts
    if not found:
        assert failure is not None
        raise failure
    chosen, best = min(found, key=lambda one: one[1].loss)
    restarts = [
        restart if outcome is best else replace(restart, kept=False)
        for _, outcome in found
        for restart in outcome.restarts
    ]
    return chosen, Outcome(best.networks, tuple(restarts))


def going_on(training: TrainingConfig | None, networks: int, given: Sequence[str]) -> TrainingConfig:
    """The settings of a training that goes on from a model.

    Args:
        training: the settings that the caller gave; by default, each network is trained once more, and all are kept.
        networks: the number of networks of the model.
        given: the names of arguments that the caller gave although the model determines them.

    Raises:
        ConfigError: if there are such arguments.
    """
    if given:
        raise ConfigError(Setting(given[0]), " cannot be chosen for a training that goes on from a model; leave it out")
    if training is None:
        training = TrainingConfig(restarts=networks, select="ensemble" if networks > 1 else "train")
    return training.changed({"linear_start": "none", "learning_rate": training.first_rate})
