"""``memn2n reproduce``: a command for each table."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from memn2n.cli.ending import StoppedError
from memn2n.cli.options import Json, parse_tasks, settings_options
from memn2n.errors import TrainingError
from memn2n.reproduce.options import BabiOptions, BestOptions, PTBOptions, TransferOptions

if TYPE_CHECKING:
    from memn2n.progress_bar import ProgressBar
    from memn2n.reproduce.babi.report import ColumnReport, TableReport
    from memn2n.reproduce.report import FigureTable, Report

app = typer.Typer(
    help="Train the paper's tables again, and compare the figures. After Ctrl-C or a kill, the same command continues "
    "where it stopped.",
    no_args_is_help=True,
)

_PTB = Path("data/ptb")
Out = Annotated[Path | None, Option(help="Folder of the results and of the trained networks; by default runs/TABLE.")]


def _add_babi(table: str, summary: str) -> None:
    @app.command(table, help=summary)
    @settings_options(BabiOptions)
    def babi(
        data: Annotated[Path, Option(help="The folder of bAbI files: en for babi-1k, en-10k for babi-10k.")],
        column: Annotated[
            list[str] | None,
            Option(metavar="NAME", help='A column such as "PE LS RN"; can be repeated; by default all columns.'),
        ] = None,
        tasks: Annotated[
            str | None,
            Option(metavar="N|N,N|N-N", help="Tasks to report; by default all. A joint column learns all tasks."),
        ] = None,
        *,
        settings: dict[str, Any],
        out: Out = None,
        as_json: Json = False,
    ) -> None:
        options, numbers, out = BabiOptions(**settings), parse_tasks(tasks, "--tasks"), out or Path("runs", table)

        from memn2n.cli.reproduce.progress import RestartBar
        from memn2n.reproduce import run_table
        from memn2n.reproduce.babi.report import EXPLANATION

        with RestartBar() as bar, _interruptible(bar, out):

            def show(column: ColumnReport, report: TableReport) -> None:
                if not as_json:
                    bar.hide()
                    notes = (EXPLANATION, *report.notes(column), "")
                    _print_table(column.figures(), *notes, title=f"{table}: {column.recipe.column}")

            report = run_table(table, data, out, column, numbers, options, command=_command(),
                               on_progress=bar.show_progress, on_column=show)  # fmt: skip
        _finish(report, out, as_json, [
            f"{column.recipe.column} (tasks {', '.join(map(str, column.diverged))})"
            for column in report.columns if column.diverged
        ])  # fmt: skip


_add_babi("babi-1k", "Table 1: bAbI, 1,000 training questions a task.")
_add_babi("babi-10k", "Table 3: bAbI, 10,000 training questions a task.")


def _add_best(table: str, summary: str) -> None:
    @app.command(table, help=summary)
    @settings_options(BestOptions)
    def best(
        data: Annotated[Path, Option(help="The folder of bAbI files: en for babi-1k-best, en-10k for babi-10k-best.")],
        column: Annotated[
            list[str] | None,
            Option(metavar="NAME", help="weak, found, declared or supervised; can be repeated; by default all."),
        ] = None,
        tasks: Annotated[
            str | None,
            Option(metavar="N|N,N|N-N", help="Tasks to report; by default all. A joint training learns all tasks."),
        ] = None,
        *,
        settings: dict[str, Any],
        out: Out = None,
        as_json: Json = False,
    ) -> None:
        options, numbers, out = BestOptions(**settings), parse_tasks(tasks, "--tasks"), out or Path("runs", table)

        from memn2n.cli.reproduce.progress import TrainingBar
        from memn2n.reproduce import run_best
        from memn2n.reproduce.babi.best.report import BEST_EXPLANATION, KINDS

        with TrainingBar() as bar, _interruptible(bar, out):
            report = run_best(table, data, out, column, numbers, options, command=_command(),
                              on_progress=bar.show_progress)  # fmt: skip
        if not as_json:
            for protocol in report.protocols:
                for kind in KINDS:
                    _print_table(report.figures(protocol, kind), title=f"{table}: {protocol}, {kind}")
            _print_table(report.means(), BEST_EXPLANATION, *report.notes(), title=f"{table}: means")
        _finish(report, out, as_json, report.diverged)


_add_best("babi-1k-best", "Our own table: what qa train learns from 1,000 questions a task.")
_add_best("babi-10k-best", "Our own table: the same with 10,000 questions a task.")


@app.command()
@settings_options(PTBOptions)
def ptb(
    data: Annotated[Path, Option(help="The folder of ptb.train.txt, ptb.valid.txt and ptb.test.txt.")] = _PTB,
    row: Annotated[
        list[str] | None,
        Option(metavar="NAME", help='A row such as "6x100" (hops x memory size); can be repeated; by default all.'),
    ] = None,
    *,
    settings: dict[str, Any],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Table 2: language models on Penn Treebank."""
    options, out = PTBOptions(**settings), out or Path("runs/ptb")

    from memn2n.cli.reproduce.progress import EpochBar
    from memn2n.reproduce import run_lm_table
    from memn2n.reproduce.ptb.report import LM_EXPLANATION

    with EpochBar() as bar, _interruptible(bar, out):
        report = run_lm_table(data, out, row, options, command=_command(), on_event=bar.show_event, on_row=bar.show_row)
    if not as_json:
        _print_table(report.figures(), LM_EXPLANATION)
    _finish(report, out, as_json, [row.recipe.name for row in report.rows if row.valid is None])


@app.command()
@settings_options(TransferOptions)
def transfer(
    data: Annotated[Path, Option(help="The folder en-10k of bAbI files, to train on and to test on.")],
    tasks: Annotated[str | None, Option(metavar="N|N,N|N-N", help="Tasks to report; by default all.")] = None,
    *,
    settings: dict[str, Any],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Our own table: training on simulated stories, test on bAbI."""
    options, numbers, out = TransferOptions(**settings), parse_tasks(tasks, "--tasks"), out or Path("runs/transfer")

    from memn2n.cli.reproduce.progress import RestartBar
    from memn2n.reproduce import run_transfer
    from memn2n.reproduce.babi.transfer import TRANSFER_EXPLANATION

    with RestartBar() as bar, _interruptible(bar, out):
        report = run_transfer(data, out, numbers, options, command=_command(), on_progress=bar.show_transfer)
    if not as_json:
        _print_table(report.figures(), TRANSFER_EXPLANATION)
    _finish(report, out, as_json, [row.label for row in report.rows if row.excess is None])


def _command() -> str:
    return shlex.join(["memn2n", *sys.argv[1:]])


@contextmanager
def _interruptible(bar: ProgressBar, out: Path) -> Iterator[None]:
    """Let a signal such as Ctrl-C end the command with a line that says how to continue."""
    try:
        yield
    except KeyboardInterrupt:
        bar.hide()
        raise StoppedError(f"; {out} holds what is finished, and the same command continues from there") from None


def _finish(report: Report, out: Path, as_json: bool, diverged: list[str]) -> None:
    """Print the report as JSON, or where its files are; then fail if every restart of some training diverged."""
    typer.echo(json.dumps(report.to_dict()) if as_json else f"written to {out / 'results.md'} and results.json")
    if diverged:
        raise TrainingError(f"every restart diverged: {'; '.join(diverged)}")


def _print_table(figures: FigureTable, *notes: str, title: str | None = None) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, title=title, title_justify="left")
    first, *headings = figures.headings
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(heading.replace(" ", "\n"), justify="right", no_wrap=True)
    for part in (figures.rows, figures.summary):
        for row in part:
            table.add_row(*map(Text, row))
        table.add_section()
    console = Console()
    console.print(table)
    for note in notes:
        console.print(note, highlight=False, markup=False, soft_wrap=True)
