"""Batches: an epoch or an evaluation has each word once."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from memn2n import LMConfig, LMTraining
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.windows import contiguous, epoch_batches, window_batch

CPU = torch.device("cpu")


def predicted(words: int, config: LMTraining, epoch: int) -> list[list[int]]:
    """The positions of each block of an epoch, in their order."""
    batches = epoch_batches(words, config, epoch)
    starts = [start for i in range(len(batches)) for start in batches.starts(i).tolist()]
    assert batches.words == len(starts) * batches.block
    return [list(range(start, start + batches.block)) for start in starts]


@given(st.integers(1, 3000))
@example(2)
@example(128)
@example(129)
@example(130)
@example(1025)
@example(1026)
def test_every_word_but_the_first_is_measured_once_and_in_order(words: int) -> None:
    found = [at + i for starts, length in contiguous(words) for at in starts.tolist() for i in range(length)]
    assert found == list(range(1, words))


@given(st.integers(2, 400), st.integers(1, 50), st.integers(1, 200), st.integers(0, 5), st.integers(1, 9))
def test_blocks_of_an_epoch_never_overlap(words: int, block: int, batch_size: int, seed: int, epoch: int) -> None:
    config = LMTraining(block=block, batch_size=batch_size, seed=seed)
    blocks = predicted(words, config, epoch)
    positions = [position for block in blocks for position in block]
    assert len(set(positions)) == len(positions) > 0
    assert min(positions) >= 1
    assert max(positions) < words
    assert words - 1 - len(positions) < 2 * len(blocks[0])
    assert max(positions) - min(positions) + 1 == len(positions), "no word is left out between them"
    batches = epoch_batches(words, config, epoch)
    sizes = [len(batches.starts(i)) * batches.block for i in range(len(batches))]
    assert max(sizes) <= batch_size
    assert all(size == sizes[0] for size in sizes[:-1])
    assert 0 < sizes[-1] <= sizes[0]


def test_over_the_epochs_every_word_is_trained_on() -> None:
    """Including those at both ends, which do not fill a block in every epoch."""
    for words in (2, 9, 10, 11, 19, 20, 45):
        config = LMTraining(block=10, batch_size=20)
        seen = {position for epoch in range(1, 200) for block in predicted(words, config, epoch) for position in block}
        assert seen == set(range(1, words))


def test_an_epoch_follows_from_the_seed_and_its_number_alone() -> None:
    config = LMTraining(block=4, batch_size=8)
    first = predicted(200, config, 1)
    assert predicted(200, config, 1) == first
    assert predicted(200, config, 2) != first
    assert predicted(200, LMTraining(block=4, batch_size=8, seed=1), 1) != first
    assert first != sorted(first), "the order is random"


def test_random_batches_are_drawn_with_replacement_from_all_words() -> None:
    config = LMTraining(batching="random", batch_size=30)
    batches = epoch_batches(101, config, 1)
    assert (len(batches), batches.words, batches.block) == (4, 100, 1)
    assert [len(batches.starts(i)) for i in range(4)] == [30, 30, 30, 10]
    drawn = np.concatenate([epoch_batches(101, config, epoch).order for epoch in range(1, 200)])
    assert set(drawn.tolist()) == set(range(1, 101))
    assert len(set(batches.order.tolist())) < 100, "some twice, some not at all"
    np.testing.assert_array_equal(batches.order, epoch_batches(101, config, 1).order)
    assert len(epoch_batches(2, config, 1)) == 1


@pytest.mark.parametrize("memory", [1, 3, 8])
def test_a_block_reads_the_words_before_it(memory: int) -> None:
    ids = np.arange(100, 130, dtype=np.int32)
    starts, length = np.array([1, 2, 9, 26]), 4
    batch = window_batch(ids, starts, length, memory, CPU)
    assert batch.words.shape == (4, memory + length - 1)
    lacking = [0] * 4 if batch.missing is None else batch.missing.tolist()
    for row, start in enumerate(starts.tolist()):
        assert batch.target[row].tolist() == list(range(100 + start, 104 + start))
        read = batch.words[row, lacking[row] :].tolist()
        assert read == list(range(100 + max(0, start - memory), 100 + start + length - 1))
        assert lacking[row] < memory, "there is a word to look at"
    assert (batch.missing is None) == (memory == 1)
    assert window_batch(ids, starts[2:], length, memory, CPU).missing is None


def test_a_memory_larger_than_the_text() -> None:
    ids = np.array([3, 1, 2], np.int32)
    batch = window_batch(ids, np.array([1]), 2, 50, CPU)
    assert batch.missing is not None
    assert batch.missing.tolist() == [49]
    assert batch.words[0, 49:].tolist() == [3, 1]
    net = LMNetwork(LMConfig(dim=3, linear=1, memory_size=50), 5, torch.Generator().manual_seed(0))
    assert net(batch.words, batch.missing).state.isfinite().all()
