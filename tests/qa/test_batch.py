"""Batches of encoded stories."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import TrainingConfig
from memn2n.qa.batch import EMPTY_SENTENCE, Layout, Longs, batches, make_batch
from memn2n.qa.candidates import Candidates
from memn2n.qa.config import NoiseKind
from memn2n.qa.stories import UNKNOWN_ANSWER, Example, StorySet
from memn2n.qa.training.noise import RandomNoise
from memn2n.qa.vocabulary import NULL, Vocabulary

EXAMPLES = [
    Example(("a b c.", "d.", "a b c."), "a?", "b"),
    Example(("e.",), "b c?", "nobody knows"),
    Example(("d.", "e.", "a.", "b."), "c?", "d"),
]
VOCABULARY = Vocabulary.build(["a b c d e"], [])
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)
ALL = np.arange(3)


def batch_of(*arguments: Any) -> Any:
    """``make_batch`` whose optional parts are there."""
    return make_batch(*arguments)


def words(row: Longs) -> str:
    return " ".join(VOCABULARY.word(int(i)) for i in row if i != NULL)


def test_memories_run_from_the_latest_sentence_to_the_oldest() -> None:
    batch = make_batch(STORIES, ALL, 3)
    memories = [[words(batch.sentences[i]) for i in row] for row in batch.memory]
    assert memories == [["a b c", "d", "a b c"], ["e", "", ""], ["b", "a", "e"]]
    assert batch.filled.tolist() == [3, 1, 3]
    assert batch.time.tolist() == [[0, 1, 2], [0, 0, 0], [0, 1, 2]]
    assert [words(row) for row in batch.question] == ["a", "b c", "c"]
    assert batch.answer.tolist() == [VOCABULARY.answer_id("b"), UNKNOWN_ANSWER, VOCABULARY.answer_id("d")]


def test_each_distinct_sentence_is_there_once() -> None:
    batch = make_batch(STORIES, ALL, 50)
    texts = [words(row) for row in batch.sentences]
    assert texts[0] == ""
    assert sorted(texts[1:]) == ["a", "a b c", "b", "d", "e"]


@pytest.mark.parametrize("kind", ["jitter", "empty"])
@pytest.mark.parametrize("memory_size", [3, 50])
def test_supporting_facts_and_values_move_with_their_sentences(kind: NoiseKind, memory_size: int) -> None:
    texts = [f"w{i}" for i in range(8)]
    vocabulary = Vocabulary.build([*texts, *(f"v{i}" for i in range(8))], [])
    examples = [Example(tuple(texts[:n]), "w0?", "w0", support=(n - 1, n // 2), values=tuple(f"v{i}" for i in range(n)))
                for n in (1, 2, 5, 8) for _ in range(30)]  # fmt: skip
    stories = StorySet.encode(examples, vocabulary)
    noise = RandomNoise(TrainingConfig(noise=kind, noise_rate=0.8), memory_size, np.random.default_rng(0))
    batch = batch_of(stories, np.arange(len(examples)), memory_size, noise)
    moved = 0
    for row, example in enumerate(examples):
        for slot in range(batch.memory.shape[1]):
            word, value = (
                " ".join(vocabulary.word(int(i)) for i in batch.sentences[rows[row, slot]] if i != NULL)
                for rows in (batch.memory, batch.values)
            )
            assert value == word.replace("w", "v")
            assert slot < batch.filled[row] or not word
            position = example.story.index(word) if word else -1
            assert batch.support[row, slot] == (position in example.support), (row, slot)
            moved += bool(word) and batch.time[row, slot] != len(example.story) - 1 - position
    assert moved > 30


def test_candidates_are_padded_sentences_and_answers_are_their_rows() -> None:
    candidates = Candidates(("d", "b c a", "c"))
    batch = batch_of(StorySet.encode([*EXAMPLES[1:], replace(EXAMPLES[0], answer="B  c A")], VOCABULARY, candidates),
                       ALL, 50)  # fmt: skip
    assert [words(row) for row in batch.candidates] == ["d", "b c a", "c"]
    assert batch.answer.tolist() == [UNKNOWN_ANSWER, 0, 1]
    assert make_batch(STORIES, ALL, 50).candidates is None


def test_tensors_hold_the_same_numbers() -> None:
    stories = StorySet.encode([replace(EXAMPLES[0], support=(1,)), EXAMPLES[1]], VOCABULARY)
    batch = make_batch(stories, np.arange(2), 50)
    tensors = batch.tensors()
    for field in fields(batch):
        array, tensor = getattr(batch, field.name), getattr(tensors, field.name)
        if array is None:
            assert tensor is None
        else:
            assert tensor.dtype == (torch.bool if field.name == "support" else torch.int64), field.name
            assert np.array_equal(tensor.numpy(), array)


def test_noise_acts_on_memories_sentences_and_questions() -> None:
    class Fixed:
        def memory(self, layout: Layout) -> Layout:
            sentence = np.where(np.arange(layout.sentence.shape[1]) == 0, EMPTY_SENTENCE, layout.sentence)
            return layout._replace(sentence=sentence, time=layout.time + 5)

        def words(self, words: Longs) -> Longs:
            (c, e) = VOCABULARY.encode("c e")
            return np.where(words == c, e, words)

    batch = make_batch(STORIES, ALL[:1], 50, Fixed())
    assert [words(batch.sentences[i]) for i in batch.memory[0]] == ["", "d", "a b e"]
    assert batch.time.tolist() == [[5, 6, 7]]
    assert words(make_batch(STORIES, ALL[1:2], 50, Fixed()).question[0]) == "b e"


def test_a_very_long_sentence_makes_batches_small() -> None:
    long = StorySet.encode([*EXAMPLES, Example(("a " * 30_000,), "a?", "b")], VOCABULARY)
    assert [chosen.tolist() for chosen, _ in batches(long, np.arange(4), 50)] == [[0], [1], [2], [3]]
    assert [chosen.tolist() for chosen, _ in batches(STORIES, ALL, 50)] == [[0, 1, 2]]
