"""The errors on bAbI that others published, with the protocol of each, read from published.toml."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from memn2n.files.toml_file import read_toml

_FILE = Path(__file__).with_name("published.toml")


class Published(NamedTuple):
    """The errors of one model.

    Args:
        table: the table that has the same data.
        protocol: "per-task" or "joint".
        model: its name.
        mean: the mean error of all tasks in percent, as printed.
        failed: the number of tasks with an error above 5%; None if it is not printed.
        how: what the figures are: how many trainings, chosen by what.
        source: where they are printed.
    """

    table: str
    protocol: str
    model: str
    mean: str
    failed: int | None
    how: str
    source: str


def published_figures(table: str) -> tuple[Published, ...]:
    """The published errors on the data of a table, in the order of the file."""
    values, _ = read_toml(_FILE)
    return tuple(Published(**({"failed": None} | one)) for one in values["figure"] if one["table"] == table)
