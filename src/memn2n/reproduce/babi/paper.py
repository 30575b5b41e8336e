"""The errors that the paper prints for bAbI, and those of a few other papers, read from paper_tables.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import InputError
from memn2n.qa.answers import FAILED_ABOVE
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLES = ("babi-1k", "babi-10k")
"""Table 1 of the paper (1,000 training questions a task), and Table 3 of its appendix (10,000)."""

_FILE = Path(__file__).parents[1] / "paper_tables.json"


@dataclass(frozen=True)
class PaperColumn:
    """The errors that the paper prints for one model."""

    name: str  # the column's name in the table
    tasks: int  # number of tasks in the table
    errors: dict[int, float]  # task -> share of wrong answers, 0 to 1; empty if only the mean is known
    printed_mean: float  # over all tasks; the authors computed it from figures with more digits
    printed_failed: int  # number of tasks with an error above 5%
    source: str = ""  # for a column that is not in the paper's table: where its figures are from

    def mean(self, tasks: Sequence[int]) -> float | None:
        """The mean error over some tasks: as printed over all of them, None over no task or if it is not known."""
        if len(tasks) == self.tasks:
            return self.printed_mean
        return sum(self.errors[task] for task in tasks) / len(tasks) if tasks and self.errors else None

    def failed(self, tasks: Sequence[int]) -> int | None:
        """The number of tasks among these with an error above 5%: as printed for all, None if not known."""
        if len(tasks) == self.tasks:
            return self.printed_failed
        if not self.errors:
            return None
        return sum(self.errors[task] > FAILED_ABOVE for task in tasks)


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's bAbI tables."""

    name: str  # one of ``TABLES``
    tasks: dict[int, str]  # number -> name, from task 1 on
    columns: dict[str, PaperColumn]  # name -> figures, in the paper's order, then those of other papers


def read_table(name: str) -> PaperTable:
    """The paper's table of that name.

    Raises:
        InputError: if there is no such table.
    """
    if name not in TABLES:
        raise InputError(f"there is no table {quoted(name)}; there are: {', '.join(TABLES)}")
    printed = json.loads(_FILE.read_bytes())[name]
    rows = dict(enumerate(printed["rows"], 1))
    figures = zip(printed["columns"], printed["mean"], printed["failed"], strict=True)
    columns = {
        column: PaperColumn(
            column, len(rows), {task: _share(row[i]) for task, row in rows.items()}, _share(mean), failed
        )
        for i, (column, mean, failed) in enumerate(figures, 1)
    }
    for other in printed["others"]:
        errors = dict(zip(rows, map(_share, other["errors"] or ()), strict=False))
        columns[other["column"]] = PaperColumn(
            other["column"], len(rows), errors, _share(other["mean"]), other["failed"], other["source"]
        )
    return PaperTable(name, {task: row[0] for task, row in rows.items()}, columns)


def _share(percent: float) -> float:
    return round(percent / 100, 4)  # removes the rounding error of the division
