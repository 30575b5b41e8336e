"""How well networks that are trained on simulated stories answer bAbI's own test questions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from memn2n.files.folder_lock import locked
from memn2n.qa.data.babi import available
from memn2n.reproduce.babi.paper import read_table
from memn2n.reproduce.babi.run import run_table
from memn2n.reproduce.babi.tasks import find_folder
from memn2n.reproduce.options import TransferOptions
from memn2n.reproduce.report import FigureTable, Report, check_folder, percent
from memn2n.simulator.story_files import write_simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memn2n.reproduce.babi.run import TableProgress

_TABLE, _COLUMN = "babi-10k", "PE LS RN"
_DEFAULTS = TransferOptions()

_HEADINGS = ("task", "published to published", "simulated to published", "simulated to simulated", "points more")

TRANSFER_EXPLANATION = (
    "Errors in percent: of networks trained on the first stories, on test questions of the second ones; of each task's "
    "restarts, the one with the lowest training loss. points more: simulated to published less published to published, "
    "or less simulated to simulated where there is no published training file."
)


@dataclass(frozen=True)
class TransferRow:
    """Test errors, 0 to 1, on one task or in the mean; None without a file, or if every restart diverged."""

    label: str  # the task's number and name
    has_published: bool  # whether there is a published training file
    published: float | None  # trained on the published file, tested on the published one
    transferred: float | None  # trained on simulated stories, tested on the published file
    simulated: float | None  # trained on simulated stories, tested on other simulated stories

    @property
    def excess(self) -> float | None:
        """``transferred`` less ``published``, or less ``simulated`` without a published training file."""
        before = self.published if self.has_published else self.simulated
        return None if before is None or self.transferred is None else self.transferred - before

    def cells(self) -> list[str]:
        """The label, and the errors in percent."""
        errors = map(percent, (self.published, self.transferred, self.simulated))
        return [self.label, *errors, percent(self.excess, "+")]


@dataclass(frozen=True, kw_only=True)
class TransferReport(Report):
    """The errors of one call.

    Args:
        n_train: simulated training questions of each task.
        n_test: simulated test questions of each task.
        rows: one for each task.
    """

    n_train: int
    n_test: int
    rows: tuple[TransferRow, ...]

    @property
    def mean(self) -> TransferRow:
        """The mean over the tasks that have all three figures."""
        whole = [row for row in self.rows if None not in (row.published, row.transferred, row.simulated)]

        def mean(name: str) -> float | None:
            return fmean(getattr(row, name) for row in whole) if whole else None

        return TransferRow(f"mean of {len(whole)}", True, mean("published"), mean("transferred"), mean("simulated"))

    def to_dict(self) -> dict[str, Any]:
        """JSON values; errors are shares, 0 to 1."""
        *rows, mean = (asdict(row) | {"excess": row.excess} for row in (*self.rows, self.mean))
        return self._origin() | {"n_train": self.n_train, "n_test": self.n_test, "rows": rows, "mean": mean}

    def figures(self) -> FigureTable:
        """The figures of each task, with their mean."""
        return FigureTable(_HEADINGS, [row.cells() for row in self.rows], [self.mean.cells()])

    def markdown(self) -> str:
        """The figures as a page of Markdown."""
        how = f", {self.restarts} restarts of each training and {self.n_train} simulated questions of each task"
        return self._page(how, TRANSFER_EXPLANATION, self.figures().markdown())


def run_transfer(
    data: str | Path,
    out: str | Path,
    tasks: Sequence[int] | None = None,
    options: TransferOptions = _DEFAULTS,
    *,
    n_train: int = 10_000,
    n_test: int = 1000,
    command: str = "",
    on_progress: Callable[[str, TableProgress], None] | None = None,
) -> TransferReport:
    """Train on published and on simulated stories, and test both on published stories.

    The recipe is that of the column PE LS RN of babi-10k. Every finished restart is stored in ``out`` at once, and the
    same call continues from there.

    Args:
        data: the folder of the published files (``en-10k``), or its parent.
        out: the folder of the simulated files, the restarts and the results; it is made if it does not exist.
        tasks: by default all.
        options: restarts, seed (also of the simulator), threads and backend.
        n_train: simulated training questions of each task.
        n_test: simulated test questions of each task.
        command: the command line, for the record.
        on_progress: called while training, with "published" or "simulated", the stories that are trained on.

    Raises:
        InputError: if an argument or the data cannot be used, or another process writes to ``out``.
        ModelError: if ``out`` holds damaged restarts, or those of another recipe, data, seed or backend.
        KeyboardInterrupt: on Ctrl-C. No finished restart is lost.
    """
    out = Path(out)
    check_folder(out)
    table = read_table(_TABLE)
    published = find_folder(Path(data), _TABLE)
    date = datetime.now(UTC).isoformat(timespec="seconds")

    def errors(stories: str, train: Path, test: Path | None) -> dict[int, float]:
        report = run_table(_TABLE, train, out / f"{stories} stories", [_COLUMN], tasks, options, test=test,
                           on_progress=on_progress and partial(on_progress, stories))  # fmt: skip
        return {result.task: result.by_training for result in report.columns[0].results}

    chosen = tuple(table.tasks) if tasks is None else tuple(sorted(set(tasks)))
    with locked(out):
        simulated = out / "simulated files"
        for _ in write_simulated(simulated, chosen, n_train, n_test, options.seed):
            pass
        with_file = available(published, "train").keys() & set(chosen)
        of_published = errors("published", published, None) if with_file else {}
        of_simulated = errors("simulated", simulated, None)
        transferred = errors("simulated", simulated, published)
        rows = tuple(
            TransferRow(
                label=f"{task}: {table.tasks[task]}", has_published=task in with_file, published=of_published.get(task),
                transferred=transferred.get(task), simulated=of_simulated.get(task),
            )
            for task in chosen
        )  # fmt: skip
        report = TransferReport(
            table="transfer", command=command, date=date, data=str(published), seed=options.seed,
            restarts=options.restarts, n_train=n_train, n_test=n_test, rows=rows,
        )  # fmt: skip
        report.write(out)
    return report
