"""The paper's perplexities on Penn Treebank and ours side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from memn2n.reproduce.report import FigureTable, Report

if TYPE_CHECKING:
    from memn2n.reproduce.ptb.recipe import LMRecipe

_HEADINGS = ("row", "paper valid", "ours valid", "paper test", "ours test", "epochs", "minutes")

LM_EXPLANATION = (
    "Perplexities; ours is of the restart with the lowest validation loss. minutes: the training of all restarts, "
    "without validation."
)


@dataclass(frozen=True)
class RowReport:
    """One row of the table.

    Args:
        recipe: how it was trained.
        valid: perplexity of the validation text, computed in float32; None if every restart diverged.
        test: perplexity of the test text; None also without such a file.
        restarts: the lowest validation perplexity of each restart, in the precision of its training; None for a restart
            that diverged.
        epochs: number of epochs of the restart that is reported.
        seconds: training time of all restarts that did not diverge, those of earlier calls included.
    """

    recipe: LMRecipe
    valid: float | None
    test: float | None
    restarts: tuple[float | None, ...]
    epochs: int
    seconds: float

    @property
    def label(self) -> str:
        """The row's name, and the row of the paper if its name is another one."""
        name, row = self.recipe.name, self.recipe.row
        return name if name == row.lower() else f"{name} (beside {row})"

    def cells(self, with_test: bool) -> list[str]:
        """The label and the figures; ``with_test`` tells whether there is a test text."""
        paper = self.recipe.paper
        valid, test = ("diverged" if value is None else f"{value:.1f}" for value in (self.valid, self.test))
        return [self.label, f"{paper.valid:g}", valid, f"{paper.test:g}", test if with_test else "no test file",
                str(self.epochs), f"{self.seconds / 60:.1f}"]  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        network = self.recipe.network.resolved()
        if self.recipe.model == "lstm":
            network = {name: network[name] for name in ("dim", "memory_size")}
        return {
            "row": self.recipe.name, "model": self.recipe.model,
            "paper": {"row": self.recipe.row, "valid": self.recipe.paper.valid, "test": self.recipe.paper.test},
            "valid": self.valid, "test": self.test, "restarts": self.restarts, "epochs": self.epochs,
            "training_seconds": round(self.seconds, 3), "network": network, "training": asdict(self.recipe.training),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class LMTableReport(Report):
    """The rows of one call."""

    torch: str  # PyTorch's version
    device: str  # where the call trained
    precision: str  # of the matrix products in training, such as "bfloat16"
    has_test: bool  # whether there is a test text
    rows: tuple[RowReport, ...] = ()  # those that are done

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return self._origin() | {
            "torch": self.torch, "device": self.device, "precision": self.precision, "has_test": self.has_test,
            "rows": [row.to_dict() for row in self.rows],
        }  # fmt: skip

    def figures(self) -> FigureTable:
        """The figures of all rows."""
        return FigureTable(_HEADINGS, [row.cells(self.has_test) for row in self.rows])

    def summary(self, row: RowReport) -> str:
        """The figures of a row as one line of text."""
        label, *figures = row.cells(self.has_test)
        return f"{label}: {', '.join(map('{} {}'.format, _HEADINGS[1:], figures))}"

    def markdown(self) -> str:
        """The figures as a page of Markdown."""
        restarts = "1 restart" if self.restarts == 1 else f"{self.restarts} restarts"
        how = (f" and {restarts} of each row, products in {self.precision} on device {self.device}, "
               f"PyTorch {self.torch}")  # fmt: skip
        return self._page(how, LM_EXPLANATION, self.figures().markdown())
