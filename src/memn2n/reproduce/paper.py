"""The figures that the paper prints, kept as data in paper_tables.json."""

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
"""The bAbI tables: Table 1 of the paper (1,000 training questions a task), and Table 3 of its appendix (10,000)."""

LM_TABLE = "ptb"
"""Table 2: language models on Penn Treebank."""

_FILE = Path(__file__).with_name("paper_tables.json")


@dataclass(frozen=True)
class Column:
    """What the paper prints for one model.

    Args:
        name: as the table has it.
        errors: task -> share of wrong answers, 0 to 1.
        printed_mean: the mean over all tasks as printed, which was made of figures with more digits.
        printed_failed: the number of tasks above 5% as printed.
    """

    name: str
    errors: dict[int, float]
    printed_mean: float
    printed_failed: int

    def mean(self, tasks: Sequence[int]) -> float | None:
        """Mean error over some tasks; None over none."""
        if len(tasks) == len(self.errors):
            return self.printed_mean
        return sum(self.errors[task] for task in tasks) / len(tasks) if tasks else None

    def failed(self, tasks: Sequence[int]) -> int:
        """How many of some tasks have an error above 5%."""
        if len(tasks) == len(self.errors):
            return self.printed_failed
        return sum(self.errors[task] > FAILED_ABOVE for task in tasks)


@dataclass(frozen=True)
class Table:
    """One of the paper's tables.

    Args:
        name: one of ``TABLES``.
        tasks: number -> name, from task 1 on.
        columns: name -> figures, in the paper's order; models that are not MemN2N among them.
    """

    name: str
    tasks: dict[int, str]
    columns: dict[str, Column]


def read_table(name: str) -> Table:
    """A table of the paper.

    Raises:
        InputError: if there is none of this name.
    """
    if name not in TABLES:
        raise InputError(f"there is no table {name!r}; there are: {', '.join(TABLES)}")
    printed = json.loads(_FILE.read_bytes())[name]
    rows = dict(enumerate(printed["rows"], 1))
    columns = {
        column: Column(
            column,
            {task: _share(row[i]) for task, row in rows.items()},
            _share(printed["mean"][i - 1]),
            printed["failed"][i - 1],
        )
        for i, column in enumerate(printed["columns"], 1)
    }
    return Table(name, {task: row[0] for task, row in rows.items()}, columns)


def _share(percent: float) -> float:
    return round(percent / 100, 4)  # 8.7 / 100 alone has a tail of digits


@dataclass(frozen=True)
class LMFigures:
    """What the paper prints for one language model on Penn Treebank.

    Args:
        hidden: its units.
        valid: perplexity of the validation text.
        test: perplexity of the test text.
    """

    hidden: int
    valid: float
    test: float


def read_lm_figures() -> dict[str, LMFigures]:
    """Row -> figures of Table 2, in the paper's order.

    A memory network's row is called by its hops and memory, such as "6x100", any other by its model, such as "LSTM".
    """
    printed = json.loads(_FILE.read_bytes())["lm"]
    rows = [dict(zip(printed["columns"], row, strict=True)) for row in printed["rows"]]
    return {
        f"{row['ptb_hops']}x{row['ptb_mem']}" if row["ptb_hops"] else row["model"]:
        LMFigures(row["ptb_hidden"], row["ptb_valid"], row["ptb_test"])
        for row in rows
    }  # fmt: skip
