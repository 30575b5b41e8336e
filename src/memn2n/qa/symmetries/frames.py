"""Frames: the sentences in which a word occurs, with the word blanked and other words replaced by their classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Frame = tuple[str, ...]

BLANK = ""
"""Stands in a frame for the word that was there."""


def frames_of(words: Sequence[str], form: Callable[[str], str]) -> Iterator[tuple[str, Frame]]:
    """Yield each word of a sentence with its frame, in order.

    >>> list(frames_of(["mary", "left"], {"mary": "PERSON"}.get))
    [('mary', ('', None)), ('left', ('PERSON', ''))]

    Args:
        words: the words of a sentence. A question with its answer behind it counts as one sentence.
        form: what stands for a word in the frames of the others: the label of its class, or the word itself.
    """
    forms = tuple(map(form, words))
    for i, word in enumerate(words):
        yield word, (*forms[:i], BLANK, *forms[i + 1 :])
