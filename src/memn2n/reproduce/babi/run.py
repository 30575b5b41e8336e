"""Train the columns of a bAbI table, and continue what earlier calls left unfinished."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memn2n.files.folder_lock import locked
from memn2n.qa.training.problem import INTERRUPTED
from memn2n.qa.training.restarts import run_restarts
from memn2n.qa.training.schedule import Epoch
from memn2n.reproduce.babi.plan import make_plan
from memn2n.reproduce.babi.report import ColumnReport, TableReport
from memn2n.reproduce.babi.task_errors import TaskErrors, task_errors
from memn2n.reproduce.options import BabiOptions
from memn2n.reproduce.report import check_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memn2n.qa.training.problem import Restart, TrainedNetwork
    from memn2n.reproduce.babi.plan import Job, Plan

_SECONDS_BETWEEN_CALLS = 0.1  # an epoch of a small task takes a millisecond
_DEFAULTS = BabiOptions()


class TableProgress(NamedTuple):
    """How much of a call is done.

    Args:
        column: the column that is being trained.
        label: the task of it, or "all tasks jointly".
        restarts_done: finished restarts of the whole call, those of earlier calls included.
        restarts: all restarts of the call.
        work_done: epochs done, each counted by its cost, so that the time left can be estimated.
        work: the same for the whole call.
        restart: the restart that just ended, if one did.
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
    columns: Sequence[str] | None = None,
    tasks: Sequence[int] | None = None,
    options: BabiOptions = _DEFAULTS,
    *,
    test: str | Path | None = None,
    command: str = "",
    on_progress: Callable[[TableProgress], None] | None = None,
    on_column: Callable[[ColumnReport, TableReport], None] | None = None,
) -> TableReport:
    """Train columns of one of the paper's bAbI tables, test them, and compare the errors with the paper's.

    Every finished restart is stored in ``out`` at once. After Ctrl-C, a kill or a crash, the same call continues from
    there. After each column, results.json and results.md in ``out`` hold the columns of this call.

    Args:
        table: "babi-1k" or "babi-10k".
        data: the folder of bAbI files (``en`` or ``en-10k``), or its parent. A task without its files is left out, and
            also left out of the paper's mean.
        out: the folder of restarts and results; it is made if it does not exist.
        columns: names of columns in the paper's table; by default all MemN2N columns.
        tasks: the tasks to report, by default all. A joint column is always trained on all tasks that have a training
            file.
        options: restarts, seed, threads and backend.
        test: the folder of the test files, if it is not that of the training files.
        command: the command line, for the record.
        on_progress: called at the beginning, after each restart, and between them every tenth of a second.
        on_column: called with each column's figures, and with all figures so far.

    Returns:
        The figures. ``ColumnReport.diverged`` names the tasks on which every restart diverged.

    Raises:
        InputError: if an argument or the data cannot be used, or another process writes to ``out``.
        ModelError: if ``out`` holds damaged restarts, or those of another recipe, data, seed or backend.
        KeyboardInterrupt: on Ctrl-C. No finished restart is lost.
    """
    out = Path(out)
    check_folder(out)
    plan = make_plan(table, Path(data), out, columns, tasks, options, None if test is None else Path(test))
    report = TableReport(
        table=table, command=command, data=str(plan.files.folder), seed=options.seed, restarts=options.restarts,
        unwanted=tuple(task for task in plan.table.tasks if task not in plan.wanted),
        missing={task: files for task, files in plan.files.missing.items() if task in plan.wanted},
    )  # fmt: skip
    tracker = _Tracker(plan, on_progress or (lambda _progress: None))
    with locked(out):
        for recipe, jobs in plan.columns:
            begin = time.perf_counter()
            trained_now = sum([_train(job, options.threads, tracker.listener(recipe.column, job)) for job in jobs])
            wall_seconds = time.perf_counter() - begin
            training_seconds = 0.0
            results: list[TaskErrors] = []
            for job in jobs:
                stored = [job.store.read(number) for number in range(options.restarts)]
                training_seconds += sum(trained.restart.seconds for trained in stored)
                results += task_errors(stored, job.test)
            tested = {result.task for result in results}
            column = ColumnReport(
                recipe=recipe, table=plan.table, backend=jobs[0].problem.backend, results=tuple(results),
                diverged=tuple(task for task in plan.tasks if task not in tested),
                trained_on=plan.files.trainable if recipe.joint else (), training_seconds=training_seconds,
                trained_now=trained_now, wall_seconds=wall_seconds,
            )  # fmt: skip
            report = replace(report, columns=(*report.columns, column))
            report.write(out)
            if on_column is not None:
                on_column(column, report)
    return report


def _train(job: Job, threads: int | None, on_event: Callable[[Epoch | Restart], None]) -> int:
    """Train the restarts of a job that are not stored yet, and return their number."""

    def store(trained: TrainedNetwork) -> None:
        if trained.restart.stopped != INTERRUPTED:
            job.store.write(trained)

    left = [number for number in range(job.problem.training.restarts) if number not in job.finished]
    if not run_restarts(job.problem, left, on_event, store, threads):
        raise KeyboardInterrupt
    return len(left)


class _Tracker:
    """Adds up the events of all trainings of a call."""

    def __init__(self, plan: Plan, on_progress: Callable[[TableProgress], None]) -> None:
        self._on_progress = on_progress
        self._last_call = 0.0
        jobs = [job for _, jobs in plan.columns for job in jobs]
        self._restarts = sum(job.problem.training.restarts for job in jobs)
        self._restarts_done = sum(len(job.finished) for job in jobs)
        self._work = sum(job.problem.training.restarts * job.epochs * job.epoch_work for job in jobs)
        self._work_done = sum(len(job.finished) * job.epochs * job.epoch_work for job in jobs)
        self._report(plan.columns[0][0].column, jobs[0])

    def listener(self, column: str, job: Job) -> Callable[[Epoch | Restart], None]:
        """The function to call with each event of a job."""
        epochs: dict[int, int] = {}  # of the restarts that are running

        def on_event(event: Epoch | Restart) -> None:
            ended = None
            if isinstance(event, Epoch):
                epochs[event.restart] = epochs.get(event.restart, 0) + 1
                if time.perf_counter() - self._last_call < _SECONDS_BETWEEN_CALLS:
                    return
            else:
                ended = event
                epochs.pop(event.restart, None)
                self._restarts_done += event.stopped != INTERRUPTED
                self._work_done += job.epochs * job.epoch_work  # the epochs that it did not need count too
            self._report(column, job, sum(epochs.values()), ended)

        return on_event

    def _report(self, column: str, job: Job, running: int = 0, ended: Restart | None = None) -> None:
        self._last_call = time.perf_counter()
        self._on_progress(TableProgress(
            column=column, label=job.label, restarts_done=self._restarts_done, restarts=self._restarts,
            work_done=self._work_done + running * job.epoch_work, work=self._work, restart=ended,
        ))  # fmt: skip
