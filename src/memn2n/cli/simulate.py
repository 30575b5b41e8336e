"""``memn2n simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from memn2n.cli.options import parse_tasks
from memn2n.qa.config import StoryFormat
from memn2n.settings import check_range

_OUT = Path("data/simulated")


def simulate(
    task: Annotated[str, Option(metavar="N|N,N|N-N|all", help="bAbI's tasks, 1 to 20.")] = "all",
    train: Annotated[int, Option(help="Training questions of each task.")] = 1000,
    test: Annotated[int, Option(help="Test questions of each task; none of them is in the training data.")] = 1000,
    seed: Annotated[int, Option(help="The same seed gives the same files.")] = 0,
    world: Annotated[Path | None, Option(help="Your own names and sentences, a TOML file: docs/simulator.md.")] = None,
    file_format: Annotated[StoryFormat, Option("--format", help="babi: bAbI's text files; jsonl: JSONL.")] = "babi",
    unseen: Annotated[bool, Option("--unseen", help="Invent new names for the test questions.")] = False,
    out: Annotated[Path, Option(help="Folder for the files; files of the same names are replaced.")] = _OUT,
) -> None:
    """Simulate stories with questions for the 20 tasks of bAbI, and write them to files."""
    from rich.console import Console
    from rich.progress import track

    from memn2n.simulator import MAX_QUESTIONS, SKILLS
    from memn2n.simulator.story_files import write_simulated
    from memn2n.simulator.world import read_world

    tasks = dict.fromkeys(parse_tasks(task, "--task") or SKILLS)
    check_range("train", train, 1, MAX_QUESTIONS)
    check_range("test", test, 1, MAX_QUESTIONS)
    own = None if world is None else read_world(world)
    console = Console(stderr=True)
    written = write_simulated(out, tasks, train, test, seed, own, file_format, unseen)
    for _ in track(written, "stories", len(tasks), console=console, transient=True, disable=not console.is_terminal):
        pass
    typer.echo(out)
