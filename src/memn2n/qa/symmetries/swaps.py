"""Search words that must be swapped together, such as north and south in a story with "n" and "s" in its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from memn2n.qa.symmetries.proposals import Pair

Pairs = tuple["Pair", ...]
"""Pairs of words that are swapped together. No two of them share a word."""

MOST_PAIRS = 5


class Judged(NamedTuple):
    """How good a swap is, from 0 to 1, and whether it is allowed."""

    score: float
    allowed: bool


def search_swaps(seeds: Iterable[Pair], companions: Sequence[Pair], judge: Callable[[Pairs], Judged]) -> list[Pairs]:
    """Find a swap for each pair that is no symmetry alone: the pair, and other pairs that are swapped with it.

    Pairs are added one after the other, each time the one that helps most.

    Args:
        seeds: the pairs to begin with.
        companions: the pairs that can be added.
        judge: judges a swap.

    Returns:
        The swaps that are allowed, each of them once, in the order of their seeds.
    """
    found: list[Pairs] = []
    for seed in seeds:
        if any(seed in swap for swap in found):
            continue
        pairs: Pairs = (seed,)
        best = judge(pairs)
        while not best.allowed and len(pairs) < MOST_PAIRS:
            used = {word for pair in pairs for word in pair}
            longer = [(*pairs, pair) for pair in companions if used.isdisjoint(pair)]
            if not longer:
                break
            judged = [judge(swap) for swap in longer]
            i = max(range(len(longer)), key=lambda i: (judged[i].allowed, judged[i].score, -i))
            if judged[i].score <= best.score and not judged[i].allowed:
                break
            pairs, best = longer[i], judged[i]
        if best.allowed:
            found.append(pairs)
    return found
