"""``memn2n info``."""

from __future__ import annotations

import json
import platform
from typing import Any

import typer

from memn2n.cli.options import Json


def info(as_json: Json = False) -> None:
    """Print the versions of memn2n and its libraries, and what is there: engine, PyTorch, cores, GPU."""
    from importlib.metadata import version

    from memn2n.machine import available_cores, has_torch
    from memn2n.qa import engine

    facts: dict[str, Any] = {
        "memn2n": version("memn2n"),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "torch": "not installed: pip install 'memn2n[torch]'",
        "platform": platform.platform(),
        "engine": f"no: {engine.unavailable()}" if engine.unavailable() else "native",
        "instruction sets": engine.instruction_sets(),
        "threads": available_cores(),
        "stories": _what_trains(),
        "language models": "PyTorch" if has_torch() else "need PyTorch",
    }
    if has_torch():
        import torch

        from memn2n.machine import multiplies_bfloat16

        bfloat16 = multiplies_bfloat16(torch.device("cpu"))
        facts["torch"] = torch.__version__
        facts["bfloat16"] = "in hardware" if bfloat16 else "not in hardware: float32 is faster"
        facts["gpu"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for name, value in facts.items():
        shown = ", ".join(map(str, value)) or "none" if isinstance(value, list) else value
        typer.echo(f"{name:<16} {shown}")


def _what_trains() -> str:
    """What trains and answers questions about stories."""
    from memn2n.machine import has_torch
    from memn2n.qa import engine

    if not engine.unavailable():
        return "the engine trains and answers"
    return "PyTorch trains, NumPy answers" if has_torch() else "NumPy answers; training needs PyTorch or the engine"
