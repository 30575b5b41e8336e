import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memn2n import TrainingConfig
from memn2n.qa.batch import EMPTY_SENTENCE, Layout, lay_out
from memn2n.qa.config import NoiseKind
from memn2n.qa.stories import Example, StorySet
from memn2n.qa.training.noise import RandomNoise
from memn2n.qa.vocabulary import NULL, UNKNOWN, Vocabulary


def layout(lengths: list[int], memory_size: int = 50) -> Layout:
    examples = [Example(tuple(f"s{i}" for i in range(n)), "q", "a") for n in lengths]
    stories = StorySet.encode(examples, Vocabulary(("a",)))
    return lay_out(stories, np.arange(len(lengths)), memory_size)


def noise(kind: NoiseKind, rate: float = 0.1, memory_size: int = 50, seed: int = 0) -> RandomNoise:
    config = TrainingConfig(noise=kind, noise_rate=rate, unknown_rate=rate if rate < 0.9 else 0.0)
    return RandomNoise(config, memory_size, np.random.default_rng(seed))


LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=8)
RATES = st.floats(0, 3)


@given(LENGTHS, RATES, st.integers(0, 1000))
def test_jitter_moves_sentences_apart_and_keeps_their_order(lengths: list[int], rate: float, seed: int) -> None:
    before = layout(lengths)
    after = noise("jitter", rate, seed=seed).memory(before)
    assert np.array_equal(after.sentence, before.sentence)
    assert np.array_equal(after.filled, before.filled)
    for row, n in enumerate(lengths):
        times = after.time[row, :n]
        assert np.all(np.diff(times) > 0)
        assert times[0] >= 0
        assert times[-1] < n + np.ceil(rate * n)


@given(LENGTHS, RATES, st.integers(1, 40), st.integers(0, 1000))
def test_empty_sentences_come_between_the_sentences(
    lengths: list[int], rate: float, memory_size: int, seed: int
) -> None:
    before = layout(lengths, memory_size)
    after = noise("empty", rate, memory_size, seed).memory(before)
    for row in range(len(lengths)):
        n, filled = before.filled[row], after.filled[row]
        assert n <= filled <= memory_size
        assert filled <= n + np.ceil(rate * n)
        slots = after.sentence[row, :filled]
        kept = slots[slots != EMPTY_SENTENCE]
        assert np.array_equal(kept, before.sentence[row, : len(kept)]), "the latest sentences, in their order"
        assert np.array_equal(after.time[row, :filled], np.arange(filled))


@pytest.mark.parametrize("n", [1, 2, 5, 9, 10, 11])
@pytest.mark.parametrize("kind", ["jitter", "empty"])
def test_short_stories_have_noise_too(n: int, kind: NoiseKind) -> None:
    before = layout([n] * 200)
    after = noise(kind).memory(before)
    reach = after.time.max(axis=1) if kind == "jitter" else after.filled - 1
    extra = int(np.ceil(0.1 * n))
    assert set(reach.tolist()) == set(range(n - 1, n + extra)), "every number from 0 to ceil(0.1 n), both included"


def test_no_noise_changes_nothing() -> None:
    before = layout([3, 4])
    assert noise("none").memory(before) is before


def test_words_become_unknown_at_the_given_rate() -> None:
    words = np.full((200, 50), 7)
    words[:, 40:] = NULL
    changed = noise("none", rate=0.3).words(words)
    assert np.all(changed[:, 40:] == NULL)
    assert set(np.unique(changed[:, :40])) == {UNKNOWN, 7}
    assert (changed[:, :40] == UNKNOWN).mean() == pytest.approx(0.3, abs=0.02)
    assert noise("none", rate=0.0).words(words) is words
