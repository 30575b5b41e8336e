"""Timing of functions that take turns, and a description of the machine."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from memn2n.machine import available_cores
from memn2n.qa import engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Name = TypeVar("_Name")


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Args:
        rounds: number of turns of each function.
        seconds: minimum duration of a turn.
    """

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Timing:
    """Seconds for each call.

    Args:
        best: the fastest turn. Other programs can only make a turn slower.
        median: the median turn. Its distance from the best one shows how noisy the machine was.
    """

    best: float
    median: float


def alternate(works: Mapping[_Name, Callable[[], object]], effort: Effort) -> dict[_Name, Timing]:
    """Time each function in turn, after one call of each that is not counted."""
    for work in works.values():
        work()
    found: dict[_Name, list[float]] = {name: [] for name in works}
    for _ in range(effort.rounds):
        for name, work in works.items():
            found[name].append(seconds_a_call(work, effort.seconds))
    return {name: Timing(min(values), median(values)) for name, values in found.items()}


def seconds_a_call(work: Callable[[], object], seconds: float) -> float:
    """The mean over repeated calls that take at least ``seconds`` together."""
    calls = 0
    begin = time.perf_counter()
    while True:
        work()
        calls += 1
        passed = time.perf_counter() - begin
        if passed >= seconds:
            return passed / calls


def peak_operations(effort: Effort) -> float:
    """Float32 operations a second of PyTorch's best product of square matrices, with its current threads."""
    best = 0.0
    for size in (256, 512, 1024):
        a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
        product = alternate({"product": partial(torch.mm, a, b, out=out)}, effort)["product"]
        best = max(best, 2 * size**3 / product.best)
    return best


def machine() -> dict[str, Any]:
    """The machine and the versions of the software."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "instruction_sets": engine.instruction_sets(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": version("numpy"),
        "memn2n": version("memn2n"),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
