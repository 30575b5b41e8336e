"""The paper's figures and ours side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from memn2n.qa.answers import FAILED_ABOVE
from memn2n.reproduce.babi.measure import TaskErrors, deviation, known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memn2n.reproduce.babi.recipe import Recipe
    from memn2n.reproduce.paper import Table

FORMAT = "memn2n-reproduce"
_VERSION = 1


class Row(NamedTuple):
    """Errors, 0 to 1, of one task or in the mean; None where there is none to tell."""

    paper: float | None
    by_training: float | None
    by_validation: float | None
    mean: float | None
    spread: float | None
    ensemble: float | None


class Failed(NamedTuple):
    """How many tasks have an error above 5%; ``mean`` counts those of which the mean over restarts is above."""

    paper: int
    by_training: int
    by_validation: int | None
    mean: int
    ensemble: int


@dataclass(frozen=True)
class ColumnReport:
    """One column of a table.

    Args:
        recipe: how it was trained.
        table: the paper's table.
        backend: what trained it.
        results: the tasks' errors.
        diverged: tasks of which every restart diverged; they are in no mean.
        trained_on: of a joint column, the tasks that it learned.
        training_seconds: the sum of all restarts' seconds, whenever they were trained.
        trained_now: restarts that this call trained.
        wall_seconds: how long that took, several at a time.
    """

    recipe: Recipe
    table: Table
    backend: str
    results: tuple[TaskErrors, ...]
    diverged: tuple[int, ...]
    trained_on: tuple[int, ...]
    training_seconds: float
    trained_now: int
    wall_seconds: float

    @property
    def tasks(self) -> tuple[int, ...]:
        """The tasks that the means are over."""
        return tuple(result.task for result in self.results)

    def label(self, task: int) -> str:
        """A task's number and name."""
        return f"{task}: {self.table.tasks[task]}"

    def row(self, result: TaskErrors) -> Row:
        """The errors on one task."""
        paper = self.table.columns[self.recipe.column].errors[result.task]
        return Row(paper, result.by_training, result.by_validation, result.mean, result.spread, result.ensemble)

    @property
    def mean(self) -> Row:
        """The mean over the tasks.

        Its spread is that of the restarts' own means: restart 1 of all tasks makes the first one, and so on.
        """
        results = self.results
        each = zip(*(result.restarts for result in results), strict=True)
        means = [fmean(known(errors)) for errors in each if None not in errors]
        return Row(
            self.table.columns[self.recipe.column].mean(self.tasks),
            _mean(result.by_training for result in results),
            _mean(result.by_validation for result in results),
            _mean(result.mean for result in results),
            deviation(means),
            _mean(result.ensemble for result in results),
        )

    @property
    def failed(self) -> Failed:
        """The numbers of failed tasks."""

        def count(errors: Iterable[float]) -> int:
            return sum(error > FAILED_ABOVE for error in errors)

        by_validation = [result.by_validation for result in self.results]
        return Failed(
            self.table.columns[self.recipe.column].failed(self.tasks),
            count(result.by_training for result in self.results),
            None if None in by_validation else count(known(by_validation)),
            count(result.mean for result in self.results),
            count(result.ensemble for result in self.results),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON values; errors are shares, 0 to 1."""
        return {
            "column": self.recipe.column,
            "joint": self.recipe.joint,
            "backend": self.backend,
            "mean": self.mean._asdict(),
            "failed": self.failed._asdict(),
            "tasks": [
                {"task": result.task, "name": self.table.tasks[result.task], "questions": result.questions}
                | self.row(result)._asdict()
                | {"restarts": result.restarts}
                for result in self.results
            ],
            "diverged": self.diverged,
            "trained_on": self.trained_on,
            "training_seconds": round(self.training_seconds, 3),
            "trained_now": self.trained_now,
            "wall_seconds": round(self.wall_seconds, 3),
            "network": asdict(self.recipe.network),
            "training": asdict(self.recipe.training),
        }


@dataclass(frozen=True)
class TableReport:
    """The columns of one call.

    Args:
        table: name of the paper's table.
        command: the command line, if it was one.
        memn2n: the package's version.
        date: when the call began, ISO 8601, UTC.
        data: the folder of the bAbI files.
        seed: of all restarts.
        restarts: of each task.
        unwanted: tasks that were not asked for.
        missing: task that was asked for -> which of its files is missing.
        columns: the columns that are done.
    """

    table: str
    command: str
    memn2n: str
    date: str
    data: str
    seed: int
    restarts: int
    unwanted: tuple[int, ...]
    missing: dict[int, str]
    columns: tuple[ColumnReport, ...]

    def with_column(self, column: ColumnReport) -> TableReport:
        """The report with one more column."""
        return replace(self, columns=(*self.columns, column))

    def to_dict(self) -> dict[str, Any]:
        """JSON values; errors are shares, 0 to 1."""
        return {
            "format": FORMAT, "version": _VERSION, "table": self.table, "command": self.command,
            "memn2n": self.memn2n, "date": self.date, "data": self.data, "seed": self.seed,
            "restarts": self.restarts, "unwanted": self.unwanted,
            "missing": {str(task): part for task, part in self.missing.items()},
            "columns": [column.to_dict() for column in self.columns],
        }  # fmt: skip

    def left_out(self, column: ColumnReport) -> list[str]:
        """What is in none of the means of a column, the paper's included, and why; one line each."""
        lines = [f"left out of all means, having no {part} file: task {column.label(task)}"
                 for task, part in self.missing.items()]  # fmt: skip
        if self.unwanted:
            lines.append(f"left out of all means, as not asked for: {_tasks(self.unwanted)}")
        if column.diverged:
            lines.append(f"left out of all means, as every restart diverged: {_tasks(column.diverged)}")
        absent = [task for task in column.table.tasks if task not in column.trained_on] if column.recipe.joint else []
        if absent:
            lines.append(f"the joint training lacks {_tasks(absent)}")
        return lines


def _mean(values: Iterable[float | None]) -> float | None:
    given = list(values)
    numbers = known(given)
    return fmean(numbers) if numbers and len(numbers) == len(given) else None


def _tasks(numbers: Iterable[int]) -> str:
    """For example "tasks 1, 3-5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    plural = "s" if len(runs) > 1 or len(runs[0]) > 1 else ""
    return f"task{plural} " + ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
