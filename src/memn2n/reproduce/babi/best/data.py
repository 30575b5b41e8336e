"""The questions that the networks of a table are trained and tested on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from memn2n.errors import DataError
from memn2n.qa.data import read_stories
from memn2n.reproduce.babi.paper import PaperTable, read_table
from memn2n.reproduce.babi.plan import wanted_tasks
from memn2n.reproduce.babi.tasks import TaskFiles, find_folder
from memn2n.simulator import simulate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from memn2n.qa.stories import Example

Protocol = Literal["per-task", "joint"]
"""per-task: a training for each task. joint: one training on all tasks."""

TABLES = {"babi-1k-best": "babi-1k", "babi-10k-best": "babi-10k"}
"""Table -> the paper's table with the same data."""

SIMULATED = {"babi-10k-best": {3: 10_000}}
"""Table -> the tasks whose training file most copies of bAbI lack -> the number of simulated training questions."""

_SIMULATOR_SEED = 0  # of all calls, so that trainings of different seeds have the same data


@dataclass(frozen=True)
class Questions:
    """The questions of one training, and those of its tests.

    Args:
        protocol: whether it is the training on one task or on all.
        name: the start of the names of its files.
        label: its name for people.
        train: the training questions.
        test: the test questions.
        tested: the tasks of the test questions.
    """

    protocol: Protocol
    name: str
    label: str
    train: list[Example]
    test: list[Example]
    tested: tuple[int, ...]

    @cached_property
    def digest(self) -> str:
        """A digest of all questions."""
        return digest_of_questions(self.train, self.test)

    @property
    def has_support(self) -> bool:
        """Whether a training question has supporting facts."""
        return any(one.support for one in self.train)


def digest_of_questions(*parts: list[Example]) -> str:
    """A digest of all questions of some lists."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)} ".encode())
        for one in part:
            digest.update(repr((str(one.task), one.story, one.question, one.answer, one.support)).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class TableData:
    """The data of a call.

    Args:
        folder: the folder of the files.
        paper: the paper's table with the same data.
        wanted: the tasks that the call asks for.
        tasks: those of them that have their questions.
        missing: task -> which file of it is missing, among those that were asked for.
        simulated: tasks that are trained on simulated questions -> the number of these.
        questions: the questions of each training: the tasks one by one, then all together.
        train: the training questions of all tasks, in which symmetries are looked for; empty if nobody asked for them.
    """

    folder: Path
    paper: PaperTable
    wanted: tuple[int, ...]
    tasks: tuple[int, ...]
    missing: dict[int, str]
    simulated: dict[int, int]
    questions: tuple[Questions, ...]
    train: list[Example]


def read_data(
    table: str, data: Path, tasks: Sequence[int] | None, protocols: Iterable[Protocol], *, whole: bool = False
) -> TableData:
    """Read the questions of a table.

    Args:
        table: one of ``TABLES``.
        data: the folder of the files, or its parent.
        tasks: the tasks to report, by default all. All tasks are part of the joint training, and tested after it.
        protocols: the kinds of trainings.
        whole: whether ``TableData.train`` is needed.

    Raises:
        InputError, DataError: if a task does not exist, none has its files, or a file is malformed.
    """
    paper = read_table(TABLES[table])
    wanted = wanted_tasks(paper, tasks)
    files = TaskFiles(find_folder(data, paper.name), paper)
    simulated = {task: n for task, n in SIMULATED.get(table, {}).items() if files.missing.get(task) == "train"}
    usable = tuple(task for task in paper.tasks if task in files.usable or task in simulated)
    chosen = tuple(task for task in wanted if task in usable)
    missing = {task: part for task, part in files.missing.items() if task in wanted and task not in usable}
    if not chosen:
        lacking = ", ".join(f"task {task}: no {part} file" for task, part in missing.items())
        raise DataError(files.folder, None, f"none of the wanted tasks has its files ({lacking})")
    trainable = tuple(task for task in paper.tasks if task in files.trainable or task in simulated)
    known: dict[tuple[str, int], list[Example]] = {}

    def read(part: Literal["train", "test"], numbers: Iterable[int]) -> list[Example]:
        for task in numbers:
            if (part, task) not in known:
                made = part == "train" and task in simulated
                known[part, task] = (
                    simulate(task, simulated[task], 0, _SIMULATOR_SEED).train if made
                    else read_stories(files.folder, part, [task])
                )  # fmt: skip
        return [example for task in numbers for example in known[part, task]]

    questions: list[Questions] = []
    if "per-task" in protocols:
        questions += [
            Questions("per-task", f"task-{task}", f"task {task}", read("train", [task]), read("test", [task]), (task,))
            for task in chosen
        ]
    if "joint" in protocols:
        name, label = "all-tasks", "all tasks jointly"
        questions.append(Questions("joint", name, label, read("train", trainable), read("test", usable), usable))
    used = trainable if whole or "joint" in protocols else chosen
    simulated = {task: n for task, n in simulated.items() if task in used}
    return TableData(files.folder, paper, wanted, chosen, missing, simulated, tuple(questions),
                     read("train", trainable) if whole else [])  # fmt: skip
