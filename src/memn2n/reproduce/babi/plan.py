"""The trainings of a call: settled, and checked with all their data, before the first training begins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from memn2n.errors import DataError, InputError
from memn2n.machine import choose_threads
from memn2n.qa.training.problem import Problem
from memn2n.qa.training.schedule import schedule
from memn2n.reproduce.babi.paper import PaperTable, read_table
from memn2n.reproduce.babi.recipe import Recipe, choose_recipes
from memn2n.reproduce.babi.store import RestartStore
from memn2n.reproduce.babi.tasks import TaskFiles, find_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.problem import Restart
    from memn2n.reproduce.options import BabiOptions


@dataclass(frozen=True)
class Job:
    """The restarts of one training: on one task, or on all tasks jointly."""

    recipe: Recipe
    label: str  # "task 3", or "all tasks jointly"
    problem: Problem
    test: StorySet  # test questions of the tasks to report
    store: RestartStore
    finished: dict[int, Restart]  # the restarts that were finished when the plan was made, by number

    @property
    def epochs(self) -> int:
        """The most epochs that one restart can have."""
        return sum(1 for _ in schedule(self.problem.training))

    @property
    def epoch_work(self) -> float:
        """The cost of an epoch, in arbitrary units: the sentences that it reads in each hop, times their size."""
        network = self.recipe.network
        return float(len(self.problem.stories.story)) * network.hops * network.dim


@dataclass(frozen=True)
class Plan:
    """All trainings of a call."""

    table: PaperTable
    files: TaskFiles
    wanted: tuple[int, ...]  # the tasks that the call asks for
    tasks: tuple[int, ...]  # those of them that have both files
    columns: tuple[tuple[Recipe, tuple[Job, ...]], ...]  # each column's recipe with its jobs


def make_plan(
    table_name: str, data: Path, out: Path, columns: Sequence[str] | None, tasks: Sequence[int] | None,
    options: BabiOptions, test: Path | None,
) -> Plan:  # fmt: skip
    """Read all data and all restarts that earlier calls stored, and plan the rest; nothing is written.

    Raises:
        InputError: if an argument or the data cannot be used.
        ModelError: if the output folder holds damaged restarts, or those of another recipe, data, seed or backend.
    """
    table = read_table(table_name)
    recipes = [
        replace(recipe, training=replace(recipe.training, restarts=options.restarts, seed=options.seed))
        for recipe in choose_recipes(table, columns)
    ]
    wanted = wanted_tasks(table, tasks)
    choose_threads(options.threads)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the results")
    files = TaskFiles(find_folder(data, table_name), table, test)
    usable = tuple(task for task in wanted if task in files.usable)
    if not usable:
        lacking = ", ".join(f"task {task}: no {files.missing[task]} file" for task in wanted)
        raise DataError(files.folder, None, f"none of the wanted tasks has its files ({lacking})")

    def job(recipe: Recipe, label: str, folder: str, train: Sequence[int], test: Sequence[int]) -> Job:
        encoded = files.encode(train, test)
        problem = Problem.make(
            stories=encoded.train, network=recipe.network, training=recipe.training,
            vocabulary_size=len(encoded.vocabulary), backend=options.backend,
        )  # fmt: skip
        store = RestartStore(out / recipe.name / folder, problem, encoded.digest)
        return Job(recipe, label, problem, encoded.test, store, store.finished(range(options.restarts)))

    def jobs(recipe: Recipe) -> tuple[Job, ...]:
        if recipe.joint:
            return (job(recipe, "all tasks jointly", "joint", files.trainable, usable),)
        return tuple(job(recipe, f"task {task}", f"task-{task}", (task,), (task,)) for task in usable)

    return Plan(table, files, wanted, usable, tuple((recipe, jobs(recipe)) for recipe in recipes))


def wanted_tasks(table: PaperTable, tasks: Sequence[int] | None) -> tuple[int, ...]:
    """The tasks that a call asks for, by default all, in order.

    Raises:
        InputError: if a task is not in the table, or there is none.
    """
    if tasks is None:
        return tuple(table.tasks)
    for task in tasks:
        if task not in table.tasks:
            raise InputError(f"task {task} is not in {table.name}: its tasks are 1 to {len(table.tasks)}")
    if not tasks:
        raise InputError("no task was chosen")
    return tuple(sorted(set(tasks)))
