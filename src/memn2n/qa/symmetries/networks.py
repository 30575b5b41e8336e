"""Networks that test whether words can be exchanged: they answer held-out questions before and after a renaming."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from memn2n.qa.config import NetworkConfig, TrainingConfig
from memn2n.qa.predict import predict
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.symmetries.classes import renamed
from memn2n.qa.symmetries.patterns import continues
from memn2n.qa.training.problem import Problem
from memn2n.qa.vocabulary import SPECIAL, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from memn2n.qa.parameters import Parameters
    from memn2n.qa.stories import Example

    Bools = npt.NDArray[np.bool_]
    Ids = npt.NDArray[np.int32]

Classes = tuple[tuple[str, ...], ...]

_NETWORK = NetworkConfig(dim=20)  # learns most tasks
_COPIES = 6  # renamings of each example, if there are classes to rename
_UNKNOWN = -1


@dataclass(frozen=True)
class Trial:
    """The answers of the networks to the questions that they were not trained on.

    Args:
        before: (examples) whether the answer was right.
        after: (examples) whether the renamed answer was right, after the renaming of story, question and answer.
        changed: (examples) whether the renaming changes the example, and its new answer is known.
    """

    before: Bools
    after: Bools
    changed: Bools


def joined_trials(trials: Sequence[Trial]) -> Trial:
    """The trials of several renamings as one."""
    return Trial(*(np.concatenate([getattr(one, name) for one in trials]) for name in ("before", "after", "changed")))


class HeldOut:
    """Networks that were trained on different parts of some examples, and the examples that each of them did not see.

    Args:
        examples: examples of one task.
        folds: number of parts. Each is held out once.
        seed: of the parts and the networks.
        lowercase: whether words that differ in upper and lower case are one word.
    """

    def __init__(self, examples: Sequence[Example], folds: int, seed: int, lowercase: bool = True) -> None:
        examples = [_joined(example) for example in examples]
        self.vocabulary = vocabulary_of(examples, lowercase)
        self.stories = StorySet.encode(examples, self.vocabulary)
        self.seed = seed
        self.folds = folds
        self.fold = _folds(examples, folds, np.random.default_rng(seed))
        self.networks: list[Parameters] = []
        self.before: Bools = np.zeros(len(examples), bool)

    @property
    def skill(self) -> float:
        """The share of the questions beyond those of the most frequent answer that the networks answer."""
        chance = np.bincount(self.stories.answer).max() / len(self.stories)
        return float((self.before.mean() - chance) / (1 - chance)) if chance < 1 else 0.0

    def problem(self, fold: int, classes: Classes, training: TrainingConfig) -> Problem:
        """The training of the networks that do not see a fold. They see the others under renamings of the classes."""
        stories = part_of(self.stories, np.flatnonzero(self.fold != fold))
        rng = np.random.default_rng([self.seed, fold])
        if classes:
            copies = [renamed_stories(stories, random_names(self.vocabulary, classes, rng)) for _ in range(_COPIES)]
            stories = joined_stories(copies)
        return Problem.make(stories=stories, network=_NETWORK, training=training,
                            vocabulary_size=len(self.vocabulary))  # fmt: skip

    def set_networks(self, networks: list[Parameters]) -> None:
        """Answer all questions with the networks of the folds, and keep them if they answer more than the last ones."""
        last = self.networks, self.before
        self.networks = networks
        self.before = self._right(self.stories)
        if last[0] and self.before.sum() < last[1].sum():
            self.networks, self.before = last

    def trial(self, names: Mapping[str, str]) -> Trial:
        """Answer all held-out questions after a renaming."""
        ids = ids_of(self.vocabulary, names)
        renamed_set = renamed_stories(self.stories, ids)
        moved = np.flatnonzero(ids != np.arange(len(ids)))
        touched = np.isin(self.stories.words, moved)
        of_sentence = np.zeros(len(self.stories.sentence_start) - 1, bool)
        of_sentence[np.repeat(np.arange(len(of_sentence)), np.diff(self.stories.sentence_start))[touched]] = True
        changed = of_sentence[self.stories.question] | np.isin(self.stories.answer, moved)
        in_story = np.repeat(np.arange(len(self.stories)), np.diff(self.stories.story_start))
        changed[in_story[of_sentence[self.stories.story]]] = True
        return Trial(self.before, self._right(renamed_set), changed & (renamed_set.answer != _UNKNOWN))

    def _right(self, stories: StorySet) -> Bools:
        right = np.zeros(len(stories), bool)
        for fold, network in enumerate(self.networks):
            examples = np.flatnonzero(self.fold == fold)
            part = part_of(stories, examples)
            for found in predict(network, part):
                answers = found.probabilities.argmax(1) + stories.first_answer
                right[examples[found.examples]] = answers == part.answer[found.examples]
        return right


def train(jobs: Sequence[tuple[HeldOut, Classes]], training: TrainingConfig, threads: int) -> None:
    """Train the networks of some tasks at the same time, under renamings of the classes that are given for each task.

    Of the restarts of each network, the one with the lowest training loss is kept.
    """

    def trained(held_out: HeldOut, classes: Classes, fold: int) -> Parameters:
        problem = held_out.problem(fold, classes, training)
        results = [problem.train(number, lambda _epoch: None) for number in range(training.restarts)]
        return min(results, key=lambda one: np.inf if one.restart.train is None else one.restart.train.loss).network

    with ThreadPoolExecutor(threads) as pool:
        waiting = [[pool.submit(trained, *job, fold) for fold in range(job[0].folds)] for job in jobs]
        try:
            for job, networks in zip(jobs, waiting, strict=True):
                job[0].set_networks([network.result() for network in networks])
        except BaseException:  # Ctrl-C: without those that have not begun
            pool.shutdown(cancel_futures=True)
            raise


def ids_of(vocabulary: Vocabulary, names: Mapping[str, str]) -> Ids:
    """(vocabulary) the id of each entry's new name; -1 for an answer whose new name the vocabulary does not have."""
    ids = np.arange(len(vocabulary), dtype=np.int32)
    for i, word in enumerate(vocabulary.words, SPECIAL):
        new = renamed(word, names)
        if new != word:
            found = vocabulary.answer_id(new)
            ids[i] = _UNKNOWN if found is None else found
    return ids


def random_names(vocabulary: Vocabulary, classes: Classes, rng: np.random.Generator) -> Ids:
    """The ids of a random permutation of each class."""
    names: dict[str, str] = {}
    for words in classes:
        names |= zip(words, rng.permutation(words).tolist(), strict=True)
    return ids_of(vocabulary, names)


def renamed_stories(stories: StorySet, ids: Ids) -> StorySet:
    """The stories with each word and answer replaced."""
    return replace(stories, words=ids[stories.words], answer=ids[stories.answer])


def joined_stories(parts: Sequence[StorySet]) -> StorySet:
    """One set of all examples whose answer is known; their supporting facts are left out."""
    parts = [part_of(part, np.flatnonzero(part.answer != _UNKNOWN)) for part in parts]
    sentences = np.cumsum([0, *(len(part.sentence_start) - 1 for part in parts)])

    def starts(name: str, of: str) -> Ids:
        ends = np.cumsum([0, *(len(getattr(part, of)) for part in parts)])
        shifted = [getattr(part, name)[:-1] + end for part, end in zip(parts, ends, strict=False)]
        return np.concatenate([*shifted, ends[-1:]]).astype(np.int32)

    def ids(name: str) -> Ids:
        return np.concatenate([getattr(part, name) + first for part, first in zip(parts, sentences, strict=False)],
                              dtype=np.int32)  # fmt: skip

    number = sum(map(len, parts))
    return replace(
        parts[0], words=np.concatenate([part.words for part in parts]),
        sentence_start=starts("sentence_start", "words"), story=ids("story"),
        story_start=starts("story_start", "story"), question=ids("question"),
        answer=np.concatenate([part.answer for part in parts]), support=np.zeros(0, np.int32),
        support_start=np.zeros(number + 1, np.int32), task=np.zeros(number, np.int32),
    )  # fmt: skip


def part_of(stories: StorySet, examples: npt.NDArray[np.int64]) -> StorySet:
    """Some of the examples, without supporting facts. The sentences stay those of all."""
    lengths = np.diff(stories.story_start)[examples]
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    positions = np.arange(start[-1]) - np.repeat(start[:-1] - stories.story_start[examples], lengths)
    return replace(
        stories, story=stories.story[positions], story_start=start, question=stories.question[examples],
        answer=stories.answer[examples], support=np.zeros(0, np.int32),
        support_start=np.zeros(len(examples) + 1, np.int32), task=np.zeros(len(examples), np.int32),
    )  # fmt: skip


def _folds(examples: Sequence[Example], folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """The fold of each example. Questions about the same story, in a row, are in one fold."""
    group = story_of_each(examples)
    return (rng.permutation(group[-1] + 1) % folds)[group]


def story_of_each(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """The number of each example's story; see ``continues``."""
    return np.cumsum([0, *(not continues(before.story, one.story) for before, one in pairwise(examples))])


def _joined(example: Example) -> Example:
    """The example with the value of each sentence, if there is one, behind it, which every network reads."""
    if not example.values:
        return replace(example, task="")
    story = tuple(" ".join(both) for both in zip(example.story, example.values, strict=True))
    return replace(example, story=story, values=(), task="")
