"""What a call has to train: settled and checked in whole before the first training begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memn2n.errors import DataError, InputError
from memn2n.machine import choose_threads
from memn2n.qa.training.problem import Problem
from memn2n.qa.training.schedule import schedule
from memn2n.reproduce.babi.recipe import Recipe, choose_recipes
from memn2n.reproduce.babi.store import RestartStore
from memn2n.reproduce.babi.tasks import TaskFiles, find_folder
from memn2n.reproduce.paper import Table, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memn2n.qa.config import Backend
    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.problem import Restart


@dataclass(frozen=True)
class Unit:
    """What is trained together: one task, or all tasks jointly.

    Args:
        label: "task 3", or "all tasks jointly".
        tasks: the tasks that are reported.
        problem: what to train.
        test: test questions of those tasks.
        store: where finished restarts go.
        finished: the restarts that stood there when the plan was made.
    """

    label: str
    tasks: tuple[int, ...]
    problem: Problem
    test: StorySet
    store: RestartStore
    finished: dict[int, Restart]

    @property
    def epochs(self) -> int:
        """Of one restart, at the longest."""
        return sum(1 for _ in schedule(self.problem.training))

    @property
    def epoch_work(self) -> float:
        """What an epoch costs, roughly: it is by the sentences read, each at every hop, that epochs differ."""
        network = self.problem.network
        return float(len(self.problem.stories.story)) * network.hops * network.dim


@dataclass(frozen=True)
class Plan:
    """A call's work.

    Args:
        table: the paper's table.
        files: the tasks' files.
        wanted: the tasks that were asked for.
        tasks: those of them that have their files.
        columns: each column's recipe with its units.
    """

    table: Table
    files: TaskFiles
    wanted: tuple[int, ...]
    tasks: tuple[int, ...]
    columns: tuple[tuple[Recipe, tuple[Unit, ...]], ...]


def make_plan(
    table_name: str,
    data: Path,
    out: Path,
    columns: Sequence[str] | None,
    tasks: Sequence[int] | None,
    restarts: int,
    seed: int,
    threads: int | None,
    backend: Backend,
    test: Path | None = None,
) -> Plan:
    """Settle the work, reading all data and all that was stored by earlier calls; nothing is written.

    Raises:
        InputError: if an argument or the data cannot be used.
        ModelError: if the output folder holds damaged restarts, or those of another recipe, data, seed or backend.
    """
    table = read_table(table_name)
    recipes = choose_recipes(table, columns)
    recipes = [replace(one, training=replace(one.training, restarts=restarts, seed=seed)) for one in recipes]
    wanted = _wanted(table, tasks)
    choose_threads(threads)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the results")
    files = TaskFiles(find_folder(data, table_name), table, test)
    usable = tuple(task for task in wanted if task in files.usable)
    if not usable:
        lacking = ", ".join(f"task {task}: no {files.missing[task]} file" for task in wanted)
        raise DataError(files.folder, None, f"none of the wanted tasks has its files ({lacking})")

    def unit(recipe: Recipe, label: str, folder: str, train: Sequence[int], test: tuple[int, ...]) -> Unit:
        encoded = files.encode(train, test)
        problem = Problem.make(encoded.train, None, recipe.network, recipe.training, len(encoded.vocabulary), backend)
        store = RestartStore(out / recipe.name / folder, problem, encoded.digest)
        return Unit(label, test, problem, encoded.test, store, store.finished(range(restarts)))

    def units(recipe: Recipe) -> tuple[Unit, ...]:
        if recipe.joint:
            return (unit(recipe, "all tasks jointly", "joint", files.trainable, usable),)
        return tuple(unit(recipe, f"task {task}", f"task-{task}", (task,), (task,)) for task in usable)

    return Plan(table, files, wanted, usable, tuple((recipe, units(recipe)) for recipe in recipes))


def _wanted(table: Table, tasks: Sequence[int] | None) -> tuple[int, ...]:
    if tasks is None:
        return tuple(table.tasks)
    for task in tasks:
        if task not in table.tasks:
            raise InputError(f"task {task} is not in {table.name}: its tasks are 1 to {len(table.tasks)}")
    if not tasks:
        raise InputError("no task was chosen")
    return tuple(sorted(set(tasks)))
