"""Candidates: a fixed list of answers, apart from the vocabulary, such as the replies of a dialog."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from memn2n.errors import InputError
from memn2n.qa.vocabulary import NULL, Vocabulary, answer_symbol
from memn2n.terminal import quoted
from memn2n.words import has_word

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True)
class Candidates:
    """The answers that a model chooses from. A candidate is a text of any number of words; its id is its position.

    Args:
        texts: the candidates.
        lowercase: whether an answer may differ from its candidate in upper and lower case.

    Raises:
        InputError: if there is no candidate, one has no word, or two are equal.
    """

    texts: tuple[str, ...]
    lowercase: bool = True

    def __post_init__(self) -> None:
        if not self.texts:
            raise InputError("there is no candidate answer")
        for text in self.texts:
            if not isinstance(text, str) or not has_word(text):
                raise InputError(f"there is no word in the candidate answer {quoted(text)}")
        for i, text in enumerate(self.texts):
            if self.answer_id(text) != i:
                raise InputError(f"the candidate answer {quoted(text)} is there twice")

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {answer_symbol(text, self.lowercase): i for i, text in enumerate(self.texts)}

    def answer_id(self, answer: str) -> int | None:
        """Position of an answer among the candidates, or None if it is not a candidate."""
        return self._ids.get(answer_symbol(answer, self.lowercase))


@lru_cache(maxsize=8)
def encode_candidates(candidates: Candidates, vocabulary: Vocabulary) -> npt.NDArray[np.int64]:
    """The word ids of each candidate (candidate, word), padded with ``NULL``. Do not write to it.

    They are kept, so that a question does not wait until all candidates are cut into words again.
    """
    rows = zip_longest(*map(vocabulary.encode, candidates.texts), fillvalue=NULL)
    return np.array(list(rows), np.int64).T.copy()
