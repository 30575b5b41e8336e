"""A logical test of symmetries: the answers that follow from a few sentences must follow after the renaming, too.

A pattern is a question with up to two sentences of its story, in which the members of known classes are numbered in the
order in which they occur. Many questions have the same pattern. If all of them have the same answer, then the renamed
pattern must have the renamed answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache, cached_property
from itertools import chain, combinations
from math import log2
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from memn2n.qa.symmetries.proposals import Words

Pattern = tuple["Words", ...]

LONGEST_STORY = 12
"""Stories of more sentences have too many pairs of sentences, and are left out."""

_SURPRISE = 16.0  # bits; the equal answers of a pattern are no accident if they are as improbable as this
_ABSENT = 8  # a renamed pattern that should be there this often, and is not there at all, contradicts
_MOST_PATTERNS = 25_000


class Agreement(NamedTuple):
    """Of the questions whose answer a renamed pattern says, how many have that answer, and how many have not."""

    right: int
    wrong: int


class Question(NamedTuple):
    """The words of an example."""

    story: tuple[Words, ...]
    question: Words
    answer: Words


def continues(before: Sequence[object], story: Sequence[object]) -> bool:
    """Whether a story is that of the question before, with or without more sentences."""
    return story[: len(before)] == before


class Patterns:
    """The patterns of some examples, with the answers that were given to each.

    Args:
        questions: examples of one task.
        classes: classes of words that are known to be exchangeable.
    """

    def __init__(self, questions: Sequence[Question], classes: Iterable[Words]) -> None:
        self._class = {word: f"\0{i}" for i, words in enumerate(classes) for word in words}
        self._places: dict[Words, list[tuple[int, str, str]]] = {}  # of the members of classes in a sentence
        self._answers: dict[Pattern, Counter[Words]] = defaultdict(Counter)
        self._wholes: dict[Pattern, dict[Words, set[Pattern]]] = defaultdict(lambda: defaultdict(set))
        frequent: Counter[Words] = Counter()
        counted: set[tuple[Pattern, Words]] = set()  # in this story, whose questions often have the same patterns
        before: Pattern = ()
        if len({one.answer for one in questions}) < 2:
            questions = ()  # which say nothing
        left = _MOST_PATTERNS
        for one in questions:
            if len(one.story) > LONGEST_STORY:
                continue
            left -= 1 + len(one.story) + len(one.story) * (len(one.story) - 1) // 2
            if left < 0:
                break
            if not continues(before, one.story):
                counted.clear()
            before = one.story
            for size in range(3):
                for sentences in combinations(one.story, size):
                    found = self._numbered((one.question, *sentences), one.answer)
                    if found not in counted:
                        counted.add(found)
                        self._answers[found[0]][found[1]] += 1
            whole, answer = self._numbered((one.question, *one.story), one.answer)
            self._wholes[whole][answer].add(one.story)
            frequent[answer] += 1
        self._surprise = -log2(max(frequent.values()) / frequent.total()) if frequent else 0.0

    @cached_property
    def _sure(self) -> list[tuple[Pattern, Words]]:
        """The patterns whose answers are equal by no accident, with the answer."""
        return [(pattern, answer)
                for pattern, answers in self._answers.items()
                if len(answers) == 1 and answers.total() * self._surprise >= _SURPRISE
                for answer in answers]  # fmt: skip

    @cached_property
    def _sure_with(self) -> dict[str, list[int]]:
        """Word -> the positions in ``_sure`` of the patterns that have it in a sentence or the answer."""
        found: dict[str, list[int]] = defaultdict(list)
        for i, (pattern, answer) in enumerate(self._sure):
            for word in set(chain(*pattern, answer)):
                found[word].append(i)
        return found

    @cached_property
    def _words_of_whole(self) -> dict[Pattern, frozenset[str]]:
        return {whole: frozenset(chain(*whole)) for whole in self._wholes}

    def agreement(self, names: Mapping[str, str]) -> Agreement:
        """Test a renaming of words outside the classes."""
        right = wrong = 0

        @cache
        def new(words: Words) -> Words:
            return tuple(names.get(word, word) for word in words)

        for i in sorted({i for word in names for i in self._sure_with[word]}):
            pattern, answer = self._sure[i]
            image, answers = tuple(map(new, pattern)), self._answers[pattern]
            if image == pattern and new(answer) == answer:
                continue
            found = self._answers.get(image)
            if found is not None:
                right += found[new(answer)]
                wrong += found.total() - found[new(answer)]
            elif answers.total() >= _ABSENT:
                wrong += answers.total()
        for whole, by_answer in self._wholes.items():
            if names.keys().isdisjoint(self._words_of_whole[whole]):
                continue
            image = tuple(map(new, whole))
            if image != whole and image in self._wholes:
                for answer, other in ((a, b) for a in by_answer for b in self._wholes[image]):
                    right += new(answer) == other
                    wrong += new(answer) != other
        return Agreement(right, wrong)

    def _numbered(self, sentences: Pattern, answer: Words) -> tuple[Pattern, Words]:
        """The sentences and the answer with the members of each class numbered in the order in which they occur."""
        number: dict[str, str] = {}
        counts = dict.fromkeys(self._class.values(), 0)
        found: list[Words] = []
        for words in (*sentences, answer):
            places = self._places.get(words)
            if places is None:
                places = self._places[words] = [
                    (i, word, self._class[word]) for i, word in enumerate(words) if word in self._class
                ]
            if not places:
                found.append(words)
                continue
            new = list(words)
            for i, word, label in places:
                if word not in number:
                    number[word] = f"{label}.{counts[label]}"
                    counts[label] += 1
                new[i] = number[word]
            found.append(tuple(new))
        return tuple(found[:-1]), found[-1]
