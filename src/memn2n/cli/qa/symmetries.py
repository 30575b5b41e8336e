"""``memn2n qa symmetries``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from memn2n.cli.options import Json, Tasks, parse_tasks

if TYPE_CHECKING:
    from memn2n.qa.symmetries.evidence import Evidence
    from memn2n.qa.symmetries.finder import Found


def symmetries(
    data: Annotated[Path, Argument(help="A bAbI file or folder (its training files), or a JSONL file.")],
    task: Tasks = None,
    out: Annotated[Path | None, Option(help="A TOML file to write; by default, standard output.")] = None,
    lowercase: Annotated[bool, Option(help="Treat upper and lower case as the same.")] = True,
    seed: Annotated[int, Option(min=0, help="Seed of the networks that test the words.")] = 0,
    threads: Annotated[int | None, Option(min=1, show_default="one per core", help="Networks at a time.")] = None,
    as_json: Json = False,
) -> None:
    """Find the exchangeable words of training data, as a file for ``qa train --symmetries``.

    The comments at its end say which words look alike but must not be exchanged, and what showed it.
    """
    from memn2n.files.lines import write_lines
    from memn2n.qa.data import read_stories
    from memn2n.qa.symmetries.finder import find_symmetries

    tasks = parse_tasks(task, "--task")
    examples = read_stories(data, "train", tasks)
    found = find_symmetries(examples, lowercase, seed, threads)
    if as_json:
        typer.echo(json.dumps(found.symmetries.to_dict() | {"evidence": found.rows()}, ensure_ascii=False))
    if out is not None:
        write_lines(out, [_text(found).encode("utf-8")])
    elif not as_json:
        typer.echo(_text(found), nl=False)


def _text(found: Found) -> str:
    """The classes and swaps as TOML; then what was not allowed, as comments."""
    from memn2n.qa.symmetries.files import symmetries_text

    last = {(one.task, one.first, one.second): one for one in found.evidence}.values()  # later tests know more
    notes = [_note(one) for one in last if one.verdict != "allowed"]
    return "\n".join([symmetries_text(found.symmetries), *notes, *[""] * bool(notes)])


def _note(one: Evidence) -> str:
    task = f"task {one.task}: " if one.task else ""
    errors = "" if one.before is None or one.after is None else f" (error {one.before:.1%}, then {one.after:.1%})"
    words = f"{' '.join(one.first)} <> {' '.join(one.second)}"
    return f"# {task}{words}: {one.verdict} by {one.test}: {one.reason}{errors}".replace("\n", " ")
