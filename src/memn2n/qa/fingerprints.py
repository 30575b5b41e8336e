"""Hashes of questions, to find copies of them in other files."""

from __future__ import annotations

from functools import cache, partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from memn2n.qa.vocabulary import tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from memn2n.qa.stories import Example
    from memn2n.qa.vocabulary import Vocabulary


def fingerprints(examples: Sequence[Example], form: Callable[[str], str] | None = None) -> npt.NDArray[np.int64]:
    """The fingerprints of examples: (examples) int64; see ``fingerprint``."""
    cached = cache(form or word_form)
    return np.array([fingerprint(example, cached) for example in examples], np.int64)


def fingerprints_of(examples: Sequence[Example], vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """The fingerprints of examples as a vocabulary reads them: (examples) int64."""
    return fingerprints(examples, partial(word_form, lowercase=vocabulary.lowercase))


def word_form(text: str, lowercase: bool = True) -> str:
    """The words of a text with spaces between them, in lower case if ``lowercase`` is true."""
    return " ".join(tokenize(text, lowercase))


def fingerprint(example: Example, form: Callable[[str], str] = word_form) -> int:
    """A 64-bit hash of story, values and question; finds copies of questions in other files.

    Two questions are copies if the texts that ``form`` makes of their sentences are equal.
    """
    text = "\n".join(map(form, (*example.story, *example.values, example.question)))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little", signed=True)
