"""What the reports of all tables share: where figures come from, how they are shown, and the files results.*."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from memn2n.errors import ModelError
from memn2n.files.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_FORMAT, _VERSION = "memn2n-reproduce", 1
_JSON, _MARKDOWN = "results.json", "results.md"


@dataclass(frozen=True)
class FigureTable:
    """Figures as text, for a terminal and for results.md."""

    headings: Sequence[str]  # of all columns; the first column names the rows
    rows: Sequence[Sequence[str]]  # one list of cells a row
    summary: Sequence[Sequence[str]] = ()  # rows below the others, such as their mean

    def markdown(self) -> list[str]:
        """The lines of a Markdown table."""
        lines = [self.headings, ["---", *["---:"] * (len(self.headings) - 1)], *self.rows, *self.summary]
        return [f"| {' | '.join(line)} |" for line in lines]


@dataclass(frozen=True, kw_only=True)
class Report(ABC):
    """The figures of one call, and where they come from.

    Args:
        table: the name of the table.
        command: the command line, or "" if it was not called from there.
        memn2n: the package's version.
        date: when the call began, ISO 8601, UTC.
        data: the folder of the data.
        seed: of the first restart.
        restarts: of each training.
    """

    table: str
    command: str
    memn2n: str = field(default_factory=lambda: version("memn2n"))
    date: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    data: str
    seed: int
    restarts: int

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """JSON values of the whole report."""

    @abstractmethod
    def markdown(self) -> str:
        """The report as a page of Markdown."""

    def write(self, out: Path) -> None:
        """Write results.json and results.md, each whole or not at all."""
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / _JSON, (json.dumps(self.to_dict(), indent=1) + "\n").encode())
        write_whole(out / _MARKDOWN, self.markdown().encode("utf-8", "replace"))

    def _origin(self) -> dict[str, Any]:
        values = {own.name: getattr(self, own.name) for own in fields(Report)}
        return {"format": _FORMAT, "version": _VERSION} | values

    def _page(self, how: str, explanation: str, lines: Sequence[str]) -> str:
        command = ["```sh", self.command, "```", ""] if self.command else []
        made = f"Made by memn2n {self.memn2n} on {self.date}, with seed {self.seed}"
        head = [f"# {self.table}", "", f"{made}{how}, on the files of `{self.data}`:", "", *command, explanation, ""]
        return "\n".join([*head, *lines]) + "\n"


def check_folder(out: Path) -> None:
    """Raise ModelError if the folder has a results.json of another program, which must not be overwritten."""
    path = out / _JSON
    try:
        if json.loads(path.read_bytes())["format"] == _FORMAT:
            return
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise ModelError(f"{path} was not written by memn2n reproduce; take another --out, or remove it")


def percent(share: float | None, sign: str = "") -> str:
    """A share from 0 to 1 in percent, or "-" for None; ``sign="+"`` also shows the sign of a gain."""
    return "-" if share is None else f"{100 * share:{sign}.1f}"
