"""Position encoding, attention, reading and the loss."""

import math

import numpy as np
import pytest
import torch

from memn2n import Example
from memn2n.qa.batch import make_batch
from memn2n.qa.config import DataShape
from memn2n.qa.networks import Stage
from memn2n.qa.networks.parts import attend, encode_sentences, loss_of, position_weights, read
from memn2n.qa.stories import StorySet
from memn2n.qa.vocabulary import NULL, SPECIAL, Vocabulary


def weights(words: list[list[int]], dim: int, encoding: str, longest: int = 0) -> torch.Tensor:
    found = position_weights(
        torch.tensor(words),
        dim=dim,
        encoding=encoding,  # type: ignore[arg-type]
        longest=longest,
        last=longest,
        dtype=torch.float64,
    )
    assert found is not None
    return found


def test_the_papers_weights_by_hand() -> None:
    # l_kj = (1 - j/J) - (k/d)(1 - 2j/J) for J = 2, d = 2
    expected = [[(1 - 1 / 2) - (1 / 2) * 0, (1 - 1 / 2) - 1 * 0], [0 - (1 / 2) * -1, 0 - 1 * -1]]
    assert weights([[5, 6]], 2, "pe")[0].tolist() == expected


def test_the_papers_weights_use_each_sentences_own_length() -> None:
    both = weights([[5, 6, 0, 0], [5, 6, 7, 8]], 3, "pe")
    assert torch.equal(both[0, :2], weights([[5, 6]], 3, "pe")[0])
    assert torch.equal(both[1], weights([[5, 6, 7, 8]], 3, "pe")[0])


def test_the_official_weights_by_hand() -> None:
    # 1 + 4 (k - (d+1)/2)(j - (J+1)/2) / (d J) for J = 3, d = 2
    expected = [[1 + 4 * (k - 1.5) * (j - 2) / 6 for k in (1, 2)] for j in (1, 2)]
    assert weights([[5, 6]], 2, "pe-official", 3)[0].flatten().tolist() == pytest.approx([*expected[0], *expected[1]])


def test_bag_of_words_is_a_sum_and_padding_adds_nothing() -> None:
    table = torch.randn(4, 3)
    table[0] = 0
    encoded = encode_sentences(torch.tensor([[1, 2, 1, 0], [0, 0, 0, 0]]), None, table)
    assert torch.allclose(encoded[0], 2 * table[1] + table[2])
    assert torch.equal(encoded[1], torch.zeros(3))


def attention(scores: list[float], filled: int, empty: int, linear: bool = False) -> torch.Tensor:
    m = torch.tensor(scores)[None, :, None]
    return attend(torch.ones(1, 1), m, torch.tensor([filled]), torch.tensor([empty]), linear)[0]


def test_without_empty_slots_attention_is_a_softmax() -> None:
    assert torch.allclose(attention([1.0, 2.0], 2, 0), torch.tensor([1.0, 2.0]).softmax(0))


def test_empty_slots_count_like_scores_of_zero() -> None:
    padded = torch.tensor([1.0, 2.0, 0.0, 0.0, 0.0]).softmax(0)
    assert torch.allclose(attention([1.0, 2.0], 2, 3), padded[:2])


@pytest.mark.parametrize("linear", [False, True])
def test_slots_beyond_the_story_have_no_effect(linear: bool) -> None:
    assert torch.equal(attention([1.0, 2.0, 99.0], 2, 1, linear)[:2], attention([1.0, 2.0], 2, 1, linear))
    assert attention([1.0, 2.0, 99.0], 2, 1, linear)[2] == 0


def test_the_linear_mode_has_no_softmax() -> None:
    assert torch.equal(attention([1.0, -2.0], 2, 3, linear=True), torch.tensor([1.0, -2.0]))


@pytest.mark.parametrize("empty", [0, 4])
def test_an_empty_story_reads_nothing(empty: int) -> None:
    p = attention([5.0], 0, empty)
    assert torch.equal(read(p[None], torch.ones(1, 1, 2)), torch.zeros(1, 2))


def test_large_scores_do_not_overflow() -> None:
    assert torch.allclose(attention([1e4, -1e4], 2, 1), torch.tensor([1.0, 0.0]))
    assert torch.allclose(attention([-1e4, -1e4], 2, 1), torch.tensor([0.0, 0.0]))


def test_only_answers_can_be_right_but_all_rows_count_in_the_loss() -> None:
    vocabulary = Vocabulary.build(["a b c d"], [])
    stories = StorySet.encode([Example(("a.",), "b?", answer) for answer in "bad"], vocabulary)
    batch = make_batch(stories, np.arange(3), 1).tensors()
    shape = DataShape(len(vocabulary), longest_sentence=1, slots=1)
    logits = torch.zeros(3, shape.vocabulary + 1)
    logits[:, NULL] = logits[:, shape.vocabulary] = 9  # the null word, and a word for the time
    logits[:, SPECIAL + 1] = 1  # b
    total, wrong = loss_of(logits, torch.zeros(1, 3, 1), batch, Stage(), shape)
    assert wrong == 2
    everything = math.log(2 * math.exp(9) + math.exp(1) + (shape.vocabulary - 2))
    assert total.item() == pytest.approx(3 * everything - 1, rel=1e-6)
