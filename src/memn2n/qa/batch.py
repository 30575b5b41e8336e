"""Batches: padded tensors from a StorySet's flat arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from memn2n.qa.vocabulary import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Int

    from memn2n.qa.stories import StorySet

Longs = npt.NDArray[np.int64]

EMPTY_SENTENCE = -1
"""Sentence id in a Layout: a slot with a sentence that has no words."""

_PADDED_WORDS = 20_000  # limit on the words of a batch's questions, padding included


@dataclass(frozen=True)
class Batch:
    """The network's input. The first slot has the latest sentence (section 4.1: index 1 is the latest).

    ``sentences`` has each distinct sentence once, so that it is embedded once. Its row 0 has no words.
    """

    sentences: Int[Tensor, "distinct word"]
    memory: Int[Tensor, "batch slot"]  # row in sentences
    time: Int[Tensor, "batch slot"]  # time index of each slot, 0 for the latest
    filled: Int[Tensor, " batch"]  # number of slots with a sentence
    question: Int[Tensor, "batch question_word"]
    answer: Int[Tensor, " batch"]  # word ids, or UNKNOWN_ANSWER

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


class Layout(NamedTuple):
    """The memories of a batch as sentence ids and times. Random noise acts on this."""

    sentence: Longs  # (batch, slot) sentence ids of a StorySet, or EMPTY_SENTENCE
    time: Longs  # (batch, slot)
    filled: Longs  # (batch)


@runtime_checkable
class Noise(Protocol):
    """Random changes to the batches of the training."""

    def memory(self, layout: Layout) -> Layout:
        """The memories with noise."""

    def words(self, words: Longs) -> Longs:
        """The padded word ids (sentence, word) with noise."""


def make_batch(stories: StorySet, examples: Longs, memory_size: int, noise: Noise | None = None) -> Batch:
    """Make the batch of some examples.

    Args:
        stories: encoded examples.
        examples: positions in ``stories``.
        memory_size: the latest sentences of each story to keep.
        noise: changes the memories and words.
    """
    layout = lay_out(stories, examples, memory_size)
    if noise is not None:
        layout = noise.memory(layout)
    used = np.arange(layout.sentence.shape[1]) < layout.filled[:, None]  # (batch, slot)
    used &= layout.sentence != EMPTY_SENTENCE
    distinct, row = np.unique(layout.sentence[used], return_inverse=True)
    memory = np.zeros(layout.sentence.shape, np.int64)
    memory[used] = row + 1
    sentences = _pad(stories, distinct)
    question = _pad(stories, stories.question[examples])
    if noise is not None:
        sentences, question = noise.words(sentences), noise.words(question)
    sentences = np.concatenate([np.full((1, sentences.shape[1]), NULL), sentences])
    answer = stories.answer[examples].astype(np.int64)
    tensor = torch.from_numpy
    return Batch(sentences=tensor(sentences), memory=tensor(memory), time=tensor(layout.time),
                 filled=tensor(layout.filled), question=tensor(question), answer=tensor(answer))  # fmt: skip


def batches(stories: StorySet, examples: Longs, memory_size: int, size: int = 256) -> Iterator[tuple[Longs, Batch]]:
    """Yield pairs (examples, batch) of at most ``size`` examples each, in order and without noise.

    Batches are smaller if there is a very long sentence, because a batch's sentences are padded to the longest one.
    """
    size = max(1, min(size, _PADDED_WORDS // max(stories.longest_sentence, 1)))
    for start in range(0, len(examples), size):
        some = examples[start : start + size]
        yield some, make_batch(stories, some, memory_size)


def lay_out(stories: StorySet, examples: Longs, memory_size: int) -> Layout:
    """The latest ``memory_size`` sentences of each story, latest first, without noise."""
    end = stories.story_start[examples + 1].astype(np.int64)
    filled = np.minimum(end - stories.story_start[examples], memory_size)
    age = np.broadcast_to(np.arange(filled.max(initial=0)), (len(examples), filled.max(initial=0)))
    present = age < filled[:, None]
    sentence = np.full(age.shape, EMPTY_SENTENCE, np.int64)
    sentence[present] = stories.story[(end[:, None] - 1 - age)[present]]
    return Layout(sentence, np.where(present, age, 0), filled)


def _pad(stories: StorySet, sentences: npt.NDArray[np.integer]) -> Longs:
    """The words of some sentences (sentence, word), padded with NULL to the longest of them."""
    start = stories.sentence_start[sentences].astype(np.int64)
    length = stories.sentence_start[sentences + 1] - start
    j = np.arange(length.max(initial=0))
    inside = j < length[:, None]
    words = np.full(inside.shape, NULL, np.int64)
    words[inside] = stories.words[(start[:, None] + j)[inside]]
    return words
