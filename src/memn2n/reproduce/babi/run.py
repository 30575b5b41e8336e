"""Trains the columns of a table, going on from what earlier calls stored."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memn2n.qa.training.problem import INTERRUPTED
from memn2n.qa.training.restarts import run_restarts
from memn2n.qa.training.schedule import Epoch
from memn2n.reproduce.babi.measure import TaskErrors, measure
from memn2n.reproduce.babi.plan import make_plan
from memn2n.reproduce.babi.report import ColumnReport, TableReport
from memn2n.reproduce.results import check_out, write_results

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memn2n.qa.config import Backend
    from memn2n.qa.training.problem import Restart, Trained
    from memn2n.reproduce.babi.plan import Plan, Unit

_SECONDS_BETWEEN_CALLS = 0.1  # epochs of small tasks take a millisecond


class Progress(NamedTuple):
    """How far a call is; told when it begins, after each restart, and every tenth of a second between them.

    ``work`` counts epochs by what they cost, so that the time left follows from it; it begins at what earlier calls
    have done. ``restart`` is the one that just ended.
    """

    column: str
    label: str
    restarts_done: int
    restarts: int
    work_done: float
    work: float
    restart: Restart | None = None


def run_table(
    table: str,
    data: str | Path,
    out: str | Path,
    *,
    columns: Sequence[str] | None = None,
    tasks: Sequence[int] | None = None,
    restarts: int = 10,
    seed: int = 0,
    threads: int | None = None,
    backend: Backend = "auto",
    test: str | Path | None = None,
    command: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    on_column: Callable[[ColumnReport, TableReport], None] | None = None,
) -> TableReport:
    """Train columns of one of the paper's tables, test them, and set the figures beside the paper's.

    Every finished restart is stored in ``out`` at once. The same call goes on from there, after Ctrl-C, a kill or a
    crash. After each column ``out`` gets results.json and results.md of the columns of this call.

    Args:
        table: "babi-1k" or "babi-10k".
        data: the folder of bAbI files (``en`` or ``en-10k``), or the one that holds it. A task without its files is
            left out, of the paper's mean too.
        out: the folder of restarts and results; made where it does not exist.
        columns: names of columns as the paper's table has them; by default all MemN2N columns.
        tasks: the tasks to report; by default all. A joint column is trained on all tasks that have a training file.
        restarts: networks trained for each task, or jointly (paper: 10).
        seed: the same seed gives the same figures.
        threads: restarts that the engine trains at a time, by default one a core; figures do not depend on it.
        backend: what trains, as for ``StoryQA.fit``. Restarts of different backends are not mixed.
        test: the folder of the test files, where it is another one than that of the training files.
        command: the command line, for the record.
        on_progress: called while training.
        on_column: called with each column's figures, and all figures so far.

    Returns:
        The figures. Tasks of which every restart diverged are in ``ColumnReport.diverged``.

    Raises:
        InputError: if an argument or the data cannot be used.
        ModelError: if ``out`` holds damaged restarts, or those of another recipe, data, seed or backend.
        KeyboardInterrupt: on Ctrl-C. Nothing that had finished is lost.
    """
    out = Path(out)
    check_out(out)
    plan = make_plan(table, Path(data), out, columns, tasks, restarts, seed, threads, backend,
                     None if test is None else Path(test))  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    report = TableReport(
        table, command, version("memn2n"), datetime.now(UTC).isoformat(timespec="seconds"), str(plan.files.folder),
        seed, restarts, tuple(task for task in plan.table.tasks if task not in plan.wanted),
        {task: files for task, files in plan.files.missing.items() if task in plan.wanted}, (),
    )  # fmt: skip
    tracker = _Tracker(plan, on_progress or (lambda _progress: None))
    for recipe, units in plan.columns:
        begin = time.perf_counter()
        trained_now = sum([_train(unit, threads, tracker.of(recipe.column, unit)) for unit in units])
        wall = time.perf_counter() - begin
        seconds = 0.0
        results: list[TaskErrors] = []
        for unit in units:
            stored = [unit.store.read(number) for number in range(restarts)]
            seconds += sum(trained.restart.seconds for trained in stored)
            results += measure(stored, unit.test)
        column = ColumnReport(
            recipe, plan.table, units[0].problem.backend, tuple(results),
            tuple(task for task in plan.tasks if task not in {result.task for result in results}),
            plan.files.trainable if recipe.joint else (), seconds, trained_now, wall,
        )  # fmt: skip
        report = report.with_column(column)
        write_results(report, out)
        if on_column is not None:
            on_column(column, report)
    return report


def _train(unit: Unit, threads: int | None, on_event: Callable[[Epoch | Restart], None]) -> int:
    """Train the restarts of a unit that are not stored yet; returns how many those were."""

    def store(trained: Trained) -> None:
        if trained.restart.stopped != INTERRUPTED:
            unit.store.write(trained)

    left = [number for number in range(unit.problem.training.restarts) if number not in unit.finished]
    if not run_restarts(unit.problem, left, on_event, store, threads):
        raise KeyboardInterrupt
    return len(left)


class _Tracker:
    """Sums up the events of all trainings."""

    def __init__(self, plan: Plan, tell: Callable[[Progress], None]) -> None:
        self._tell = tell
        self._told = 0.0
        everything = [(recipe, unit) for recipe, units in plan.columns for unit in units]
        self.restarts = sum(unit.problem.training.restarts for _, unit in everything)
        self.done = sum(len(unit.finished) for _, unit in everything)
        self.work = sum(unit.problem.training.restarts * unit.epochs * unit.epoch_work for _, unit in everything)
        self.work_done = sum(len(unit.finished) * unit.epochs * unit.epoch_work for _, unit in everything)
        first, unit = everything[0]
        tell(Progress(first.column, unit.label, self.done, self.restarts, self.work_done, self.work))

    def of(self, column: str, unit: Unit) -> Callable[[Epoch | Restart], None]:
        """What to call with the events of a unit."""
        epochs: dict[int, int] = {}  # of the restarts that are running

        def on_event(event: Epoch | Restart) -> None:
            ended = None
            if isinstance(event, Epoch):
                epochs[event.restart] = epochs.get(event.restart, 0) + 1
                if time.perf_counter() - self._told < _SECONDS_BETWEEN_CALLS:
                    return
            else:
                ended = event
                epochs.pop(event.restart, None)
                self.done += event.stopped != INTERRUPTED
                self.work_done += unit.epochs * unit.epoch_work  # also of epochs that were not needed
            self._told = time.perf_counter()
            running = sum(epochs.values()) * unit.epoch_work
            self._tell(Progress(column, unit.label, self.done, self.restarts, self.work_done + running, self.work,
                                ended))  # fmt: skip

        return on_event
