"""The errors that the paper prints for bAbI, read from paper_tables.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import InputError
from memn2n.qa.answers import FAILED_ABOVE

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLES = ("babi-1k", "babi-10k")
"""Table 1 of the paper (1,000 training questions a task), and Table 3 of its appendix (10,000)."""

_FILE = Path(__file__).parents[1] / "paper_tables.json"


@dataclass(frozen=True)
class PaperColumn:
    """The errors that the paper prints for one model."""

    name: str  # the column's name in the table
    errors: dict[int, float]  # task -> share of wrong answers, 0 to 1
    printed_mean: float  # over all tasks; the authors computed it from figures with more digits
    printed_failed: int  # number of tasks with an error above 5%

    def mean(self, tasks: Sequence[int]) -> float | None:
        """The mean error over some tasks: as printed over all of them, None over no task."""
        if len(tasks) == len(self.errors):
            return self.printed_mean
        return sum(self.errors[task] for task in tasks) / len(tasks) if tasks else None

    def failed(self, tasks: Sequence[int]) -> int:
        """The number of tasks among these with an error above 5%: as printed for all of them."""
        if len(tasks) == len(self.errors):
            return self.printed_failed
        return sum(self.errors[task] > FAILED_ABOVE for task in tasks)


@dataclass(frozen=True)
class PaperTable:
    """One of the paper's bAbI tables."""

    name: str  # one of ``TABLES``
    tasks: dict[int, str]  # number -> name, from task 1 on
    columns: dict[str, PaperColumn]  # name -> figures, in the paper's order; some are models other than MemN2N


def read_table(name: str) -> PaperTable:
    """The paper's table of that name.

    Raises:
        InputError: if there is no such table.
    """
    if name not in TABLES:
        raise InputError(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
    printed = json.loads(_FILE.read_bytes())[name]
    rows = dict(enumerate(printed["rows"], 1))
    figures = zip(printed["columns"], printed["mean"], printed["failed"], strict=True)
    columns = {
        column: PaperColumn(column, {task: _share(row[i]) for task, row in rows.items()}, _share(mean), failed)
        for i, (column, mean, failed) in enumerate(figures, 1)
    }
    return PaperTable(name, {task: row[0] for task, row in rows.items()}, columns)


def _share(percent: float) -> float:
    return round(percent / 100, 4)  # removes the rounding error of the division
