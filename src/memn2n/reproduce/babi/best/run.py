"""Train the columns of a table, and continue what earlier calls left unfinished."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import DataWarning, InputError, TrainingError
from memn2n.files.folder_lock import locked
from memn2n.machine import choose_threads
from memn2n.qa.model import StoryQA
from memn2n.qa.symmetries.classes import Symmetries
from memn2n.qa.training.schedule import Epoch, schedule
from memn2n.reproduce.babi.best.columns import choose_columns, declared_symmetries, recipes_of
from memn2n.reproduce.babi.best.data import TABLES, read_data
from memn2n.reproduce.babi.best.found import found_symmetries
from memn2n.reproduce.babi.best.records import Record, Wrong, digest_of, read_record, write_record
from memn2n.reproduce.babi.best.report import BestColumn, BestReport, SeedErrors
from memn2n.reproduce.options import BestOptions
from memn2n.reproduce.report import check_folder
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memn2n.qa.recipes import Recipe
    from memn2n.qa.training.problem import Restart
    from memn2n.reproduce.babi.best.columns import Column
    from memn2n.reproduce.babi.best.data import Protocol, Questions, TableData

_SECONDS_BETWEEN_CALLS = 0.1  # an epoch of a small task takes a millisecond
_DEFAULTS = BestOptions()


class BestProgress(NamedTuple):
    """How much of a call is done.

    Args:
        label: what is being done.
        trainings_done: finished trainings of the whole call, those of earlier calls included.
        trainings: all trainings of the call.
        work_done: trainings done, each counted by the number of its sentences, so that the time left can be estimated.
        work: the same for the whole call.
        record: the result of the training that just ended, if one did.
    """

    label: str
    trainings_done: int
    trainings: int
    work_done: float
    work: float
    record: Record | None = None


@dataclass(frozen=True)
class Training:
    """A training of a column."""

    column: Column
    questions: Questions
    seed: int
    recipes: tuple[Recipe, ...]
    symmetries: Symmetries
    path: Path  # of its record

    @property
    def digest(self) -> str:
        """See ``digest_of``."""
        return digest_of(self.recipes, self.symmetries, self.questions.digest, self.seed)

    @property
    def label(self) -> str:
        """Its name for people."""
        return f"{self.column}, {self.questions.label}, seed {self.seed}"

    @property
    def work(self) -> float:
        """Its cost, in arbitrary units."""
        return float(sum(len(one.story) for one in self.questions.train))


def run_best(
    table: str,
    data: str | Path,
    out: str | Path,
    columns: Sequence[str] | None = None,
    tasks: Sequence[int] | None = None,
    options: BestOptions = _DEFAULTS,
    *,
    command: str = "",
    on_progress: Callable[[BestProgress], None] | None = None,
) -> BestReport:
    """Train by the recipes of the variant "best", with several seeds and kinds of symmetries, and test.

    Every finished training is stored in ``out`` at once. After Ctrl-C, a kill or a crash, the same call continues from
    there. Whenever the trainings of one seed of a column are finished, results.json and results.md in ``out`` are
    written again, with all that is finished.

    Args:
        table: "babi-1k-best" or "babi-10k-best".
        data: the folder of bAbI files (``en`` or ``en-10k``), or its parent. A task without its files is left out;
            except that task 3 of babi-10k-best is trained on simulated stories if only its training file is missing.
        out: the folder of records and results; it is made if it does not exist.
        columns: "weak", "found", "declared" and "supervised"; by default all.
        tasks: the tasks to report, by default all. A joint training is always on all tasks that have a training file.
        options: seeds, protocols and threads.
        command: the command line, for the record.
        on_progress: called at the beginning, after each training, and between them every tenth of a second.

    Returns:
        The figures. ``BestReport.diverged`` names the trainings all of whose restarts diverged.

    Raises:
        InputError: if an argument or the data cannot be used, or another process writes to ``out``.
        ModelError: if ``out`` holds damaged records, or those of other recipes, symmetries, data or backend.
        KeyboardInterrupt: on Ctrl-C. No finished training is lost.
    """
    if table not in TABLES:
        raise InputError(f"there is no table {quoted(table)}; there are: {', '.join(TABLES)}")
    out = Path(out)
    check_folder(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the results")
    chosen = choose_columns(columns)
    choose_threads(options.threads)
    source = read_data(table, Path(data), tasks, options.protocols, whole="found" in chosen)
    report = BestReport(
        table=table, command=command, data=str(source.folder), seed=options.seed,
        restarts=max(sum(training.restarts for _, training in recipes_of("weak", one)) for one in options.protocols),
        seeds=options.seeds, paper=source.paper,
        unwanted=tuple(task for task in source.paper.tasks if task not in source.wanted), missing=source.missing,
        simulated=source.simulated,
    )  # fmt: skip
    notify = on_progress or (lambda _progress: None)
    with locked(out):
        blocks = _blocks(source, out, chosen, options, notify)
        done = {one.path: record for block in blocks for one in block if (record := read_record(one.path, one.digest))}
        tracker = _Tracker([one for block in blocks for one in block], done, notify)
        for block in blocks:
            for one in block:
                if one.path not in done:
                    done[one.path] = _train(one, options.threads, tracker.listener(one))
                    write_record(one.path, one.digest, done[one.path])
                    tracker.ended(one, done[one.path])
            report = replace(report, columns=_columns(blocks, done, source))
            report.write(out)
    return report


def _blocks(
    source: TableData, out: Path, columns: Sequence[Column], options: BestOptions,
    on_progress: Callable[[BestProgress], None],
) -> list[list[Training]]:  # fmt: skip
    """The trainings of each protocol, column and seed. Finds symmetries that are not stored yet."""
    by_hand = {"declared", "supervised"}.intersection(columns)
    declared = {one.name: declared_symmetries(one.train) for one in source.questions if by_hand}
    found = Symmetries()
    if "found" in columns:
        on_progress(BestProgress("symmetries", 0, 0, 0, 0))
        found = found_symmetries(out / "found.toml", source.train, options.threads)

    def symmetries(column: Column, questions: Questions) -> Symmetries:
        if column == "found":
            return found.limited_to({example.task for example in questions.train})
        return Symmetries() if column == "weak" else declared[questions.name]

    def training(column: Column, one: Questions, seed: int) -> Training:
        path = out / one.protocol / column / f"{one.name}-seed-{seed}.json"
        return Training(column, one, seed, recipes_of(column, one.protocol), symmetries(column, one), path)

    blocks = [
        [
            training(column, one, seed)
            for one in source.questions
            if one.protocol == protocol and (column != "supervised" or one.has_support)
        ]
        for protocol in options.protocols
        for column in columns
        for seed in range(options.seed, options.seed + options.seeds)
    ]
    return [block for block in blocks if block]


def _train(one: Training, threads: int | None, on_event: Callable[[Epoch | Restart], None]) -> Record:
    """Train and test, as ``StoryQA.fit`` and ``StoryQA.evaluate`` do.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the same ones for each seed and column
        try:
            qa = StoryQA.fit(one.questions.train, symmetries=one.symmetries, recipes=one.recipes, seed=one.seed,
                             threads=threads, on_event=on_event, progress=False)  # fmt: skip
        except TrainingError:
            return Record({}, None, 0, time.perf_counter() - begin)
    if qa.interrupted:
        raise KeyboardInterrupt
    seconds = time.perf_counter() - begin
    ensemble = qa.evaluate(one.questions.test).tasks
    alone = best_network(qa).evaluate(one.questions.test).tasks if len(qa.networks) > 1 else ensemble
    tasks = {
        int(both.task): Wrong(both.questions, single.wrong, both.wrong)
        for single, both in zip(alone, ensemble, strict=True)
    }
    settings = [(network, training.changed({"seed": one.seed})) for network, training in one.recipes]
    return Record(tasks, settings.index((qa.network.config, qa.training)), len(qa.networks), seconds)


def best_network(qa: StoryQA) -> StoryQA:
    """The network of an ensemble with the lowest loss on the validation data; without any, on the training data."""
    kept = [restart for restart in qa.restarts if restart.kept]
    scores = [restart.train if restart.valid is None else restart.valid for restart in kept]
    losses = [float("inf") if score is None else score.loss for score in scores]
    network = qa.networks[losses.index(min(losses))]
    return StoryQA([network], qa.vocabulary, qa.candidates, symmetries=qa.symmetries, training=qa.training,
                   fingerprints=qa.fingerprints, unseen=qa.unseen)  # fmt: skip


def _columns(
    blocks: Sequence[Sequence[Training]], done: dict[Path, Record], source: TableData
) -> tuple[BestColumn, ...]:
    """The columns with the figures of all seeds that are finished."""
    columns: dict[tuple[Protocol, Column], list[SeedErrors]] = {}
    for block in blocks:
        if all(one.path in done for one in block):
            first = block[0]
            records = {one.questions.name: done[one.path] for one in block}
            errors = SeedErrors.of(first.seed, records, source.tasks)
            columns.setdefault((first.questions.protocol, first.column), []).append(errors)
    return tuple(
        BestColumn(protocol, column, source.paper, source.tasks, tuple(seeds))
        for (protocol, column), seeds in columns.items()
    )


class _Tracker:
    """Adds up the events of all trainings of a call."""

    def __init__(
        self, trainings: Sequence[Training], done: dict[Path, Record], on_progress: Callable[[BestProgress], None]
    ) -> None:
        self._on_progress = on_progress
        self._last_call = 0.0
        self._trainings = len(trainings)
        self._work = sum(one.work for one in trainings)
        self._done = len(done)
        self._work_done = sum(one.work for one in trainings if one.path in done)
        self._report(trainings[0].label, 0.0)

    def listener(self, one: Training) -> Callable[[Epoch | Restart], None]:
        """The function to call with each event of a training."""
        label, work = one.label, one.work
        total = sum(training.restarts * sum(1 for _ in schedule(training)) for _, training in one.recipes)
        epochs = 0

        def on_event(event: Epoch | Restart) -> None:
            nonlocal epochs
            epochs += isinstance(event, Epoch)
            if time.perf_counter() - self._last_call >= _SECONDS_BETWEEN_CALLS:
                self._report(label, work * min(epochs / total, 1.0))

        return on_event

    def ended(self, one: Training, record: Record) -> None:
        """Count a training that ended."""
        self._done += 1
        self._work_done += one.work
        self._report(one.label, 0.0, record)

    def _report(self, label: str, more: float, record: Record | None = None) -> None:
        self._last_call = time.perf_counter()
        progress = BestProgress(label, self._done, self._trainings, self._work_done + more, self._work, record)
        self._on_progress(progress)
