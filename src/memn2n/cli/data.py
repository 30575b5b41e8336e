"""``memn2n data get``: download a data set."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from memn2n.terminal import printable

app = typer.Typer(help="Public data sets.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Public data sets."""


@app.command()
def get(
    name: Annotated[str, Argument(help="The data set: babi.")],
    out: Annotated[Path | None, Option(help="Where to unpack; by default data/NAME.")] = None,
    url: Annotated[str | None, Option(help="Another address of the archive.")] = None,
    sha256: Annotated[str | None, Option(help="SHA-256 of that archive, if it is another one.")] = None,
) -> None:
    """Download a data set, check its SHA-256 and unpack it. An interrupted download is resumed."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    from memn2n.files.download import get as download

    folder = out or Path("data") / name
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
               TimeRemainingColumn())  # fmt: skip
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, disable=not console.is_terminal)
    task = bar.add_task(name, total=None)

    def show(done: int, total: int | None) -> None:
        bar.start()  # here, so that nothing is shown if the arguments are refused
        bar.update(task, completed=done, total=total)

    try:
        download(name, folder, url=url, sha256=sha256, progress=show)
    finally:
        if bar.live.is_started:
            bar.stop()
    typer.echo(folder)
    for babi in sorted(path.parent for path in folder.rglob("qa1_*train.txt")):
        command = f"memn2n qa train {shlex.quote(str(babi))} --task 1 --out runs/{shlex.quote(babi.name)}-task1"
        typer.echo(printable(command))  # an archive chooses the names of its folders
