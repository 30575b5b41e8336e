"""Times of work that is done in turn, and what the machine is and can do."""

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
        rounds: how often each work has its turn.
        seconds: how long a turn is at least.
    """

    rounds: int
    seconds: float


@dataclass(frozen=True)
class Timing:
    """Seconds a call.

    Args:
        best: of the fastest turn: other programs only ever make one slower.
        median: of all turns; how far it is from the best one tells how noisy the machine was.
    """

    best: float
    median: float


def alternate(works: Mapping[_Name, Callable[[], object]], effort: Effort) -> dict[_Name, Timing]:
    """Do each work in turn, some rounds; what the first call of each sets up is not counted."""
    for work in works.values():
        work()
    found: dict[_Name, list[float]] = {name: [] for name in works}
    for _ in range(effort.rounds):
        for name, work in works.items():
            found[name].append(seconds_a_call(work, effort.seconds))
    return {name: Timing(min(values), median(values)) for name, values in found.items()}


def seconds_a_call(work: Callable[[], object], seconds: float) -> float:
    """The mean over as many calls as take ``seconds`` together, one at least."""
    calls = 0
    begin = time.perf_counter()
    while True:
        work()
        calls += 1
        passed = time.perf_counter() - begin
        if passed >= seconds:
            return passed / calls


def peak_operations(effort: Effort) -> float:
    """Float32 operations a second of PyTorch's products of square matrices, by the threads it has: the best size's."""
    best = 0.0
    for size in (256, 512, 1024):
        a, b, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
        product = alternate({"product": partial(torch.mm, a, b, out=out)}, effort)["product"]
        best = max(best, 2 * size**3 / product.best)
    return best


def machine() -> dict[str, Any]:
    """What was measured on, and what."""
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
