"""Random renamings of exchangeable words, for the training and for answers.

A renaming is a permutation of word ids. All examples of a batch that have the same symmetries get the same one: this is
the same as permuting the rows of the embedding matrices, so a sentence that occurs in many examples is embedded once.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Self
from weakref import WeakKeyDictionary

import numpy as np

from memn2n.errors import ConfigError, Setting
from memn2n.qa.batch import Renaming
from memn2n.qa.symmetries.classes import Symmetries, parts_of_answer, renamed
from memn2n.qa.vocabulary import SPECIAL, answer_symbol
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from memn2n.qa.batch import Longs
    from memn2n.qa.stories import Example, StorySet
    from memn2n.qa.vocabulary import Vocabulary

    Ints = npt.NDArray[np.int32]

MOST_NEW_ANSWERS = 4096
"""Limit on the answers of several words that renaming makes of the training data's."""

_ROUNDS = 4  # of the random products of swaps


class Renamings:
    """Draws renamings for the examples of a StorySet.

    Args:
        symmetries: the exchangeable words, in the form of the vocabulary.
        vocabulary: the words; it must have each answer of ``renamed_answers``.
        stories: the examples, whose tasks decide which symmetries they have.

    Raises:
        ConfigError: if the vocabulary lacks a word, or the answers are candidates and not all tasks have the same
            symmetries.
    """

    def __init__(self, symmetries: Symmetries, vocabulary: Vocabulary, stories: StorySet) -> None:
        by_task = [symmetries.of_task(task) for task in stories.tasks]
        distinct = list(dict.fromkeys(by_task))
        if stories.candidates is not None and len(distinct) > 1:
            raise ConfigError(Setting("symmetries"), ": with candidates, all tasks must have the same symmetries")
        of_task = np.array([distinct.index(one) for one in by_task], np.int32)
        self.group: Ints = of_task[stories.task]
        """(examples) the group of each example; examples of a group are renamed alike."""
        self._groups = []
        for g, one in enumerate(distinct):
            ids = () if stories.candidates is not None else np.unique(stories.answer[self.group == g])
            answers = [vocabulary.word(int(i)) for i in ids if i >= SPECIAL]
            self._groups.append(_Group(one, vocabulary, answers))
        self._vocabulary = len(vocabulary)

    @classmethod
    def of(cls, symmetries: Symmetries, vocabulary: Vocabulary, stories: StorySet) -> Self | None:
        """The renamings of these examples; None if there are no symmetries."""
        return cls(symmetries, vocabulary, stories) if symmetries else None

    def draw(self, batches: int, rng: np.random.Generator) -> Ints:
        """Draw a renaming of each group for each batch: (batches, groups, vocabulary), the id that stands for each."""
        ids = np.empty((batches, len(self._groups), self._vocabulary), np.int32)
        ids[:] = np.arange(self._vocabulary, dtype=np.int32)
        for g, group in enumerate(self._groups):
            group.rename(ids[:, g], rng)
        return ids

    def of_batch(self, examples: Longs, rng: np.random.Generator) -> Renaming:
        """Draw the renaming of a batch of some examples."""
        return Renaming(self.group[examples].astype(np.int64), self.draw(1, rng)[0])


class _Group:
    """The symmetries of some tasks, as positions in a list of their words; and the answers of these tasks."""

    def __init__(self, symmetries: Symmetries, vocabulary: Vocabulary, answers: Iterable[str]) -> None:
        words = sorted(symmetries.words)
        position = {word: i for i, word in enumerate(words)}
        self._words = len(words)
        self._classes = [np.array([position[word] for word in one.words]) for one in symmetries.classes]
        self._swaps = []
        for swap in symmetries.swaps:
            image = np.arange(len(words))
            first, second = ([position[word] for word in side] for side in (swap.first, swap.second))
            image[first], image[second] = second, first
            self._swaps.append(image)
        ids = {word: i for i, word in enumerate(vocabulary.words, SPECIAL)}
        self._id = np.array([ids.get(word, -1) for word in words], np.int32)
        self._single = np.flatnonzero(self._id >= 0)
        alike: defaultdict[tuple[str | None, ...], list[tuple[int, list[int]]]] = defaultdict(list)
        for entry in sorted(_orbit(answers, symmetries)):
            parts = tuple(position.get(part, part) for part in parts_of_answer(entry))
            if len(parts) > 1 and any(isinstance(part, int) for part in parts):
                if entry not in ids:
                    raise _lacking(entry)
                rest = tuple(part if isinstance(part, str) else None for part in parts)
                alike[rest].append((ids[entry], [part for part in parts if isinstance(part, int)]))
        self._answers = [_Answers(some, len(words)) for some in alike.values()]
        for image in (*self._swaps, *(_cycle(one, len(words)) for one in self._classes)):
            lacking = np.flatnonzero((self._id < 0) & (self._id[image] >= 0))
            if len(lacking):
                raise _lacking(words[lacking[0]])

    def rename(self, ids: Ints, rng: np.random.Generator) -> None:
        """Change ids (batches, vocabulary), each row by a random renaming."""
        batches = len(ids)
        image = np.tile(np.arange(self._words), (batches, 1))
        for one in self._classes:
            image[:, one] = rng.permuted(image[:, one], axis=1)
        for swap in self._swaps * (1 if len(self._swaps) == 1 else _ROUNDS):
            swapped = rng.random(batches) < 0.5
            image[swapped] = swap[image[swapped]]
        ids[:, self._id[self._single]] = self._id[image[:, self._single]]
        for some in self._answers:
            ids[:, some.ids] = some.under(image)


class _Answers:
    """Answers of several words that differ only in words of the symmetries: all that renamings make of one another."""

    def __init__(self, answers: Sequence[tuple[int, list[int]]], number: int) -> None:
        """Index answers, each its id and the positions of its words among ``number`` words."""
        self.ids = np.array([i for i, _ in answers], np.int32)
        self._number = number
        self._words = np.array([positions for _, positions in answers]).T  # (words of an answer, answers)
        self._begins = []  # for each number of words: the codes of the different beginnings, sorted
        codes = np.zeros(len(answers), np.int64)  # the rank of the beginning
        for of_each in self._words:
            begins, codes = np.unique(codes * number + of_each, return_inverse=True)
            self._begins.append(begins)
        self._by_code = self.ids[np.argsort(codes)]

    def under(self, image: npt.NDArray[np.int64]) -> Ints:
        """The ids (batches, answers) that stand for the answers if ``image`` (batches, words) renames the words."""
        codes = np.zeros((len(image), len(self.ids)), np.int64)
        for of_each, begins in zip(self._words, self._begins, strict=True):
            codes = np.searchsorted(begins, codes * self._number + image[:, of_each])
        return self._by_code[codes]


def _cycle(some: npt.NDArray[np.int64], number: int) -> npt.NDArray[np.int64]:
    """The permutation of ``number`` positions that moves each of some to the next one of them."""
    image = np.arange(number)
    image[some] = np.roll(some, 1)
    return image


def _lacking(entry: str) -> ConfigError:
    return ConfigError(f"the vocabulary lacks {quoted(entry)}, which the symmetries make of another entry; build it "
                       "with all words and answers")  # fmt: skip


def draw_renamings(symmetries: Symmetries, vocabulary: Vocabulary, number: int, seed: int = 0) -> Ints:
    """Draw renamings by symmetries without tasks: (number, vocabulary), the id that stands for each id.

    An answer of several words is renamed if the vocabulary has all answers that renamings make of it.

    Raises:
        ConfigError: if the vocabulary lacks a word that a renaming makes.
    """
    kept = _kept_groups.setdefault(vocabulary, {})
    group = kept.get(symmetries)
    if group is None:
        group = kept[symmetries] = _Group(symmetries, vocabulary, _closed_answers(symmetries, vocabulary))
    ids = np.tile(np.arange(len(vocabulary), dtype=np.int32), (number, 1))
    group.rename(ids, np.random.default_rng(seed))
    return ids


_kept_groups: WeakKeyDictionary[Vocabulary, dict[Symmetries, _Group]] = WeakKeyDictionary()


def _closed_answers(symmetries: Symmetries, vocabulary: Vocabulary) -> set[str]:
    """The answers of several words of which renamings make only entries of the vocabulary."""
    known = set(vocabulary.words)
    left = {entry for entry in vocabulary.words if len(parts_of_answer(entry)) > 1}
    closed: set[str] = set()
    names = _generators(symmetries)
    while left:
        orbit = {left.pop()}
        new = [*orbit]
        while new:
            answer = new.pop()
            more = {renamed(answer, name) for name in names} - orbit
            orbit |= more
            if not more <= known:
                break
            new += more
        else:
            closed |= orbit
        left -= orbit
    return closed


def renamed_answers(examples: Sequence[Example], symmetries: Symmetries, lowercase: bool) -> set[str]:
    """The answers that renaming makes of the examples' answers and that none of them has.

    Raises:
        ConfigError: if there are more than ``MOST_NEW_ANSWERS``.
    """
    by_task: dict[str, set[str]] = {}
    for example in examples:
        by_task.setdefault(example.task, set()).add(answer_symbol(example.answer, lowercase))
    found: set[str] = set()
    for task, answers in by_task.items():
        found |= _orbit(answers, symmetries.of_task(task))
    return found - set().union(*by_task.values())


def _generators(symmetries: Symmetries) -> list[dict[str, str]]:
    """Exchanges of words, whose products are all renamings."""
    names = [dict(zip(swap.words, (*swap.second, *swap.first), strict=True)) for swap in symmetries.swaps]
    names += [{one.words[0]: word, word: one.words[0]} for one in symmetries.classes for word in one.words[1:]]
    return names


def _orbit(answers: Iterable[str], symmetries: Symmetries) -> set[str]:
    names = _generators(symmetries)
    found = set(answers)
    new = list(found)
    most = len(found) + MOST_NEW_ANSWERS
    while new:
        answer = new.pop()
        for other in (renamed(answer, name) for name in names):
            if other not in found:
                found.add(other)
                new.append(other)
        if len(found) > most:
            problem = f" make more than {MOST_NEW_ANSWERS} answers of {quoted(answer)} and others; leave out a class"
            raise ConfigError(Setting("symmetries"), problem)
    return found
