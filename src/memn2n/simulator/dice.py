"""Chance that falls the same way under every Python."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = TypeVar("T")


class Dice:
    """Random choices, made of ``random.Random.random`` alone: of the module, only that sequence is promised to stay.

    Args:
        seed: the same text gives the same choices everywhere.
    """

    def __init__(self, seed: str) -> None:
        self._draw = random.Random(seed).random

    def below(self, number: int) -> int:
        """A number from 0 to ``number - 1``."""
        return int(self._draw() * number)

    def chance(self, probability: float) -> bool:
        """True so often."""
        return self._draw() < probability

    def one(self, items: Sequence[T]) -> T:
        """Any of the items."""
        return items[int(self._draw() * len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """One of the items, in proportion to the weights; what has none is not drawn, and weights may be left over."""
        bounds = list(accumulate(weights[: len(items)]))
        drawn = self._draw() * bounds[-1]
        return items[next(index for index, bound in enumerate(bounds) if drawn < bound)]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """The items in random order."""
        shuffled = list(items)
        for last in range(len(shuffled) - 1, 0, -1):
            other = self.below(last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled

    def turned(self, items: Iterable[T]) -> list[T]:
        """The items in a random order in which none stands where it stood; two change places."""
        turned = list(items)
        for last in range(len(turned) - 1, 0, -1):
            other = self.below(last)
            turned[last], turned[other] = turned[other], turned[last]
        return turned

    def some(self, items: Iterable[T], number: int) -> list[T]:
        """So many different items, in random order."""
        return self.shuffled(items)[:number]
