"""The cost of training the language model by memory size, number of hops and size of the vocabulary."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.lm.workload import NAIVE, RECIPES, Naive, Text, Training, batch_words, precisions
from benchmarks.timing import alternate
from memn2n import LMConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.timing import Effort

_WORDS = 50_000  # of the made-up text
_BATCHES = 2  # a call


def growth(
    network: LMConfig, vocabulary: int, effort: Effort, curves: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, Any]]:
    """Measure the microseconds that a word of training takes, naive and by the default recipe, on made-up words.

    Args:
        network: its settings, of which each curve changes one.
        vocabulary: number of words, unless the curve changes it.
        effort: for each point.
        curves: name of the setting that a curve changes -> its values.
    """
    base = {
        "memory_size": f"memory {network.memory_size}", "hops": f"{network.hops} hops",
        "vocabulary": f"{vocabulary:,} words"
    }  # fmt: skip
    found = {}
    for name, values in curves.items():
        points = {value: _point(network, vocabulary, name, value) for value in values}
        kept = ", ".join(text for key, text in base.items() if key != name)
        found[name] = {"values": list(values), "unit": "microseconds a word", "kept": kept, **_curve(points, effort)}
    return found


def _point(network: LMConfig, vocabulary: int, name: str, value: int) -> tuple[LMConfig, int]:
    if name == "vocabulary":
        return network, value
    return LMConfig.from_dict(asdict(network) | {name: value}), vocabulary


def _curve(points: dict[int, tuple[LMConfig, int]], effort: Effort) -> dict[str, list[float]]:
    works: dict[tuple[str, int], Callable[[], object]] = {}
    words = {"naive": NAIVE.batch_size}
    recipe = RECIPES["default"]
    for value, (network, vocabulary) in points.items():
        text = Text.made_up(vocabulary, _WORDS)
        works["naive", value] = Naive(network, text).step
        for precision in precisions():
            works[precision, value] = partial(Training(network, text, recipe, precision).train, _BATCHES)
            words[precision] = _BATCHES * batch_words(recipe)
    timing = alternate(
        works, effort
    )  # in alternation, so that a busy moment of the machine does not fall on one point only
    return {mode: [1e6 * timing[mode, value].best / words[mode] for value in points] for mode in words}
