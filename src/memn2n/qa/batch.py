"""Batches: padded arrays from a StorySet's flat arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from memn2n.qa.vocabulary import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

    from memn2n.qa.stories import StorySet

Longs = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Array = TypeVar("Array")

EMPTY_SENTENCE = -1
"""Sentence id in a Layout: a slot with a sentence that has no words."""

_PADDED_WORDS = 20_000  # limit on the words of a batch's questions, padding included


@dataclass(frozen=True)
class Batch(Generic[Array]):
    """A network's input, as NumPy arrays or, after ``tensors``, as PyTorch tensors.

    The first slot has the latest sentence (section 4.1: index 1 is the latest). ``sentences`` has each distinct
    sentence once, so that it is embedded once. Its row 0 has no words. ``support`` is bool, all others are int64.

    Args:
        sentences: (distinct, word) word ids, padded with ``NULL``.
        memory: (batch, slot) for each slot, the row of its sentence in ``sentences``.
        values: (batch, slot) the row of what the memory returns for the slot; None if each sentence is its own value.
        time: (batch, slot) the time index of each slot, 0 for the latest.
        filled: (batch) the number of slots with a sentence.
        support: (batch, slot) whether the slot holds a supporting fact; None if the data has no supporting facts.
        question: (batch, word) word ids, padded with ``NULL``.
        answer: (batch) ids of answers, or ``UNKNOWN_ANSWER``: word ids, or rows of ``candidates``.
        candidates: (candidate, word) word ids of the candidate answers, padded with ``NULL``; None if the answers are
            words.
    """

    sentences: Array
    memory: Array
    values: Array | None
    time: Array
    filled: Array
    support: Array | None
    question: Array
    answer: Array
    candidates: Array | None

    def tensors(self, device: torch.device | str = "cpu") -> Batch[torch.Tensor]:
        """The batch as tensors on a device."""
        import torch

        def tensor(array: Any) -> torch.Tensor | None:
            return None if array is None else torch.as_tensor(array, device=device)

        return Batch(**{field.name: tensor(getattr(self, field.name)) for field in fields(self)})  # type: ignore[arg-type]


class Renaming(NamedTuple):
    """The word ids that stand for the word ids of a batch."""

    group: Longs  # (batch) the group of each example; examples of a group are renamed alike
    ids: npt.NDArray[np.int32]  # (group, vocabulary) the id that stands for each id


class Layout(NamedTuple):
    """The memories of a batch as sentence ids and times. Random noise acts on this."""

    sentence: Longs  # (batch, slot) sentence ids of a StorySet, or EMPTY_SENTENCE
    value: Longs  # (batch, slot) the same for the values
    support: Bools  # (batch, slot) whether the slot holds a supporting fact
    time: Longs  # (batch, slot)
    filled: Longs  # (batch)


@runtime_checkable
class Noise(Protocol):
    """Random changes to the batches of the training."""

    def memory(self, layout: Layout) -> Layout:
        """The memories with noise."""

    def words(self, words: Longs) -> Longs:
        """The padded word ids (sentence, word) with noise."""


def make_batch(
    stories: StorySet, examples: Longs, memory_size: int, noise: Noise | None = None, renaming: Renaming | None = None
) -> Batch[Any]:
    """Make the batch of some examples, as NumPy arrays.

    Args:
        stories: encoded examples.
        examples: positions in ``stories``.
        memory_size: the latest sentences of each story to keep.
        noise: changes the memories and words.
        renaming: changes the words and answers, before the noise.
    """
    layout = lay_out(stories, examples, memory_size)
    if noise is not None:
        layout = noise.memory(layout)
    present = np.arange(layout.sentence.shape[1]) < layout.filled[:, None]  # (batch, slot)
    slots = [layout.sentence] if stories.values is None else [layout.sentence, layout.value]
    used = [present & (ids != EMPTY_SENTENCE) for ids in slots]
    ids = np.concatenate([of_slots[here] for of_slots, here in zip(slots, used, strict=True)])
    if renaming is not None:  # a sentence appears once for each group
        ids = ids * len(renaming.ids) + np.concatenate([renaming.group[np.nonzero(here)[0]] for here in used])
    distinct, row = np.unique(ids, return_inverse=True)
    rows = [np.zeros(present.shape, np.int64) for _ in slots]
    for of_slots, here, found in zip(rows, used, np.split(row, [used[0].sum()]), strict=False):
        of_slots[here] = found + 1
    question, answer = _pad(stories, stories.question[examples]), stories.answer[examples].astype(np.int64)
    candidates = stories.candidates
    if renaming is None:
        sentences = _pad(stories, distinct)
    else:
        distinct, group = np.divmod(distinct, len(renaming.ids))
        sentences = renaming.ids[group[:, None], _pad(stories, distinct)].astype(np.int64)
        question = renaming.ids[renaming.group[:, None], question].astype(np.int64)
        if candidates is None:
            answer = renaming.ids[renaming.group, answer].astype(np.int64)
        else:
            candidates = renaming.ids[0, candidates].astype(np.int64)
    if noise is not None:
        sentences, question = noise.words(sentences), noise.words(question)
    sentences = np.concatenate([np.full((1, sentences.shape[1]), NULL), sentences])
    return Batch(
        sentences=sentences, memory=rows[0], values=None if stories.values is None else rows[1], time=layout.time,
        filled=layout.filled, support=layout.support if len(stories.support) else None, question=question,
        answer=answer, candidates=candidates,
    )  # fmt: skip


def batches(
    stories: StorySet, examples: Longs, memory_size: int, size: int = 256
) -> Iterator[tuple[Longs, Batch[Any]]]:
    """Yield pairs (examples, batch) of at most ``size`` examples each, in order and without noise.

    Batches are smaller if there is a very long sentence, because a batch's sentences are padded to the longest one.
    """
    size = max(1, min(size, _PADDED_WORDS // max(stories.longest_sentence, 1)))
    for start in range(0, len(examples), size):
        some = examples[start : start + size]
        yield some, make_batch(stories, some, memory_size)


def lay_out(stories: StorySet, examples: Longs, memory_size: int) -> Layout:
    """The latest ``memory_size`` sentences of each story, latest first, without noise."""
    begin, end = (stories.story_start[examples + after].astype(np.int64) for after in (0, 1))
    filled = np.minimum(end - begin, memory_size)
    age = np.broadcast_to(np.arange(filled.max(initial=0)), (len(examples), filled.max(initial=0)))
    present = age < filled[:, None]
    at = (end[:, None] - 1 - age)[present]
    sentence = np.full(age.shape, EMPTY_SENTENCE, np.int64)
    sentence[present] = stories.story[at]
    value = sentence
    if stories.values is not None:
        value = np.full(age.shape, EMPTY_SENTENCE, np.int64)
        value[present] = stories.values[at]
    return Layout(sentence, value, _supports(stories, examples, age), np.where(present, age, 0), filled)


def _supports(stories: StorySet, examples: Longs, age: Longs) -> Bools:
    """Whether each slot holds a supporting fact."""
    support = np.zeros(age.shape, np.bool_)
    start = stories.support_start[examples]
    number = stories.support_start[examples + 1] - start
    row = np.repeat(np.arange(len(examples)), number)  # (facts of all examples)
    fact = np.arange(len(row)) - np.repeat(number.cumsum() - number - start, number)
    last = np.diff(stories.story_start)[examples] - 1
    slot = last[row] - stories.support[fact]
    inside = slot < age.shape[1]
    support[row[inside], slot[inside]] = True
    return support


def _pad(stories: StorySet, sentences: npt.NDArray[np.integer]) -> Longs:
    """The words of some sentences (sentence, word), padded with NULL to the longest of them."""
    start = stories.sentence_start[sentences].astype(np.int64)
    length = stories.sentence_start[sentences + 1] - start
    j = np.arange(length.max(initial=0))
    inside = j < length[:, None]
    words = np.full(inside.shape, NULL, np.int64)
    words[inside] = stories.words[(start[:, None] + j)[inside]]
    return words
