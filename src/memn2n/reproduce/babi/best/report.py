"""Our errors on bAbI with several seeds, and the published ones."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import chain
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from memn2n.qa.answers import FAILED_ABOVE
from memn2n.qa.networks import family_name
from memn2n.reproduce.babi.best.columns import SUPERVISION, recipes_of
from memn2n.reproduce.babi.best.published import published_figures
from memn2n.reproduce.babi.report import tasks_text
from memn2n.reproduce.babi.task_errors import deviation
from memn2n.reproduce.report import FigureTable, Report, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from memn2n.reproduce.babi.best.columns import Column
    from memn2n.reproduce.babi.best.data import Protocol
    from memn2n.reproduce.babi.best.records import Record
    from memn2n.reproduce.babi.paper import PaperTable

Kind = Literal["one network", "ensemble"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_NAMES: dict[Protocol, str] = {"per-task": "per task", "joint": "joint"}
_PAPER_COLUMNS: dict[tuple[str, Protocol], str] = {
    ("babi-1k", "per-task"): "PE LS RN",
    ("babi-1k", "joint"): "PE LS RN joint",
    ("babi-10k", "per-task"): "PE LS LW RN*",
    ("babi-10k", "joint"): "PE LS RN joint",
}

BEST_EXPLANATION = (
    "Errors are in percent of all test questions: the mean ± the standard deviation over the seeds, never the best "
    "seed. A task is failed above 5%. Each training is that of memn2n qa train --variant best: the loss on the "
    "tenth of the training questions that is held out chooses the recipe. ensemble: all restarts of that recipe, whose "
    "probabilities are averaged. one network: the one of them with the lowest loss on the held-out questions. The test "
    "questions choose nothing. weak: only the answers are given, and no symmetries are used. found: exchangeable words "
    "are found in the training questions, which is the default. declared: they are those that we wrote down for the 20 "
    "tasks. supervised: like declared, and the supporting facts of the training questions supervise the attention with "
    f"weight {SUPERVISION}. per task: a training for each task. joint: one training on all tasks."
)


class Figure(NamedTuple):
    """The mean over seeds, and the sample standard deviation; None for fewer than two seeds."""

    mean: float
    deviation: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Figure:
        """The figure of these values, one for each seed."""
        return cls(fmean(values), deviation(values))

    def text(self, factor: float = 100, digits: int = 1) -> str:
        """For example "2.3 ± 0.4"."""
        parts = [self.mean] if self.deviation is None else [self.mean, self.deviation]
        return " ± ".join(f"{factor * part:.{digits}f}" for part in parts)


class SeedErrors(NamedTuple):
    """The test errors, 0 to 1, of all trainings of one seed.

    Args:
        seed: the seed.
        errors: kind -> task -> error. A task whose training diverged is not there.
        questions: task -> number of test questions.
        recipes: name of a training -> the position of the recipe that the validation data chose; None if it diverged.
        seconds: how long all trainings took.
    """

    seed: int
    errors: dict[Kind, dict[int, float]]
    questions: dict[int, int]
    recipes: dict[str, int | None]
    seconds: float

    @classmethod
    def of(cls, seed: int, records: Mapping[str, Record], tasks: Sequence[int]) -> SeedErrors:
        """The errors on some tasks.

        Args:
            seed: the seed.
            records: name of a training -> its result.
            tasks: the tasks to report.
        """
        wrong = {task: one for record in records.values() for task, one in record.tasks.items() if task in tasks}
        errors: dict[Kind, dict[int, float]] = {
            "one network": {task: one.one_network / one.questions for task, one in wrong.items()},
            "ensemble": {task: one.ensemble / one.questions for task, one in wrong.items()},
        }
        return cls(seed, errors, {task: one.questions for task, one in wrong.items()},
                   {name: record.recipe for name, record in records.items()},
                   sum(record.seconds for record in records.values()))  # fmt: skip


@dataclass(frozen=True)
class BestColumn:
    """One column: one kind of training with several seeds."""

    protocol: Protocol
    column: Column
    paper: PaperTable
    wanted: tuple[int, ...]  # the tasks to report
    seeds: tuple[SeedErrors, ...]  # those that are finished

    @property
    def tasks(self) -> tuple[int, ...]:
        """The tasks that every finished seed has errors on; the means are over these."""
        return tuple(task for task in self.wanted if all(task in seed.questions for seed in self.seeds))

    @property
    def diverged(self) -> tuple[str, ...]:
        """The names of the trainings of which every restart diverged."""
        return tuple(f"{name}-seed-{seed.seed}" for seed in self.seeds for name in seed.recipes
                     if seed.recipes[name] is None)  # fmt: skip

    def error(self, kind: Kind, task: int) -> Figure | None:
        """The error on a task; None if a seed has none."""
        if task not in self.tasks:
            return None
        return Figure.of([seed.errors[kind][task] for seed in self.seeds])

    def mean(self, kind: Kind) -> Figure | None:
        """The mean over the tasks of each seed; None without tasks."""
        if not self.tasks:
            return None
        return Figure.of([fmean(seed.errors[kind][task] for task in self.tasks) for seed in self.seeds])

    def failed(self, kind: Kind) -> Figure:
        """The number of failed tasks of each seed."""
        return Figure.of([sum(seed.errors[kind][task] > FAILED_ABOVE for task in self.tasks) for seed in self.seeds])

    def failed_in_the_mean(self, kind: Kind) -> int:
        """The number of tasks whose mean error over the seeds is that of a failed task."""
        errors = [self.error(kind, task) for task in self.tasks]
        return sum(error is not None and error.mean > FAILED_ABOVE for error in errors)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; errors are shares, 0 to 1."""

        def values(figure: Figure | None) -> dict[str, Any] | None:
            return None if figure is None else figure._asdict()

        return {
            "protocol": self.protocol,
            "column": self.column,
            "seeds": [seed.seed for seed in self.seeds],
            "mean": {kind: values(self.mean(kind)) for kind in KINDS},
            "failed": {kind: values(self.failed(kind)) for kind in KINDS},
            "failed_in_the_mean": {kind: self.failed_in_the_mean(kind) for kind in KINDS},
            "tasks": [
                {"task": task, "name": self.paper.tasks[task], "questions": self.seeds[0].questions[task]}
                | {kind: values(self.error(kind, task)) for kind in KINDS}
                | {"seeds": {kind: [seed.errors[kind][task] for seed in self.seeds] for kind in KINDS}}
                for task in self.tasks
            ],
            "recipes": [seed.recipes for seed in self.seeds],
            "training_seconds": [round(seed.seconds, 3) for seed in self.seeds],
            "diverged": self.diverged,
        }


@dataclass(frozen=True, kw_only=True)
class BestReport(Report):
    """The columns of one call.

    Args:
        seeds: the number of seeds that were asked for.
        paper: the paper's table with the same data.
        unwanted: tasks that the call left out.
        missing: task -> which file of it is missing, among the tasks that the call asked for.
        simulated: tasks that are trained on simulated questions -> the number of these.
        columns: the columns of which at least one seed is finished.
    """

    seeds: int
    paper: PaperTable
    unwanted: tuple[int, ...]
    missing: dict[int, str]
    simulated: dict[int, int]
    columns: tuple[BestColumn, ...] = ()

    @property
    def diverged(self) -> list[str]:
        """The trainings of which every restart diverged."""
        return [f"{one.protocol} {one.column} ({', '.join(one.diverged)})" for one in self.columns if one.diverged]

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """The protocols that have columns."""
        return tuple(dict.fromkeys(one.protocol for one in self.columns))

    def to_dict(self) -> dict[str, Any]:
        """JSON values; errors are shares, 0 to 1, and published errors are as printed, in percent."""
        return self._origin() | {
            "seeds": self.seeds,
            "unwanted": self.unwanted,
            "missing": {str(task): part for task, part in self.missing.items()},
            "simulated": {str(task): number for task, number in self.simulated.items()},
            "columns": [column.to_dict() for column in self.columns],
            "recipes": {
                protocol: [
                    {"family": family_name(network), "network": asdict(network), "training": asdict(training)}
                    for network, training in recipes_of("weak", protocol)
                ]
                for protocol in self.protocols
            },
            "published": [one._asdict() for one in published_figures(self.table)],
        }

    def means(self) -> FigureTable:
        """The mean errors of all columns, and the numbers of failed tasks."""
        by_name = {(one.column, one.protocol): one for one in self.columns}

        def cells(column: Column, protocol: Protocol, kind: Kind) -> list[str]:
            one = by_name.get((column, protocol))
            mean = None if one is None else one.mean(kind)
            return ["-", "-"] if one is None or mean is None else [mean.text(digits=2), one.failed(kind).text(1)]

        headings = chain.from_iterable((_NAMES[protocol], "failed tasks") for protocol in self.protocols)
        rows = [
            [f"{column}, {kind}", *chain.from_iterable(cells(column, protocol, kind) for protocol in self.protocols)]
            for column in dict.fromkeys(one.column for one in self.columns)
            for kind in KINDS
        ]
        return FigureTable(["mean", *headings], rows)

    def figures(self, protocol: Protocol, kind: Kind) -> FigureTable:
        """The errors on each task."""
        columns = [one for one in self.columns if one.protocol == protocol]
        paper = self.paper.columns[_PAPER_COLUMNS[self.paper.name, protocol]]
        tasks = [task for task in self.paper.tasks if any(task in one.tasks for one in columns)]

        def cells(figures: Sequence[Figure | None], factor: float = 100, digits: int = 1) -> list[str]:
            return ["-" if one is None else one.text(factor, digits) for one in figures]

        rows = [
            [f"{task}: {self.paper.tasks[task]}", percent(paper.errors.get(task)),
             *cells([one.error(kind, task) for one in columns])]
            for task in tasks
        ]  # fmt: skip
        failed = paper.failed(tasks)
        summary = [
            ["mean", percent(paper.mean(tasks)), *cells([one.mean(kind) for one in columns], digits=2)],
            ["failed tasks", "-" if failed is None else str(failed), *cells([one.failed(kind) for one in columns], 1)],
            ["failed in the mean", "-", *(str(one.failed_in_the_mean(kind)) for one in columns)],
        ]
        return FigureTable(["task", "paper", *(one.column for one in columns)], rows, summary)

    def trainings(self) -> FigureTable:
        """The seconds that the trainings of a seed took, and how many of all trainings chose each recipe."""
        numbers = range(max((len(recipes_of("weak", protocol)) for protocol in self.protocols), default=0))
        rows = []
        for one in self.columns:
            chosen = [number for seed in one.seeds for number in seed.recipes.values()]
            seconds = f"{fmean(seed.seconds for seed in one.seeds):.0f}"
            rows.append([f"{_NAMES[one.protocol]}, {one.column}", seconds, *(str(chosen.count(i)) for i in numbers)])
        return FigureTable(["trainings", "seconds of a seed", *(f"recipe {i + 1}" for i in numbers)], rows)

    def published(self) -> FigureTable:
        """The published mean errors."""
        rows = [
            [one.model, name, one.mean, "-" if one.failed is None else str(one.failed), one.how, one.source]
            for protocol, name in _NAMES.items()
            for one in published_figures(self.table)
            if one.protocol == protocol
        ]
        return FigureTable(["model", "protocol", "mean", "failed", "which figures", "source"], rows)

    def markdown(self) -> str:
        """All figures as a page of Markdown."""
        lines = [*self.means().markdown(), ""]
        lines += [f"{note[0].upper()}{note[1:]}.  " for note in self.notes()]
        for protocol in self.protocols:
            for kind in KINDS:
                figures = self.figures(protocol, kind).markdown()
                lines += ["", f"## {_NAMES[protocol].capitalize()}, {kind}", "", *figures]
        lines += ["", "## Trainings", "", *self.trainings().markdown()]
        for protocol in self.protocols:
            settings = [f"{network.summary()}; {training.summary()}"
                        for network, training in recipes_of("weak", protocol)]  # fmt: skip
            numbered = [f"{i}. {one}" for i, one in enumerate(settings, 1)]
            lines += ["", f"The recipes, {_NAMES[protocol]}:", "", *numbered]
        lines += ["", "## Published", "", *self.published().markdown()]
        how = f", {self.seeds} seeds and up to {self.restarts} restarts of each training"
        return self._page(how, BEST_EXPLANATION, lines)

    def notes(self) -> list[str]:
        """The paper's columns, the tasks without their files, and what is not finished: one line each."""
        papers = " and ".join(f"{_PAPER_COLUMNS[self.paper.name, one]} ({_NAMES[one]})" for one in self.protocols)
        lines = [f"the figures under paper are those of the column {papers} of {self.paper.name}"] if papers else []
        lines += [f"trained on {number:,} simulated questions, because the training file is missing: "
                  f"task {task}: {self.paper.tasks[task]}" for task, number in self.simulated.items()]  # fmt: skip
        lines += [f"left out of all means, because the {part} file is missing: task {task}: {self.paper.tasks[task]}"
                  for task, part in self.missing.items()]  # fmt: skip
        if self.unwanted:
            unwanted = tasks_text(self.unwanted)
            lines.append(f"left out of all means, because this call does not report them: {unwanted}")
        for one in self.columns:
            name = f"{_NAMES[one.protocol]}, {one.column}"
            absent = [task for task in one.wanted if task not in one.tasks]
            if absent:
                reason = "every restart of a seed diverged" if one.diverged else "there are no supporting facts"
                lines.append(f"left out of the means of {name}, because {reason}: {tasks_text(absent)}")
            if len(one.seeds) < self.seeds:
                lines.append(f"not finished: {name}, which has {len(one.seeds)} of {self.seeds} seeds")
        return lines
