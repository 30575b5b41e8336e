"""Whether simulated stories will do: networks trained on them answer bAbI's own test questions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from memn2n.qa.data.babi import available
from memn2n.reproduce.babi.report import FORMAT
from memn2n.reproduce.babi.run import run_table
from memn2n.reproduce.babi.tasks import find_folder
from memn2n.reproduce.paper import read_table
from memn2n.reproduce.results import check_out, markdown_table, write_files
from memn2n.simulator.story_files import write_simulated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memn2n.qa.config import Backend
    from memn2n.reproduce.babi.run import Progress

TRANSFER = "transfer"
_TABLE, _COLUMN = "babi-10k", "PE LS RN"
_VERSION = 1

TRANSFER_HEADINGS = ("published to published", "simulated to published", "simulated to simulated", "points more")
"""What ``TransferRow.cells`` holds."""

TRANSFER_EXPLANATION = (
    "Errors in percent: of networks trained on the first stories, on test questions of the second ones; of each task's "
    "restarts, the one with the lowest training loss. points more: simulated to published less published to published, "
    "or less simulated to simulated where there is no published training file."
)


@dataclass(frozen=True)
class TransferRow:
    """Test errors, 0 to 1, on one task or in the mean; None where there is no file, or every restart diverged.

    Args:
        label: the task's number and name.
        has_published: whether there is a published training file.
        published: trained on the published file, tested on the published one.
        transferred: trained on simulated stories, tested on the published file.
        simulated: trained on simulated stories, tested on others of these.
    """

    label: str
    has_published: bool
    published: float | None
    transferred: float | None
    simulated: float | None

    @property
    def excess(self) -> float | None:
        """By how much simulated stories do worse than published ones; or, without these, than on their own kind."""
        before = self.published if self.has_published else self.simulated
        return None if before is None or self.transferred is None else self.transferred - before

    def cells(self) -> list[str]:
        """The figures under ``TRANSFER_HEADINGS``."""
        errors = ("-" if error is None else f"{100 * error:.1f}"
                  for error in (self.published, self.transferred, self.simulated))  # fmt: skip
        return [*errors, "-" if self.excess is None else f"{100 * self.excess:+.1f}"]


@dataclass(frozen=True)
class TransferReport:
    """The table.

    Args:
        command: the command line, if it was one.
        memn2n: the package's version.
        date: when the call began, ISO 8601, UTC.
        data: the folder of the published files.
        seed: of the stories and of all restarts.
        restarts: of each task.
        n_train: simulated training questions of each task.
        n_test: simulated test questions of each.
        rows: the tasks'.
    """

    command: str
    memn2n: str
    date: str
    data: str
    seed: int
    restarts: int
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
        record = {"format": FORMAT, "version": _VERSION, "table": TRANSFER} | asdict(self)
        rows = [asdict(row) | {"excess": row.excess} for row in (*self.rows, self.mean)]
        return record | {"rows": rows[:-1], "mean": rows[-1]}

    def markdown(self) -> str:
        """The table as a page."""
        made = f"Made by memn2n {self.memn2n} on {self.date}, with seed {self.seed} and {self.restarts} restarts"
        of = f"of each training, on {self.n_train} simulated questions of each task and on the files of `{self.data}`:"
        lines = [f"# {TRANSFER}", "", f"{made} {of}", ""]
        if self.command:
            lines += ["```sh", self.command, "```", ""]
        lines += [TRANSFER_EXPLANATION, ""]
        lines += markdown_table(
            ("task", *TRANSFER_HEADINGS), [[row.label, *row.cells()] for row in (*self.rows, self.mean)]
        )
        return "\n".join(lines) + "\n"


def run_transfer(
    data: str | Path,
    out: str | Path,
    *,
    tasks: Sequence[int] | None = None,
    restarts: int = 5,
    seed: int = 0,
    threads: int | None = None,
    backend: Backend = "auto",
    n_train: int = 10_000,
    n_test: int = 1000,
    command: str = "",
    on_progress: Callable[[str, Progress], None] | None = None,
) -> TransferReport:
    """Train by the recipe PE LS RN of babi-10k on published and on simulated stories, and test both on published ones.

    Every finished restart is stored in ``out`` at once, and the same call goes on from there.

    Args:
        data: the folder of the published files (``en-10k``), or the one that holds it.
        out: the folder of the simulated files, the restarts and the results; made where it does not exist.
        tasks: by default all.
        restarts: networks trained for each task on each kind of stories.
        seed: of the simulated stories and of the restarts.
        threads: as for ``run_table``.
        backend: as for ``run_table``.
        n_train: simulated training questions of each task.
        n_test: simulated test questions of each task.
        command: the command line, for the record.
        on_progress: called while training, with what is trained on.

    Raises:
        InputError: if an argument or the data cannot be used.
        ModelError: if ``out`` holds damaged restarts, or other ones.
        KeyboardInterrupt: on Ctrl-C. Nothing that had finished is lost.
    """
    out = Path(out)
    check_out(out)
    table = read_table(_TABLE)
    published = find_folder(Path(data), _TABLE)
    begun = datetime.now(UTC).isoformat(timespec="seconds")

    def errors(name: str, train: Path, test: Path | None) -> dict[int, float]:
        def tell(progress: Progress) -> None:
            if on_progress is not None:
                on_progress(name, progress)

        report = run_table(_TABLE, train, out / f"{name} stories", columns=[_COLUMN], tasks=tasks, restarts=restarts,
                           seed=seed, threads=threads, backend=backend, test=test, on_progress=tell)  # fmt: skip
        return {result.task: result.by_training for result in report.columns[0].results}

    chosen = tuple(table.tasks) if tasks is None else tuple(sorted(set(tasks)))
    files = out / "simulated files"
    for _ in write_simulated(files, chosen, n_train, n_test, seed):
        pass
    of_published: dict[int, float] = {}
    files_published = available(published, "train").keys()
    if files_published & set(chosen):
        of_published = errors("published", published, None)
    of_simulated = errors("simulated", files, None)
    transferred = errors("simulated", files, published)
    rows = []
    for task in chosen:
        label = f"{task}: {table.tasks[task]}"
        rows.append(TransferRow(label, task in files_published, of_published.get(task), transferred.get(task),
                                of_simulated.get(task)))  # fmt: skip
    report = TransferReport(
        command, version("memn2n"), begun, str(published), seed, restarts, n_train, n_test, tuple(rows)
    )
    write_files(report.to_dict(), report.markdown(), out)
    return report
