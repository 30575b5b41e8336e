"""``memn2n info``."""

from __future__ import annotations

import json
import platform

import typer

from memn2n.cli.options import Json


def info(as_json: Json = False) -> None:
    """Print the versions of memn2n and its libraries, and what this machine offers: engine, cores, GPU."""
    from importlib.metadata import version

    import torch

    from memn2n.machine import available_cores, multiplies_bfloat16
    from memn2n.qa import engine

    facts = {
        "memn2n": version("memn2n"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": version("numpy"),
        "platform": platform.platform(),
        "engine": f"no: {engine.unavailable()}" if engine.unavailable() else "native",
        "instruction sets": engine.instruction_sets(),
        "threads": available_cores(),
        "bfloat16": "in hardware" if multiplies_bfloat16(torch.device("cpu")) else "not in hardware: float32 is faster",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
        typer.echo(f"{name:<16} {shown}")
