"""From a StorySet's flat arrays to the padded tensors of one batch."""

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
"""In a Layout: a slot that holds a sentence without words."""

_PADDED_WORDS = 20_000  # words of a batch's questions, all padded to the longest sentence


@dataclass(frozen=True)
class Batch:
    """What the network reads. Slots run from the latest sentence to the oldest, as the paper counts time.

    Each distinct sentence stands once in ``sentences``, so that it is embedded once; its row 0 has no words.
    """

    sentences: Int[Tensor, "distinct word"]
    memory: Int[Tensor, "batch slot"]  # rows of sentences
    time: Int[Tensor, "batch slot"]  # time index of each slot, 0 for the latest
    filled: Int[Tensor, " batch"]  # slots that hold a sentence
    question: Int[Tensor, "batch question_word"]
    answer: Int[Tensor, " batch"]  # word ids; UNKNOWN_ANSWER where the model has no such answer

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


class Layout(NamedTuple):
    """Memories before their words are looked up: what random noise acts on."""

    sentence: Longs  # (batch, slot) sentence ids of a StorySet, or EMPTY_SENTENCE
    time: Longs  # (batch, slot)
    filled: Longs  # (batch)


@runtime_checkable
class Noise(Protocol):
    """Random changes to a batch while training."""

    def memory(self, layout: Layout) -> Layout:
        """Change the memories."""

    def words(self, words: Longs) -> Longs:
        """Change padded word ids, (sentence, word)."""


def make_batch(stories: StorySet, examples: Longs, memory_size: int, noise: Noise | None = None) -> Batch:
    """The batch of these examples (positions in ``stories``): the latest ``memory_size`` sentences of each."""
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
    return Batch(*map(torch.from_numpy, (sentences, memory, layout.time, layout.filled, question, answer)))


def batches(stories: StorySet, examples: Longs, memory_size: int, size: int = 256) -> Iterator[tuple[Longs, Batch]]:
    """Yield (examples, their batch), at most ``size`` at a time, in order and without noise.

    A very long sentence makes batches smaller, because all of a batch's sentences are padded to its length.
    """
    size = max(1, min(size, _PADDED_WORDS // max(stories.longest_sentence, 1)))
    for start in range(0, len(examples), size):
        some = examples[start : start + size]
        yield some, make_batch(stories, some, memory_size)


def lay_out(stories: StorySet, examples: Longs, memory_size: int) -> Layout:
    """The latest sentences of each story, latest first."""
    end = stories.story_start[examples + 1].astype(np.int64)
    filled = np.minimum(end - stories.story_start[examples], memory_size)
    age = np.broadcast_to(np.arange(filled.max(initial=0)), (len(examples), filled.max(initial=0)))
    present = age < filled[:, None]
    sentence = np.full(age.shape, EMPTY_SENTENCE, np.int64)
    sentence[present] = stories.story[(end[:, None] - 1 - age)[present]]
    return Layout(sentence, np.where(present, age, 0), filled)


def _pad(stories: StorySet, sentences: npt.NDArray[np.integer]) -> Longs:
    """Words of some sentences, (sentence, word), padded with NULL to the longest of them."""
    start = stories.sentence_start[sentences].astype(np.int64)
    length = stories.sentence_start[sentences + 1] - start
    j = np.arange(length.max(initial=0))
    inside = j < length[:, None]
    words = np.full(inside.shape, NULL, np.int64)
    words[inside] = stories.words[(start[:, None] + j)[inside]]
    return words
