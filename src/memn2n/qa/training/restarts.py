"""Training a network several times from different initial parameters, and keeping the best."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import accumulate
from math import inf
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
    """Train some restarts of one problem; see ``run_jobs``. ``numbers`` are the restarts' numbers, from 0."""
    return run_jobs([(problem, number) for number in numbers], on_event, on_trained, threads)


def run_jobs(
    jobs: Sequence[tuple[Problem, int]], on_event: Callable[[Epoch | Restart], None],
    on_trained: Callable[[TrainedNetwork], None], threads: int | None = None,
) -> bool:  # fmt: skip
    """Train some restarts: one after the other, or several at a time with the native engine.

    Args:
        jobs: the data, settings and backend, and the number of the restart, for each.
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
    if all(problem.backend == "native" for problem, _ in jobs):
        return _run_in_threads(jobs, on_event, on_trained, threads)
    with torch_threads(1):  # a second thread slows down products of matrices this small
        try:
            for problem, number in jobs:
                trained = problem.train(number, on_event)
                on_trained(trained)
                on_event(trained.restart)
                if trained.restart.stopped == INTERRUPTED:
                    return False
        except KeyboardInterrupt:
            return False
        return True


def _run_in_threads(
    jobs: Sequence[tuple[Problem, int]], on_event: Callable[[Epoch | Restart], None],
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

    def work(problem: Problem, number: int) -> None:
        try:
            events.put(None if stop.is_set() else problem.train(number, on_epoch))
        except BaseException as error:
            events.put(error)

    failure: BaseException | None = None
    with interrupt_sets(stop), ThreadPoolExecutor(threads, thread_name_prefix="memn2n-restart") as pool:
        for job in jobs:
            pool.submit(work, *job)
        running = len(jobs)
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


SOLVED = 0.003
"""Loss in nats of a network below which no other recipe is tried."""

_TRIED = 2  # networks of each recipe; one alone may have had a bad start


def train_recipes(
    problems: Sequence[Problem], on_event: Callable[[Epoch | Restart], None], threads: int | None = None
) -> tuple[Problem, Outcome]:
    """Train the restarts of a recipe, which is chosen by two networks of each recipe.

    One network is trained by the first recipe. If its loss is not below ``SOLVED``, two networks are trained by each
    recipe, and the recipe of the network with the lowest loss is chosen: on the validation data or, without any, on the
    training data.

    Args:
        problems: the same data with the settings of each recipe.
        on_event: as for ``run_jobs``. The restarts of all recipes are numbered through.
        threads: as for ``run_jobs``.

    Returns:
        The problem of the chosen recipe; its networks, and all restarts. After Ctrl-C, the best network so far.

    Raises:
        ConfigError: if there are more threads than cores.
        TrainingError: if every restart diverged.
        KeyboardInterrupt: on Ctrl-C before the first epoch has ended.
    """
    numbers = _numbers(problems)
    trained: list[TrainedNetwork] = []
    chosen, finished = 0, True
    tried = [(i, number) for i in range(len(problems)) for number in numbers[i][:_TRIED]]
    for group in (tried[:1], tried[1:]) if len(problems) > 1 else ():
        finished = run_jobs([(problems[i], number) for i, number in group], on_event, trained.append, threads)
        losses = {one.restart.restart: one.restart.loss for one in trained}
        lowest = [min((losses.get(number, inf) for number in some), default=inf) for some in numbers]
        chosen = lowest.index(min(lowest))
        if not finished or lowest[chosen] < SOLVED:
            break
    problem, restarts = problems[chosen], [one.restart for one in trained]
    kept = [one for one in trained if one.restart.restart in numbers[chosen] and one.restart.train is not None]

    def select(one: TrainedNetwork) -> None:
        restarts.append(one.restart)
        if one.restart.train is not None:
            kept.append(one)
        kept[:] = _selected(problem, kept)

    if finished:
        begun = {restart.restart for restart in restarts}
        left = [(problem, number) for number in numbers[chosen] if number not in begun]
        finished = run_jobs(left, on_event, select, threads)
    kept = _selected(problem, kept)
    if not finished and not kept:
        raise KeyboardInterrupt
    if not kept:
        raise TrainingError(f"every restart failed: {restarts[-1].stopped}; lower ", Setting("learning_rate"), " or ",
                            Setting("init_std"))  # fmt: skip
    if problem.training.select == "good":
        most = 2 * min(one.restart.loss for one in kept) + 0.01
        kept = [one for one in kept if one.restart.loss <= most]
    return problem, _outcome(kept, restarts, finished, numbers[chosen])


def train_restarts(
    problem: Problem, on_event: Callable[[Epoch | Restart], None], threads: int | None = None
) -> Outcome:
    """Train ``problem.training.restarts`` networks and select by ``problem.training.select``; see ``train_recipes``."""
    return train_recipes([problem], on_event, threads)[1]


def _numbers(problems: Sequence[Problem]) -> list[range]:
    """The numbers of the restarts of each recipe."""
    ends = list(accumulate(problem.training.restarts for problem in problems))
    return [range(end - problem.training.restarts, end) for problem, end in zip(problems, ends, strict=True)]


def _selected(problem: Problem, networks: list[TrainedNetwork]) -> list[TrainedNetwork]:
    """The network of the lowest loss, if only one is to be kept; otherwise all."""
    if problem.training.select in {"ensemble", "good"} or not networks:
        return networks

    def loss(one: TrainedNetwork) -> tuple[float, int]:
        score = one.restart.valid if problem.training.select == "validation" else one.restart.train
        assert score is not None
        return score.loss, one.restart.restart

    return [min(networks, key=loss)]


def _outcome(kept: list[TrainedNetwork], restarts: list[Restart], finished: bool, wanted: range) -> Outcome:
    """The networks that are kept, and all restarts in order."""
    begun = {restart.restart for restart in restarts}
    # Ctrl-C between two restarts: record it with the first one that did not begin
    left = [number for number in wanted if number not in begun]
    if not finished and all(restart.stopped != INTERRUPTED for restart in restarts):
        number = left[0] if left else max(begun, default=-1) + 1
        restarts.append(Restart(restart=number, train=None, valid=None, seconds=0.0, stopped=INTERRUPTED))
    restarts.sort(key=lambda restart: restart.restart)
    complete = [trained for trained in kept if not trained.restart.stopped]
    if len(kept) > 1 and complete:
        kept = complete  # without those that Ctrl-C ended early
    kept.sort(key=lambda trained: trained.restart.restart)
    numbers = {trained.restart.restart for trained in kept}
    return Outcome(
        tuple(trained.network for trained in kept),
        tuple(replace(restart, kept=restart.restart in numbers) for restart in restarts),
    )


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
