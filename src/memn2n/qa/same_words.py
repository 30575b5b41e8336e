"""Find different sentences that have the same words, so that a network cannot tell them apart."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from memn2n.errors import DataWarning
from memn2n.qa.vocabulary import tokenize
from memn2n.terminal import quoted
from memn2n.unicode_text import normal_form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.qa.stories import Example

_BEFORE, _AFTER = "\"'([{¿¡«“„", ".,;:!?…\"')]}»”।؟،。"


def warn_of_same_words(examples: Sequence[Example], lowercase: bool) -> None:
    """Give a DataWarning if different sentences of the training data have the same words.

    Sentences that differ only in spaces, in case if ``lowercase`` is true, or in punctuation before and after words
    count as the same sentence.
    """
    found: dict[tuple[str, ...], tuple[list[str], str]] = {}  # words -> (the sentence as it is compared, as it is read)
    merged: set[str] = set()
    pair: tuple[str, str] | None = None
    for text in dict.fromkeys(text for one in examples for text in (*one.story, *one.values, one.question)):
        form = _without_punctuation(normal_form(text, lowercase))
        words = tuple(tokenize(text, lowercase))
        first_form, first = found.setdefault(words, (form, text))
        if form != first_form:
            merged.add(" ".join(form))
            pair = pair or (first, text)
    if pair is not None:
        example = f"for example {quoted(pair[0])} and {quoted(pair[1])}"
        number = f"{len(merged)} sentences" if len(merged) > 1 else "1 sentence"
        warnings.warn(f"{number} of the training data with the same words as another one, {example}; "
                      "the model cannot tell them apart", DataWarning, stacklevel=4)  # fmt: skip


def _without_punctuation(form: str) -> list[str]:
    chunks = (chunk.lstrip(_BEFORE).rstrip(_AFTER) for chunk in form.split())
    return [chunk for chunk in chunks if chunk.strip("-–—")]
