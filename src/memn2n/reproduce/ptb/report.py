"""The paper's perplexities and ours side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from memn2n.reproduce.babi.report import FORMAT
from memn2n.reproduce.paper import LM_TABLE
from memn2n.reproduce.results import markdown_table, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from memn2n.reproduce.ptb.recipe import LMRecipe

_VERSION = 1

LM_HEADINGS = ("paper valid", "ours valid", "paper test", "ours test", "epochs", "minutes")
"""What ``RowReport.cells`` holds."""

LM_EXPLANATION = (
    "Perplexities; ours is of the restart with the lowest validation loss. minutes: the training of all restarts, "
    "without validation."
)


@dataclass(frozen=True)
class RowReport:
    """One row of the table.

    Args:
        recipe: how it was trained.
        valid: perplexity of the validation text, in float32; None where every restart diverged.
        test: that of the test text; None also where there is no such file.
        restarts: the lowest validation perplexity of each restart, in the precision of its training; None of one that
            diverged.
        epochs: of the restart that is reported.
        seconds: of training, of all restarts that did not diverge, whenever they were trained.
    """

    recipe: LMRecipe
    valid: float | None
    test: float | None
    restarts: tuple[float | None, ...]
    epochs: int
    seconds: float

    @property
    def label(self) -> str:
        """The row's name, and the paper's row where that is another one."""
        name, row = self.recipe.name, self.recipe.row
        return name if name == row.lower() else f"{name} (beside {row})"

    def cells(self, with_test: bool) -> list[str]:
        """The figures under ``LM_HEADINGS``; ``with_test``: whether there is a test text."""
        paper = self.recipe.paper
        valid, test = ("diverged" if value is None else f"{value:.1f}" for value in (self.valid, self.test))
        return [f"{paper.valid:g}", valid, f"{paper.test:g}", test if with_test else "no test file",
                str(self.epochs), f"{self.seconds / 60:.1f}"]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        network = asdict(self.recipe.network)
        if self.recipe.model == "lstm":
            network = {name: network[name] for name in ("dim", "memory_size")}
        return {
            "row": self.recipe.name,
            "model": self.recipe.model,
            "paper": {"row": self.recipe.row, "valid": self.recipe.paper.valid, "test": self.recipe.paper.test},
            "valid": self.valid,
            "test": self.test,
            "restarts": self.restarts,
            "epochs": self.epochs,
            "training_seconds": round(self.seconds, 3),
            "network": network,
            "training": asdict(self.recipe.training),
        }


@dataclass(frozen=True)
class LMTableReport:
    """The rows of one call.

    Args:
        command: the command line, if it was one.
        memn2n: the package's version.
        torch: PyTorch's.
        date: when the call began, ISO 8601, UTC.
        data: the folder of the texts.
        seed: of the first restart of each row.
        restarts: of each row.
        device: where the call trains.
        precision: of the products in training, such as "bfloat16".
        has_test: whether there is a test text.
        rows: the rows that are done.
    """

    command: str
    memn2n: str
    torch: str
    date: str
    data: str
    seed: int
    restarts: int
    device: str
    precision: str
    has_test: bool
    rows: tuple[RowReport, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "format": FORMAT, "version": _VERSION, "table": LM_TABLE, "command": self.command, "memn2n": self.memn2n,
            "torch": self.torch, "date": self.date, "data": self.data, "seed": self.seed, "restarts": self.restarts,
            "device": self.device, "precision": self.precision, "has_test": self.has_test,
            "rows": [row.to_dict() for row in self.rows],
        }  # fmt: skip


def write_lm_results(report: LMTableReport, out: Path) -> None:
    """Write results.json and results.md, each whole or not at all."""
    write_files(report.to_dict(), lm_markdown(report), out)


def lm_markdown(report: LMTableReport) -> str:
    """The report as a page."""
    restarts = "1 restart" if report.restarts == 1 else f"{report.restarts} restarts"
    lines = [
        f"# {LM_TABLE}",
        "",
        f"Made by memn2n {report.memn2n} with PyTorch {report.torch} on {report.date}, with seed {report.seed} and "
        f"{restarts} of each row, products in {report.precision} on device {report.device}, on the files of "
        f"`{report.data}`:",
        "",
    ]
    if report.command:
        lines += ["```sh", report.command, "```", ""]
    lines += [LM_EXPLANATION, ""]
    lines += markdown_table(("row", *LM_HEADINGS), [[row.label, *row.cells(report.has_test)] for row in report.rows])
    return "\n".join(lines) + "\n"
