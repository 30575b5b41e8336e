"""``memn2n info``."""

from __future__ import annotations

import json
import platform
from typing import Annotated

import typer


def info(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Tell the versions of memn2n and what it runs on."""
    from importlib.metadata import version

    import torch

    from memn2n.simulator import SKILLS

    facts = {
        "memn2n": version("memn2n"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": version("numpy"),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "simulated tasks": sorted(SKILLS),
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        typer.echo(f"{name:<16} {value if not isinstance(value, list) else ', '.join(map(str, value))}")
