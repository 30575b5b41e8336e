"""Units: words that are always next to each other, such as "pink rectangle", and are one name of a thing."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple

from memn2n.qa.symmetries.proposals import ALIKE, propose

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from memn2n.qa.symmetries.proposals import Pair, Words

_MOST_NEIGHBOURS = 3  # a word that more words always stand next to, such as "the", is no part of their names
_END = "\0end"
_SPACE = " "


class Units(NamedTuple):
    """The units of some sentences.

    Args:
        joined: sentence -> the sentence with each unit as one word, which has spaces between the unit's words.
        similar: the similarity of pairs of units; words that are in no unit count as units.
    """

    joined: dict[Words, Words]
    similar: dict[Pair, float]

    @property
    def similar_words(self) -> dict[Pair, float]:
        """The similarity of pairs of words that are units of one word.

        A word whose longer unit is like it, such as "went" and "went back", is left out: it is not one unit.
        """
        longer = {
            word
            for pair, value in self.similar.items()
            if value >= ALIKE
            for word, other in (pair, pair[::-1])
            if word in other.split(_SPACE)
        }
        return {pair: value for pair, value in self.similar.items()
                if longer.isdisjoint(pair) and not any(_SPACE in unit for unit in pair)}  # fmt: skip

    @property
    def all(self) -> set[str]:
        """All units, and the words that are in no unit."""
        return set(chain.from_iterable(self.joined.values()))


def find_units(sentences: Mapping[Words, int], words: Collection[str]) -> Units:
    """Find the units of sentences, and compare them as words are compared.

    Units are found step by step: a word and the only one that ever precedes it, or that ever follows it, are joined.
    So "box" is compared with other words where it is not in "box of chocolates".

    Args:
        sentences: sentence, as words -> how often it occurs.
        words: the words that can be in a unit.
    """
    known = set(words)
    joined = {sentence: sentence for sentence in sentences}
    while True:
        last = set(joined.values())
        are_unit = _rule(last, known)
        joined = {sentence: _joined(units, are_unit) for sentence, units in joined.items()}
        if last.issuperset(joined.values()):
            break
    counts: Counter[Words] = Counter()
    for sentence, count in sentences.items():
        counts[joined[sentence]] += count
    found = {unit for sentence in counts for unit in sentence if known.issuperset(unit.split(_SPACE))}
    return Units(joined, propose(counts, found)[1])


def columns_of(units: Sequence[str]) -> list[Words]:
    """The words at the same place, from the last one, in names of two or more words, if they vary.

    A name of one word stands for the last word of the others. There are no columns if names of several words have
    different lengths, or are not the majority.

    >>> columns_of(["red square", "red sphere", "pink rectangle", "triangle"])
    [('rectangle', 'sphere', 'square', 'triangle'), ('pink', 'red')]
    """
    names = [unit.split(_SPACE)[::-1] for unit in units]
    longer = [name for name in names if len(name) > 1]
    if len({len(name) for name in longer}) != 1 or len(longer) <= len(names) - len(longer):
        return []
    columns = [set(words) for words in zip(*longer, strict=True)]
    if len(columns[0]) > 1:
        columns[0].update(name[0] for name in names)
    shared = {word for one, other in combinations(columns, 2) for word in one & other}
    return [tuple(sorted(column)) for column in columns if len(column) > 1 and shared.isdisjoint(column)]


def _rule(sentences: Collection[Words], known: Collection[str]) -> Callable[[str, str], bool]:
    """Whether two words in a row are a unit."""
    before: dict[str, set[str]] = defaultdict(set)
    after: dict[str, set[str]] = defaultdict(set)
    for sentence in sentences:
        for a, b in zip((_END, *sentence), (*sentence, _END), strict=True):
            after[a].add(b)
            before[b].add(a)
    only_before = {b: next(iter(words)) for b, words in before.items() if len(words) == 1}
    only_after = {a: next(iter(words)) for a, words in after.items() if len(words) == 1}
    dependent_after, dependent_before = Counter(only_before.values()), Counter(only_after.values())

    def are_unit(a: str, b: str) -> bool:
        joins = (only_before.get(b) == a and dependent_after[a] <= _MOST_NEIGHBOURS) or (
            only_after.get(a) == b and dependent_before[b] <= _MOST_NEIGHBOURS
        )
        return joins and all(word in known for word in (*a.split(_SPACE), *b.split(_SPACE)))

    return are_unit


def _joined(sentence: Words, are_unit: Callable[[str, str], bool]) -> Words:
    """A sentence with the words that are a unit joined, from left to right."""
    found: list[str] = []
    may_join = False
    for word in sentence:
        if may_join and are_unit(found[-1], word):
            found[-1] += _SPACE + word
            may_join = False
        else:
            found.append(word)
            may_join = True
    return tuple(found)
