"""Options that several commands have, and the exit status of Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

INTERRUPTED = 130
"""Exit status of a command that Ctrl-C ended: 128 + SIGINT."""

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tasks = Annotated[
    str | None, typer.Option(metavar="N|N,N|N-N", help="Tasks of a bAbI folder; by default all, jointly.")
]
