"""``memn2n reproduce``."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from memn2n.cli.tasks import parse_tasks
from memn2n.config import Backend
from memn2n.errors import TrainingError

if TYPE_CHECKING:
    from types import TracebackType

    from memn2n.reproduce import ColumnReport, Progress, TableReport

_INTERRUPTED = 130


def reproduce(
    table: Annotated[str, typer.Argument(metavar="babi-1k|babi-10k", help="The paper's table.")],
    data: Annotated[Path, typer.Option(help="The folder of bAbI files: en, or en-10k for babi-10k.")],
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help='A column, such as "PE LS RN", as often as wanted; by default all.'),
    ] = None,
    tasks: Annotated[
        str | None,
        typer.Option(metavar="N|N,N|N-N", help="Tasks to report; by default all. Joint training is always on all."),
    ] = None,
    restarts: Annotated[int, typer.Option(help="Networks trained for each task, or jointly.")] = 10,
    seed: Annotated[int, typer.Option(help="The same seed gives the same figures.")] = 0,
    threads: Annotated[
        int | None, typer.Option(help="Restarts trained at a time by the engine; by default one a core.")
    ] = None,
    backend: Annotated[Backend, typer.Option(help="What trains: the native engine, or PyTorch.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results and finished restarts; by default runs/TABLE.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train the paper's bAbI tables again, and print its figures and ours side by side.

    Started again after Ctrl-C or a kill, it goes on where it stopped.
    """
    wanted = parse_tasks(tasks, "--tasks")

    from memn2n.reproduce import read_table, run_table

    out = out or Path("runs") / read_table(table).name
    with _Bar() as bar:

        def show(column: ColumnReport, report: TableReport) -> None:
            if not as_json:
                bar.pause()
                _print_column(column, report)

        try:
            report = run_table(
                table, data, out, columns=column, tasks=wanted, restarts=restarts, seed=seed, threads=threads,
                backend=backend, command=shlex.join(["memn2n", *sys.argv[1:]]), on_progress=bar.show, on_column=show,
            )  # fmt: skip
        except KeyboardInterrupt:
            bar.pause()
            print(f"memn2n: interrupted; what is finished is in {out}, and the same command goes on from there",
                  file=sys.stderr)  # fmt: skip
            raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        typer.echo(json.dumps(report.to_dict()))
    else:
        typer.echo(f"written to {out / 'results.md'} and results.json")
    diverged = [f"{column.recipe.column} (tasks {', '.join(map(str, column.diverged))})"
                for column in report.columns if column.diverged]  # fmt: skip
    if diverged:
        raise TrainingError(f"every restart diverged: {'; '.join(diverged)}")


class _Bar:
    """A bar on a terminal, elsewhere a line a restart; on standard error."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True)
        # standard output is left alone: what is printed there need not go to this terminal
        self._bar = Progress(
            TextColumn("{task.description}", markup=False), BarColumn(bar_width=20),
            TextColumn("{task.fields[restarts]} restarts"), TimeRemainingColumn(), console=self._console,
            disable=not self._console.is_terminal, redirect_stdout=False, transient=True,
        )  # fmt: skip

    def show(self, progress: Progress) -> None:
        """Show how far it is."""
        where = f"{progress.column}, {progress.label}"
        restarts = f"{progress.restarts_done}/{progress.restarts}"
        if not self._bar.task_ids:  # what was done before must not count for the speed
            self._bar.add_task(where, total=progress.work, completed=progress.work_done, restarts=restarts)  # type: ignore[arg-type]
        self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=where, completed=progress.work_done, restarts=restarts)
        ended = progress.restart
        if ended is not None and not self._console.is_terminal:
            score = ended.stopped or (f"training loss {ended.train.loss:.4f}" if ended.train else "")
            line = f"{restarts}  {where}, restart {ended.restart + 1}: {score}  {ended.seconds:.1f} s"
            self._console.print(line, soft_wrap=True, highlight=False, markup=False)

    def pause(self) -> None:
        """Take the bar away, until something is to be shown again."""
        self._bar.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()


def _print_column(column: ColumnReport, report: TableReport) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from memn2n.reproduce.results import EXPLANATION, HEADINGS, cells, failed_cells

    table = Table(
        title=f"{report.table}: {column.recipe.column}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("task", no_wrap=True)
    for heading in HEADINGS:
        table.add_column(heading.replace(" ", "\n"), justify="right", no_wrap=True)
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
