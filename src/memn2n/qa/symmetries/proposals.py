"""Propose classes of words that may be exchangeable: words with the same frames."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import combinations
from math import sqrt
from typing import TYPE_CHECKING

from memn2n.qa.symmetries.frames import BLANK, Frame, frames_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Words = tuple[str, ...]
Pair = tuple[str, str]

ALIKE = 0.7
"""Words with at least this cosine between the square roots of their frame counts are alike."""

_MOST_PASSES = 10
_MOST_SHARING = 500  # a frame of more words than these, which are the most frequent ones, is compared for these only
_PARTNER = "\0partner"


def propose(sentences: Mapping[Words, int], words: Collection[str]) -> tuple[list[Words], dict[Pair, float]]:
    """Group words that are alike: complete-linkage groups, found again with the groups as wildcards until they stay.

    Args:
        sentences: sentence, as words -> how often it occurs.
        words: the words to group.

    Returns:
        The groups of two or more words, and the similarity of all pairs of words that share a frame.
    """
    groups: list[Words] = []
    seen: list[list[Words]] = []
    similar: dict[Pair, float] = {}
    for _ in range(_MOST_PASSES):
        label = {word: f"\0{i}" for i, group in enumerate(groups) for word in group}
        similar = _similarities(sentences, words, label)
        groups = linked(sorted(words), similar, ALIKE)
        if groups in seen:
            break
        seen.append(groups)
    return groups, similar


def _similarities(
    sentences: Mapping[Words, int], words: Collection[str], label: Mapping[str, str]
) -> dict[Pair, float]:
    """The cosine between the square roots of the frame counts, for all pairs of words that share a frame.

    The frames of two words are compared as after their swap: each stands in the frames of the other one as "partner".
    Otherwise "X and Mary left" would be a frame of all persons but Mary.
    """
    frames: dict[str, Counter[Frame]] = defaultdict(Counter)
    known = set(words)
    for sentence, count in sentences.items():
        for word, frame in frames_of(sentence, lambda word: label.get(word, word)):
            if word in known:
                frames[word][frame] += count
    sharing: dict[Frame, list[str]] = defaultdict(list)
    for word in sorted(frames):
        for frame in frames[word]:
            sharing[tuple("" if part in known else part for part in frame)].append(word)
    pairs = {pair for group in sharing.values() for pair in combinations(sorted(set(group))[:_MOST_SHARING], 2)}
    return {(a, b): _cosine(_facing(frames[a], a, b), _facing(frames[b], b, a)) for a, b in sorted(pairs)}


def _facing(frames: Counter[Frame], word: str, other: str) -> Counter[Frame]:
    """The frames of a word with the other word as its partner."""
    if not any(word in frame or other in frame for frame in frames):
        return frames
    found: Counter[Frame] = Counter()
    for frame, count in frames.items():
        found[tuple({word: BLANK, other: _PARTNER}.get(part, part) for part in frame)] += count
    return found


def _cosine(first: Counter[Frame], second: Counter[Frame]) -> float:
    if len(second) < len(first):
        first, second = second, first
    product = sum(sqrt(count * second[frame]) for frame, count in first.items() if frame in second)
    return product / sqrt(first.total() * second.total())


def linked(words: Sequence[str], similar: Mapping[Pair, float], least: float) -> list[Words]:
    """Group words by complete linkage: join the two groups whose least similar words are most alike, and so on.

    Args:
        words: the words to group.
        similar: the similarity of pairs of words.
        least: the smallest similarity of two words of a group.

    Returns:
        The groups of two or more words, sorted.
    """
    groups = [(word,) for word in words]
    links = {pair: value for pair, value in similar.items() if value >= least}
    scores = {(i, j): links[a, b] for (i, (a,)), (j, (b,)) in combinations(enumerate(groups), 2) if (a, b) in links}
    alive: dict[int, Words] = dict(enumerate(groups))
    while scores:
        i, j = max(scores, key=lambda pair: (scores[pair], -pair[0], -pair[1]))
        del scores[i, j]
        alive[i] = tuple(sorted(alive[i] + alive.pop(j)))
        merged = {}
        for k in alive:
            if k != i:
                both = [scores.pop(link) for link in (_ordered(i, k), _ordered(j, k)) if link in scores]
                if len(both) == 2:
                    merged[_ordered(i, k)] = min(both)
        scores |= merged
    return sorted(group for group in alive.values() if len(group) > 1)


def _ordered(i: int, j: int) -> tuple[int, int]:
    return (i, j) if i < j else (j, i)
