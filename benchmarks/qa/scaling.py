"""How the cost of training grows with sentences, hops, components and restarts."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.qa.compare import operations_per_example
from benchmarks.qa.workload import BACKENDS, Workload, fresh_loop, questions_of_epoch
from benchmarks.timing import alternate
from memn2n import NetworkConfig
from memn2n.qa.networks import SOFTMAX
from memn2n.qa.training.restarts import run_restarts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.timing import Effort
    from memn2n.qa.training.problem import Problem
    from memn2n.qa.training.schedule import Loop

SENTENCES, HOPS, DIM = 10, 3, 20
"""The values for the other curves, similar to task 1."""

RESTARTS = [1, 2, 4, 6, 8]


def scaling(effort: Effort, quick: bool = False) -> dict[str, Any]:
    """The curves: microseconds for each trained example, and seconds of complete restarts.

    Args:
        effort: the effort for each point.
        quick: measure only two points of each curve.
    """
    base = Workload.made_up(SENTENCES)

    def points(values: list[int]) -> list[int]:
        return [values[0], values[-1]] if quick else values

    def curve(values: list[int], at: Callable[[int], tuple[Workload, NetworkConfig]]) -> dict[str, Any]:
        return _curve(points(values), at, effort)

    return {
        "base": {"sentences": SENTENCES, "hops": HOPS, "dim": DIM, "examples": len(base.examples)},
        "sentences": curve([2, 5, 10, 20, 35, 50], lambda n: (Workload.made_up(n), _network())),
        "hops": curve([1, 2, 3, 4, 6, 8], lambda hops: (base, _network(hops=hops))),
        "dim": curve([5, 10, 20, 32, 50, 64, 100, 128, 256, 512], lambda dim: (base, _network(dim=dim))),
        "restarts": _restarts(points(RESTARTS), base, effort),
    }


def _network(hops: int = HOPS, dim: int = DIM) -> NetworkConfig:
    return NetworkConfig(hops=hops, dim=dim)


def _curve(
    values: Sequence[int], at: Callable[[int], tuple[Workload, NetworkConfig]], effort: Effort
) -> dict[str, Any]:
    problems = {(value, name): _problem(*at(value), name) for value in values for name in BACKENDS}
    # all points take turns, so that other work on the machine does not affect only one of them
    timing = alternate({key: partial(_epoch, fresh_loop(problem)[1]) for key, problem in problems.items()}, effort)
    found: dict[str, list[float]] = {
        name: [1e6 * timing[value, name].best / questions_of_epoch(problems[value, name]) for value in values]
        for name in BACKENDS
    }
    found["operations"] = [sum(operations_per_example(problems[value, "engine"]).values()) for value in values]
    return {"values": list(values), "unit": "microseconds an example", **found}


def _problem(workload: Workload, network: NetworkConfig, backend: str) -> Problem:
    return workload.problem(backend, network)


def _epoch(loop: Loop) -> None:
    if not math.isfinite(loop.epoch(_RATE, SOFTMAX).loss):
        raise RuntimeError("the network diverged, so the epoch was not complete")


_RATE = 1e-3  # wide networks diverge with the default rate; the cost of an epoch does not depend on it


def _restarts(values: Sequence[int], workload: Workload, effort: Effort) -> dict[str, Any]:
    """Wall time of complete restarts on all cores."""
    problem = workload.problem("engine")

    def train(number: int) -> None:
        run_restarts(problem, range(number), lambda _event: None, lambda _trained: None)

    timing = alternate({number: partial(train, number) for number in values}, effort)
    return {"values": list(values), "unit": "seconds", "engine": [timing[number].best for number in values]}
