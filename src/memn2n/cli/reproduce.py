"""``memn2n reproduce``."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from memn2n.cli.options import INTERRUPTED, parse_tasks
from memn2n.errors import InputError, TrainingError
from memn2n.machine import Precision
from memn2n.qa.config import Backend

if TYPE_CHECKING:
    from types import TracebackType

    from rich.table import Table

    from memn2n.reproduce import (
        ColumnReport,
        LMEvent,
        LMTableReport,
        Progress,
        RowReport,
        TableReport,
        TransferReport,
    )

_TABLES = ("babi-1k", "babi-10k", "ptb", "transfer")


def reproduce(
    table: Annotated[str, typer.Argument(metavar="babi-1k|babi-10k|ptb|transfer", help="The table.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The folder of bAbI files: en for babi-1k, else en-10k; of ptb.*.txt, by default data/ptb."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help='A column of bAbI, such as "PE LS RN", as often as wanted; by default all.'),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option(metavar="N|N,N|N-N", help="Tasks to report; by default all. Joint training is always on all."),
    ] = None,
    row: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help='A row of ptb, such as "6x100" (hops x memory), as often as wanted; by default all.'
        ),
    ] = None,
    restarts: Annotated[
        int | None,
        typer.Option(help="Networks trained for each task, jointly, or for a row; by default 10, transfer 5, ptb 1."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 0,
    threads: Annotated[
        int | None,
        typer.Option(help="Restarts trained at a time by the engine; with ptb, PyTorch's; by default one a core."),
    ] = None,
    backend: Annotated[
        Backend | None, typer.Option(help="What trains bAbI: the native engine, or PyTorch; by default auto.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="Where ptb is trained; by default cpu.")] = None,
    precision: Annotated[
        Precision | None, typer.Option(help="Of the products in the training of ptb; by default auto.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results and of what is trained; by default runs/TABLE.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train the paper's tables again, and print its figures and ours side by side.

    babi-1k and babi-10k are its Table 1 and 3, ptb is its Table 2 on Penn Treebank. transfer is a table of our own:
    how well networks trained on simulated stories answer bAbI's questions. Started again after Ctrl-C or a kill, it
    goes on where it stopped.
    """
    if table not in _TABLES:
        raise InputError(f"there is no table {table!r}; there are: {', '.join(_TABLES)}")
    out = out or Path("runs") / table
    if table == "ptb":
        _refuse(table, column=column, tasks=tasks, backend=backend)
        _reproduce_ptb(data, row, restarts, seed, threads, device, precision, out, as_json)
    elif table == "transfer":
        _refuse(table, column=column, row=row, device=device, precision=precision)
        _reproduce_transfer(data, tasks, restarts, seed, threads, backend, out, as_json)
    else:
        _refuse(table, row=row, device=device, precision=precision)
        _reproduce_babi(table, data, column, tasks, restarts, seed, threads, backend, out, as_json)


def _refuse(table: str, **options: object) -> None:
    for name, value in options.items():
        if value:
            raise InputError(f"--{name} is not an option of {table}; leave it out")


def _reproduce_babi(
    table: str, data: Path | None, column: list[str] | None, tasks: str | None, restarts: int | None, seed: int,
    threads: int | None, backend: Backend | None, out: Path, as_json: bool,
) -> None:  # fmt: skip
    if data is None:
        raise InputError(f"--data is missing: name the folder of bAbI files that {table} is made from")
    wanted = parse_tasks(tasks, "--tasks")

    from memn2n.reproduce import run_table

    with _RestartBar() as bar, _interruptible(bar, out):

        def show(column: ColumnReport, report: TableReport) -> None:
            if not as_json:
                bar.pause()
                _print_column(column, report)

        report = run_table(
            table, data, out, columns=column, tasks=wanted, restarts=10 if restarts is None else restarts, seed=seed,
            threads=threads, backend=backend or "auto", command=_command(), on_progress=bar.show, on_column=show,
        )  # fmt: skip
    _print_end(report, out, as_json)
    diverged = [f"{column.recipe.column} (tasks {', '.join(map(str, column.diverged))})"
                for column in report.columns if column.diverged]  # fmt: skip
    if diverged:
        raise TrainingError(f"every restart diverged: {'; '.join(diverged)}")


def _reproduce_ptb(
    data: Path | None, rows: list[str] | None, restarts: int | None, seed: int, threads: int | None,
    device: str | None, precision: Precision | None, out: Path, as_json: bool,
) -> None:  # fmt: skip
    from memn2n.reproduce import run_lm_table

    with _EpochBar() as bar, _interruptible(bar, out):
        report = run_lm_table(
            data or Path("data") / "ptb", out, rows=rows, restarts=1 if restarts is None else restarts, seed=seed,
            threads=threads, device=device or "cpu", precision=precision or "auto", command=_command(),
            on_event=bar.show, on_row=bar.show_row,
        )  # fmt: skip
    if not as_json:
        _print_rows(report)
    _print_end(report, out, as_json)
    diverged = [row.recipe.name for row in report.rows if row.valid is None]
    if diverged:
        raise TrainingError(f"every restart diverged: {', '.join(diverged)}")


def _reproduce_transfer(
    data: Path | None, tasks: str | None, restarts: int | None, seed: int, threads: int | None,
    backend: Backend | None, out: Path, as_json: bool,
) -> None:  # fmt: skip
    if data is None:
        raise InputError("--data is missing: name the folder of bAbI files en-10k, which are trained and tested on too")
    wanted = parse_tasks(tasks, "--tasks")

    from memn2n.reproduce import run_transfer

    with _RestartBar() as bar, _interruptible(bar, out):
        report = run_transfer(
            data, out, tasks=wanted, restarts=5 if restarts is None else restarts, seed=seed, threads=threads,
            backend=backend or "auto", command=_command(), on_progress=bar.show_of,
        )  # fmt: skip
    if not as_json:
        _print_transfer(report)
    _print_end(report, out, as_json)
    diverged = [row.label for row in report.rows if row.excess is None]
    if diverged:
        raise TrainingError(f"every restart diverged: {'; '.join(diverged)}")


def _command() -> str:
    return shlex.join(["memn2n", *sys.argv[1:]])


def _print_end(report: TableReport | LMTableReport | TransferReport, out: Path, as_json: bool) -> None:
    typer.echo(json.dumps(report.to_dict()) if as_json else f"written to {out / 'results.md'} and results.json")


@contextmanager
def _interruptible(bar: _Bar, out: Path) -> Iterator[None]:
    """Let Ctrl-C end the command with a line that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        bar.pause()
        print(f"memn2n: interrupted; what is finished is in {out}, and the same command goes on from there",
              file=sys.stderr)  # fmt: skip
        raise typer.Exit(INTERRUPTED) from None


class _Bar:
    """A bar on a terminal, elsewhere lines; on standard error."""

    def __init__(self, *columns: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        # standard output is left alone: what is printed there need not go to this terminal
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
            *(TextColumn(column, markup=False) for column in columns), TimeRemainingColumn(), console=self._console,
            disable=not self._console.is_terminal, redirect_stdout=False, transient=True,
        )  # fmt: skip

    def pause(self) -> None:
        """Take the bar away, until something is to be shown again."""
        self._bar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, highlight=False, markup=False)


class _RestartBar(_Bar):
    """How many restarts are done; a line a restart without a terminal."""

    def __init__(self) -> None:
        super().__init__("{task.fields[restarts]} restarts")
        self._stories = ""

    def show_of(self, stories: str, progress: Progress) -> None:
        """Show how far the training on some stories is; each has a bar of its own."""
        if stories != self._stories:
            self._stories = stories
            for task in self._bar.task_ids:
                self._bar.remove_task(task)
        self.show(progress)

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        where = ", ".join(filter(None, (self._stories, progress.column, progress.label)))
        restarts = f"{progress.restarts_done}/{progress.restarts}"
        if not self._bar.task_ids:  # what was done before must not count for the speed
            self._bar.add_task(where, total=progress.work, completed=progress.work_done, restarts=restarts)  # type: ignore[arg-type]
        self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=where, completed=progress.work_done, restarts=restarts)
        ended = progress.restart
        if ended is not None and not self._console.is_terminal:
            score = ended.stopped or (f"training loss {ended.train.loss:.4f}" if ended.train else "")
            self._print(f"{restarts}  {where}, restart {ended.restart + 1}: {score}  {ended.seconds:.1f} s")


class _EpochBar(_Bar):
    """How far an epoch of a language model is; a line an epoch without a terminal, and a line a row."""

    def __init__(self) -> None:
        super().__init__("perplexity {task.fields[perplexity]}")
        self._shown: tuple[str, int] | None = None

    def show(self, told: LMEvent) -> None:
        """Show how far it is."""
        from memn2n.lm.answers import perplexity
        from memn2n.lm.training.progress import LMStep

        event = told.event
        where = told.row if told.restarts == 1 else f"{told.row}, restart {told.restart + 1}/{told.restarts}"
        if isinstance(event, LMStep):
            now = perplexity(event.loss)
            if self._shown != (where, event.epoch):  # a bar for each epoch, so that its speed is its own
                self._shown = (where, event.epoch)
                for task in self._bar.task_ids:
                    self._bar.remove_task(task)
                self._bar.add_task(f"{where}, epoch {event.epoch}", total=event.epoch_words, completed=event.words,
                                   perplexity=f"{now:.1f}")  # fmt: skip
            self._bar.start()
            self._bar.update(self._bar.task_ids[0], completed=event.words, perplexity=f"{now:.1f}")
        elif not self._console.is_terminal:
            valid = "" if event.valid is None else f", validation {perplexity(event.valid):.1f}"
            self._print(f"{where}, epoch {event.epoch}: perplexity {perplexity(event.train):.1f}{valid}, "
                        f"rate {event.rate:.3g}  {event.seconds:.1f} s")  # fmt: skip

    def show_row(self, row: RowReport, report: LMTableReport) -> None:
        """Show the figures of a row."""
        from memn2n.reproduce.ptb.report import LM_HEADINGS

        self.pause()
        figures = zip(LM_HEADINGS, row.cells(report.has_test), strict=True)
        self._print(f"{row.label}: {', '.join(f'{name} {figure}' for name, figure in figures)}")


def _table(first: str, headings: Sequence[str]) -> Table:
    """A table of figures, whose first column says of what."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _print_rows(report: LMTableReport) -> None:
    from rich.console import Console
    from rich.text import Text

    from memn2n.reproduce.ptb.report import LM_EXPLANATION, LM_HEADINGS

    table = _table("row", [heading.replace(" ", "\n") for heading in LM_HEADINGS])
    for row in report.rows:
        table.add_row(Text(row.label), *row.cells(report.has_test))
    console = Console()
    console.print(table)
    console.print(LM_EXPLANATION, highlight=False, markup=False, soft_wrap=True)


def _print_transfer(report: TransferReport) -> None:
    from rich.console import Console
    from rich.text import Text

    from memn2n.reproduce.babi.transfer import TRANSFER_EXPLANATION, TRANSFER_HEADINGS

    table = _table("task", [heading.replace(" ", "\n", 1) for heading in TRANSFER_HEADINGS])
    for row in report.rows:
        table.add_row(Text(row.label), *row.cells())
    table.add_section()
    table.add_row(Text(report.mean.label), *report.mean.cells())
    console = Console()
    console.print(table)
    console.print(TRANSFER_EXPLANATION, highlight=False, markup=False, soft_wrap=True)


def _print_column(column: ColumnReport, report: TableReport) -> None:
    from rich.console import Console
    from rich.text import Text

    from memn2n.reproduce.results import EXPLANATION, HEADINGS, cells, failed_cells

    table = _table("task", [heading.replace(" ", "\n") for heading in HEADINGS])
    table.title, table.title_justify = f"{report.table}: {column.recipe.column}", "left"
    for result in column.results:
        table.add_row(Text(column.label(result.task)), *cells(column.row(result)))
    table.add_section()
    table.add_row("mean", *cells(column.mean))
    table.add_row("failed tasks", *failed_cells(column.failed))
    console = Console()
    console.print(table)
    for line in (f"error in percent, failed above 5%. {EXPLANATION}", *report.left_out(column)):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print()
