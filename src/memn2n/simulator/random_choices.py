"""Random choices that are the same on every platform and Python version."""

from __future__ import annotations

import random
from itertools import accumulate
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = TypeVar("T")


class RandomChoices:
    """A random generator whose choices depend only on the text of its seed.

    It uses only ``random.Random.random``: Python guarantees that this sequence stays the same, and no other method's.
    """

    def __init__(self, seed: str) -> None:
        self._draw = random.Random(seed).random

    def below(self, number: int) -> int:
        """A number from 0 to ``number - 1``."""
        return int(self._draw() * number)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self._draw() < probability

    def choice(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[int(self._draw() * len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """One of the items, with a probability proportional to its weight.

        Items beyond the last weight are never chosen; weights beyond the last item are ignored.
        """
        bounds = list(accumulate(weights[: len(items)]))
        drawn = self._draw() * bounds[-1]
        return items[next(index for index, bound in enumerate(bounds) if drawn < bound)]

    def shuffled(self, items: Iterable[T]) -> list[T]:
        """The items in random order (Fisher-Yates)."""
        shuffled = list(items)
        for last in range(len(shuffled) - 1, 0, -1):
            other = self.below(last + 1)
            shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
        return shuffled

    def deranged(self, items: Iterable[T]) -> list[T]:
        """The items in a random order in which no item keeps its position, unless there is only one (Sattolo)."""
        deranged = list(items)
        for last in range(len(deranged) - 1, 0, -1):
            other = self.below(last)
            deranged[last], deranged[other] = deranged[other], deranged[last]
        return deranged

    def sample(self, items: Iterable[T], number: int) -> list[T]:
        """``number`` different items, in random order; all of them if there are fewer."""
        return self.shuffled(items)[:number]
