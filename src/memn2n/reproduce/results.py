"""The files of results: results.json and results.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from memn2n.errors import ModelError
from memn2n.files.whole_file import write_whole
from memn2n.reproduce.babi.report import FORMAT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memn2n.reproduce.babi.report import ColumnReport, Failed, Row, TableReport

_JSON, _MARKDOWN = "results.json", "results.md"

HEADINGS = ("paper", "by training", "by validation", "restarts", "ensemble")
"""What ``cells`` and ``failed_cells`` hold."""

EXPLANATION = (
    "by training, by validation: the restart with the lowest loss on that data (the paper's is by training). "
    "restarts: their mean ± standard deviation. ensemble: the restarts' mean probabilities."
)


def cells(row: Row) -> list[str]:
    """Errors in percent."""
    mean = _percent(row.mean) + ("" if row.spread is None else f" ± {_percent(row.spread)}")
    return [_percent(row.paper), _percent(row.by_training), _percent(row.by_validation), mean, _percent(row.ensemble)]


def failed_cells(failed: Failed) -> list[str]:
    """Numbers of failed tasks."""
    return ["-" if count is None else str(count) for count in failed]


def write_results(report: TableReport, out: Path) -> None:
    """Write results.json and results.md, each whole or not at all."""
    write_files(report.to_dict(), markdown(report), out)


def write_files(values: dict[str, Any], page: str, out: Path) -> None:
    """Write results.json and results.md of a table of any kind."""
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / _JSON, (json.dumps(values, indent=1) + "\n").encode())
    write_whole(out / _MARKDOWN, page.encode("utf-8", "replace"))


def check_out(out: Path) -> None:
    """Make sure that no other program's results are in the way.

    Raises:
        ModelError: if they are.
    """
    path = out / _JSON
    try:
        if json.loads(path.read_bytes())["format"] == FORMAT:
            return
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ModelError(f"{path} was not written by memn2n reproduce; take another --out, or remove it")


def markdown(report: TableReport) -> str:
    """The report as a page: all columns' means, then each column."""
    made = f"Made by memn2n {report.memn2n} on {report.date}, with seed {report.seed}"
    restarts = f"{report.restarts} restarts of each training, on the files of `{report.data}`"
    lines = [f"# {report.table}", "", f"{made} and {restarts}:", ""]
    if report.command:
        lines += ["```sh", report.command, "```", ""]
    lines += [f"Errors are in percent of the test questions; a task is failed above 5%. {EXPLANATION}", ""]
    lines += markdown_table(("column", *HEADINGS), [
        [column.recipe.column, *map(_with_failed, cells(column.mean), failed_cells(column.failed))]
        for column in report.columns
    ])  # fmt: skip
    lines += ["", "Means, and in brackets the numbers of failed tasks."]
    for column in report.columns:
        lines += ["", f"## {column.recipe.column}", "", *_column(column), ""]
        lines += [f"{note[0].upper()}{note[1:]}.  " for note in report.left_out(column)]
        lines.append(f"Training: {column.training_seconds:.1f} s, the sum of all restarts (backend {column.backend}).")
    return "\n".join(lines) + "\n"


def _column(column: ColumnReport) -> list[str]:
    rows = [[column.label(result.task), *cells(column.row(result))] for result in column.results]
    rows += [["mean", *cells(column.mean)], ["failed tasks", *failed_cells(column.failed)]]
    return markdown_table(("task", *HEADINGS), rows)


def markdown_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a Markdown table; all columns but the first are figures."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def _with_failed(mean: str, failed: str) -> str:
    return f"{mean} ({failed})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
