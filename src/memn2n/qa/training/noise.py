"""Random noise for training: in time (RN, section 4.1), and words replaced by the unknown word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from memn2n.qa.batch import EMPTY_SENTENCE, Layout
from memn2n.qa.vocabulary import NULL, UNKNOWN

if TYPE_CHECKING:
    import numpy.typing as npt

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import TrainingConfig


class RandomNoise:
    """Random noise with the settings of a TrainingConfig; implements ``memn2n.qa.batch.Noise``.

    For a story of n sentences, b is drawn from 0 to ceil(noise_rate n), both included, so that short stories get noise
    too. The n sentences keep their order and take n of the first n + b times. "jitter" leaves the other times unused;
    "empty" fills them with sentences that have no words.

    Args:
        config: has noise, noise_rate and unknown_rate.
        memory_size: maximum number of slots. With "empty", the oldest sentences beyond it are dropped.
        rng: source of randomness.
    """

    def __init__(self, config: TrainingConfig, memory_size: int, rng: np.random.Generator) -> None:
        self.kind = config.noise
        self.rate = config.noise_rate
        self.unknown_rate = config.unknown_rate
        self.memory_size = memory_size
        self.rng = rng

    def memory(self, layout: Layout) -> Layout:
        """Move the sentences of each story apart in time."""
        if self.kind == "none":
            return layout
        n = layout.filled
        total = n + self.rng.integers(0, np.ceil(self.rate * n).astype(np.int64), endpoint=True)  # n + b
        width = int(total.max(initial=0))
        # choose n of the n + b times: those with the n smallest random keys, then sort them
        keys = self.rng.random((len(n), width))
        keys[np.arange(width) >= total[:, None]] = np.inf
        chosen = np.argsort(keys, axis=1)[:, : layout.time.shape[1]]  # (batch, slot)
        present = np.arange(chosen.shape[1]) < n[:, None]
        chosen = np.sort(np.where(present, chosen, width), axis=1)
        if self.kind == "jitter":
            return layout._replace(time=np.where(present, chosen, 0))
        story = np.nonzero(present)[0]
        filled = np.minimum(total, self.memory_size)
        size = int(filled.max(initial=0))

        def spread(of_slots: npt.NDArray[Any], empty: int) -> npt.NDArray[Any]:
            apart = np.full((len(n), width), empty, of_slots.dtype)
            apart[story, chosen[present]] = of_slots[present]
            return apart[:, :size]

        time = np.where(np.arange(size) < filled[:, None], np.arange(size), 0)
        return Layout(spread(layout.sentence, EMPTY_SENTENCE), spread(layout.value, EMPTY_SENTENCE),
                      spread(layout.support, False), time, filled)  # fmt: skip

    def words(self, words: Longs) -> Longs:
        """Replace a share of the words by the unknown word."""
        if self.unknown_rate == 0:
            return words
        return np.where((self.rng.random(words.shape) < self.unknown_rate) & (words != NULL), UNKNOWN, words)
