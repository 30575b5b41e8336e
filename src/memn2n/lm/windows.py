"""Batches of the language model: which words are predicted together, and which words they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memn2n.lm.config import LMTraining
    from memn2n.lm.data.ids import Ids

Longs = npt.NDArray[np.int64]

_EVALUATED_WORDS = 1024  # at a time: more are not faster, and need more memory
_EVALUATED_BLOCK = 128


class WindowBatch(NamedTuple):
    """Blocks of L consecutive words to predict, and the words that they read.

    Args:
        words: (block, N + L - 1) ids of the words that the positions of each block read.
        target: (block, L) ids of the words to predict.
        missing: (block) number of ids at the start of ``words`` that stand before the beginning of the text; None if
            there are none.
    """

    words: torch.Tensor
    target: torch.Tensor
    missing: torch.Tensor | None


@dataclass(frozen=True)
class EpochBatches:
    """The batches of an epoch, in their order.

    Args:
        order: (blocks) the position of each block's first word, in the order of training.
        block: words in a block.
        size: blocks in a batch.
    """

    order: Longs
    block: int
    size: int

    def __len__(self) -> int:
        return -(-len(self.order) // self.size)

    @property
    def words(self) -> int:
        """Number of words in the epoch."""
        return len(self.order) * self.block

    def starts(self, batch: int) -> Longs:
        """Return the (blocks) positions of the first words of a batch's blocks."""
        return self.order[batch * self.size : (batch + 1) * self.size]


def epoch_batches(words: int, config: LMTraining, epoch: int) -> EpochBatches:
    """Draw the batches of an epoch.

    They depend on the seed and the epoch's number only, so that training can resume within an epoch. All words but the
    text's first one can be predicted. The first block starts at a random offset, which differs from epoch to epoch. The
    words that do not fill a block at either end, fewer than two blocks, are left out of the epoch.

    Args:
        words: number of words in the text, 2 or more.
        config: settings.
        epoch: number of the epoch, from 1.
    """
    rng = np.random.default_rng((config.seed, epoch))
    predicted = words - 1
    if config.batching == "random":
        order = rng.integers(1, words, predicted)
        return EpochBatches(order, 1, config.batch_size)
    block = min(config.block, config.batch_size, predicted)
    offset = rng.integers(predicted % block + 1) if predicted < 2 * block else rng.integers(block)
    first = np.arange(1 + offset, words - block + 1, block)
    return EpochBatches(rng.permutation(first), block, max(1, config.batch_size // block))


def window_batch(ids: Ids, starts: Longs, length: int, memory_size: int, device: torch.device) -> WindowBatch:
    """Collect the words of some blocks, and the words that they read.

    Args:
        ids: the text.
        starts: (block) positions of the blocks' first words, 1 or more.
        length: number L of words in a block.
        memory_size: N.
        device: device of the result.
    """
    at = starts[:, None] + np.arange(-memory_size, length)  # (block, N + L)
    words = torch.from_numpy(ids[at.clip(min=0)].astype(np.int64)).to(device)
    lacking = memory_size - starts
    missing = torch.from_numpy(lacking.clip(min=0)).to(device) if (lacking > 0).any() else None
    return WindowBatch(words[:, :-1], words[:, memory_size:], missing)


def contiguous(words: int) -> Iterator[tuple[Longs, int]]:
    """Yield (first positions, length) of blocks that hold each word of a text but the first one once, in order."""
    full = np.arange(1, words - _EVALUATED_BLOCK + 1, _EVALUATED_BLOCK)
    size = _EVALUATED_WORDS // _EVALUATED_BLOCK
    for i in range(0, len(full), size):
        yield full[i : i + size], _EVALUATED_BLOCK
    rest = 1 + len(full) * _EVALUATED_BLOCK
    if rest < words:
        yield np.array([rest]), words - rest
