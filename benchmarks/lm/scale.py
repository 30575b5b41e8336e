"""The extent of the measurements: full, or just enough to see that they work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.lm.workload import SIZES, Text
from benchmarks.timing import Effort
from memn2n import LMConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Scale:
    """The extent of the measurements.

    Args:
        network: the network's settings.
        vocabulary: number of distinct words in a made-up text.
        words: length of a made-up text.
        call_words: number of words that are trained on in one call, between two readings of the clock.
        speed: effort for each kind of work.
        growth: effort for each point of a curve.
        curves: name of the setting that a curve changes -> its values.
        naive_seconds: how long to measure naive steps beside a training to some quality.
    """

    network: LMConfig
    vocabulary: int
    words: int
    call_words: int
    speed: Effort
    growth: Effort
    curves: Mapping[str, Sequence[int]]
    naive_seconds: float

    def text(self, data: Path | None) -> Text:
        """Return the text of a folder, or made-up words."""
        return Text.made_up(self.vocabulary, self.words) if data is None else Text.read(data)


FULL = Scale(
    network=SIZES,
    vocabulary=10_000,
    words=200_000,
    call_words=8192,
    speed=Effort(rounds=7, seconds=0.4),
    growth=Effort(rounds=4, seconds=0.05),
    curves={
        "memory_size": [25, 50, 100, 200, 400, 800],
        "hops": [1, 2, 4, 6, 8],
        "vocabulary": [10_000, 30_000, 100_000],
    },
    naive_seconds=10,
)
QUICK = Scale(
    network=LMConfig(dim=12, linear=6, hops=2, memory_size=10),
    vocabulary=200,
    words=5_000,
    call_words=512,
    speed=Effort(rounds=2, seconds=0.01),
    growth=Effort(rounds=1, seconds=0),
    curves={"memory_size": [5, 40], "hops": [1, 2], "vocabulary": [200, 400]},
    naive_seconds=0.01,
)
