"""Which words of a text make a batch, and what they look at."""

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

MEASURED_AT_A_TIME = 1024  # words: more of them are not faster, and cost memory
MEASURED_BLOCK = 128


class WindowBatch(NamedTuple):
    """Blocks of consecutive words to be predicted, and what they look at.

    Args:
        words: (block, N + L - 1) ids of the words that a block's L words look at.
        target: (block, L) ids of the words themselves.
        missing: (block) how many of ``words`` at the front do not exist; None where all do.
    """

    words: torch.Tensor
    target: torch.Tensor
    missing: torch.Tensor | None


@dataclass(frozen=True)
class EpochBatches:
    """The batches of an epoch, in their order.

    Args:
        order: (blocks) the position of the first word of each block, in the order that they are trained in.
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
        """How many words are trained on."""
        return len(self.order) * self.block

    def starts(self, batch: int) -> Longs:
        """(blocks) where the blocks of a batch begin."""
        return self.order[batch * self.size : (batch + 1) * self.size]


def epoch_batches(words: int, config: LMTraining, epoch: int) -> EpochBatches:
    """The batches of an epoch, which follow from the seed and its number alone, so that training can go on within it.

    Every word but the text's first one can be predicted. Blocks begin at a random offset, another one in each epoch;
    the words that do not fill a block at either end, fewer than two blocks, are left out.

    Args:
        words: in the text, two or more.
        config: settings.
        epoch: from 1.
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
    """The words of some blocks, and what they look at.

    Args:
        ids: the text.
        starts: (block) positions of the blocks' first words, 1 or more.
        length: words in a block.
        memory_size: N.
        device: where the result lies.
    """
    at = starts[:, None] + np.arange(-memory_size, length)  # (block, N + L)
    words = torch.from_numpy(ids[at.clip(min=0)].astype(np.int64)).to(device)
    lacking = memory_size - starts
    missing = torch.from_numpy(lacking.clip(min=0)).to(device) if (lacking > 0).any() else None
    return WindowBatch(words[:, :-1], words[:, memory_size:], missing)


def contiguous(words: int) -> Iterator[tuple[Longs, int]]:
    """Yield (starts of blocks, their length) so that every word of a text but the first is predicted once, in order."""
    full = np.arange(1, words - MEASURED_BLOCK + 1, MEASURED_BLOCK)
    size = MEASURED_AT_A_TIME // MEASURED_BLOCK
    for i in range(0, len(full), size):
        yield full[i : i + size], MEASURED_BLOCK
    rest = 1 + len(full) * MEASURED_BLOCK
    if rest < words:
        yield np.array([rest]), words - rest
