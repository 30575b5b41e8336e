"""The paper's errors on bAbI and ours side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from memn2n.qa.answers import FAILED_ABOVE
from memn2n.reproduce.babi.task_errors import TaskErrors, deviation, known
from memn2n.reproduce.report import FigureTable, Report, percent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memn2n.reproduce.babi.paper import PaperTable
    from memn2n.reproduce.babi.recipe import Recipe

_HEADINGS = ("paper", "by training", "by validation", "restarts", "ensemble")

EXPLANATION = (
    "Errors are in percent of the test questions; a task is failed above 5%. by training, by validation: the restart "
    "with the lowest loss on that data (the paper selects by training). restarts: their mean ± standard deviation. "
    "ensemble: the mean of the restarts' probabilities."
)


class ErrorRow(NamedTuple):
    """Errors, 0 to 1, on one task or in the mean; None where there is no such figure."""

    paper: float | None
    by_training: float | None
    by_validation: float | None
    mean: float | None
    spread: float | None
    ensemble: float | None

    def cells(self) -> list[str]:
        """The errors in percent."""
        mean = percent(self.mean) + ("" if self.spread is None else f" ± {percent(self.spread)}")
        errors = (self.paper, self.by_training, self.by_validation)
        return [*map(percent, errors), mean, percent(self.ensemble)]


class FailedTasks(NamedTuple):
    """Numbers of tasks with an error above 5%; ``mean`` counts the tasks whose mean over restarts is above it."""

    paper: int | None
    by_training: int
    by_validation: int | None
    mean: int
    ensemble: int

    def cells(self) -> list[str]:
        """The numbers as text."""
        return ["-" if count is None else str(count) for count in self]


@dataclass(frozen=True)
class ColumnReport:
    """One column of a table."""

    recipe: Recipe
    table: PaperTable
    backend: str  # what trained it
    results: tuple[TaskErrors, ...]
    diverged: tuple[int, ...]  # tasks on which every restart diverged; no mean includes them
    trained_on: tuple[int, ...]  # the tasks that a joint column learned; empty for other columns
    training_seconds: float  # training time of all restarts, those of earlier calls included
    trained_now: int  # number of restarts that this call trained
    wall_seconds: float  # how long this call trained; the engine trains several restarts at the same time

    @property
    def tasks(self) -> tuple[int, ...]:
        """The tasks that the means include."""
        return tuple(result.task for result in self.results)

    def label(self, task: int) -> str:
        """A task's number and name."""
        return f"{task}: {self.table.tasks[task]}"

    def row(self, result: TaskErrors) -> ErrorRow:
        """The errors on one task."""
        paper = self.table.columns[self.recipe.column].errors.get(result.task)
        return ErrorRow(paper, result.by_training, result.by_validation, result.mean, result.spread, result.ensemble)

    @property
    def mean(self) -> ErrorRow:
        """The mean over the tasks.

        Its spread is the standard deviation of n means, where mean i is over restart i of every task.
        """
        results = self.results
        each = zip(*(result.restarts for result in results), strict=True)
        means = [fmean(known(errors)) for errors in each if None not in errors]
        return ErrorRow(
            self.table.columns[self.recipe.column].mean(self.tasks),
            _mean(result.by_training for result in results),
            _mean(result.by_validation for result in results),
            _mean(result.mean for result in results),
            deviation(means),
            _mean(result.ensemble for result in results),
        )

    @property
    def failed(self) -> FailedTasks:
        """The numbers of failed tasks."""

        def count(errors: Iterable[float]) -> int:
            return sum(error > FAILED_ABOVE for error in errors)

        by_validation = [result.by_validation for result in self.results]
        return FailedTasks(
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

    def figures(self) -> FigureTable:
        """The figures of each task, with their mean."""
        rows = [[self.label(result.task), *self.row(result).cells()] for result in self.results]
        summary = [["mean", *self.mean.cells()], ["failed tasks", *self.failed.cells()]]
        return FigureTable(("task", *_HEADINGS), rows, summary)


@dataclass(frozen=True, kw_only=True)
class TableReport(Report):
    """The columns of one call.

    Args:
        unwanted: tasks that the call left out.
        missing: task -> which file of it is missing, among the tasks that the call asked for.
        columns: the columns that are done.
    """

    unwanted: tuple[int, ...]
    missing: dict[int, str]
    columns: tuple[ColumnReport, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values; errors are shares, 0 to 1."""
        return self._origin() | {
            "unwanted": self.unwanted,
            "missing": {str(task): part for task, part in self.missing.items()},
            "columns": [column.to_dict() for column in self.columns],
        }

    def markdown(self) -> str:
        """The means of all columns, then each column, as a page of Markdown."""
        means = FigureTable(("column", *_HEADINGS), [
            [column.recipe.column, *map("{} ({})".format, column.mean.cells(), column.failed.cells())]
            for column in self.columns
        ])  # fmt: skip
        lines = [*means.markdown(), "", "Means, with the numbers of failed tasks in brackets."]
        for column in self.columns:
            lines += ["", f"## {column.recipe.column}", "", *column.figures().markdown(), ""]
            lines += [f"{note[0].upper()}{note[1:]}.  " for note in self.notes(column)]
            lines.append(f"Training: {column.training_seconds:.1f} s, the sum of all restarts "
                         f"(backend {column.backend}).")  # fmt: skip
        return self._page(f" and {self.restarts} restarts of each training", EXPLANATION, lines)

    def notes(self, column: ColumnReport) -> list[str]:
        """Which tasks all means leave out and why, and the source of the figures under paper: one line each."""
        lines = [f"left out of all means, because the {part} file is missing: task {column.label(task)}"
                 for task, part in self.missing.items()]  # fmt: skip
        source = column.table.columns[column.recipe.column].source
        if source:
            lines.append(f"the figures under paper are those of {source}")
        if self.unwanted:
            lines.append(f"left out of all means, because this call does not report them: {tasks_text(self.unwanted)}")
        if column.diverged:
            lines.append(f"left out of all means, because every restart diverged: {tasks_text(column.diverged)}")
        absent = [task for task in column.table.tasks if task not in column.trained_on] if column.recipe.joint else []
        if absent:
            lines.append(f"not part of the joint training: {tasks_text(absent)}")
        return lines


def _mean(values: Iterable[float | None]) -> float | None:
    given = list(values)
    numbers = known(given)
    return fmean(numbers) if numbers and len(numbers) == len(given) else None


def tasks_text(numbers: Iterable[int]) -> str:
    """For example "tasks 1, 3-5"."""
    # in a run of numbers without a gap, the difference between a number and its position is the same
    groups = groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    runs = [[number for _, number in group] for _, group in groups]
    plural = "s" if len(runs) > 1 or len(runs[0]) > 1 else ""
    return f"task{plural} " + ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
