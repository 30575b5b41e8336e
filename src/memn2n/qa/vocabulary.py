"""From text to word ids: a Unicode-aware tokenizer and the vocabulary."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from memn2n.unicode_text import has_word, normal_form, record_of_words

if TYPE_CHECKING:
    from collections.abc import Iterable

NULL = 0
"""Id of the null word: padding, whose embedding is always zero."""
UNKNOWN = 1
"""Id of every word that the vocabulary does not hold."""
SPECIAL = 2
"""The ids below this one are not words."""

_INSIDE_WORDS = "_'’-\u200c\u200d"  # joins letters: don't, e-mail, and the joiners of Indic and Persian scripts


class _Separators(dict[int, int]):
    r"""Maps each code point to itself inside words and to a space elsewhere, filled as text comes by.

    Letters, marks and numbers make words. Marks must be named: Python's ``\w`` leaves out the vowel signs of
    Hindi, and splits its words to pieces.
    """

    def __missing__(self, code: int) -> int:
        char = chr(code)
        inside = unicodedata.category(char)[0] in "LMN" or char in _INSIDE_WORDS
        self[code] = code if inside else ord(" ")
        return self[code]


_SEPARATORS = _Separators()


def tokenize(text: str, lowercase: bool = True) -> list[str]:
    """Split text into words, without punctuation.

    Text is brought to Unicode's composed form (NFC) first. A language that does not put spaces between words
    must be given with spaces between them.

    >>> tokenize("Mary moved to the bathroom.")
    ['mary', 'moved', 'to', 'the', 'bathroom']
    """
    words = normal_form(text, lowercase).translate(_SEPARATORS).split()
    if all(map(str.isalnum, words)):  # as most sentences are
        return words
    return [word for word in (word.strip(_INSIDE_WORDS) for word in words) if has_word(word)]


def answer_symbol(text: str, lowercase: bool = True) -> str:
    """The vocabulary's entry for an answer: the whole of it is one symbol, of one word or many.

    >>> answer_symbol(" Milk,football ")
    'milk,football'
    """
    return " ".join(normal_form(text, lowercase).split())


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model knows: id 0 is null, id 1 unknown, id 2 the first word.

    Args:
        words: distinct entries, words and answer symbols alike, in the order of their ids.
        lowercase: whether text is lower-cased before it is looked up.

    Raises:
        ValueError: if an entry stands twice.
    """

    words: tuple[str, ...]
    lowercase: bool = True

    def __post_init__(self) -> None:
        if len(self._ids) != len(self.words):
            raise ValueError("a word stands twice in the vocabulary")

    @classmethod
    def build(cls, sentences: Iterable[str], answers: Iterable[str], lowercase: bool = True) -> Vocabulary:
        """Collect the words of all sentences (questions too) and all answers, in alphabetical order.

        The order is the same for the same set of words, however the data were shuffled.
        """
        words = {word for sentence in set(sentences) for word in tokenize(sentence, lowercase)}
        words |= {answer_symbol(answer, lowercase) for answer in set(answers)}
        return cls(tuple(sorted(words)), lowercase)

    def to_dict(self) -> dict[str, Any]:
        """JSON values, from which ``from_dict`` makes the same vocabulary."""
        return {"lowercase": self.lowercase, "words": list(self.words)}

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Make what ``to_dict`` recorded.

        Raises:
            ValueError: if the record is not of this form.
        """
        lowercase, words = record_of_words(record)
        return cls(words, lowercase)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words, SPECIAL)}

    def __len__(self) -> int:
        """Number of ids, null and unknown included."""
        return len(self.words) + SPECIAL

    def encode(self, text: str) -> list[int]:
        """Word ids of a sentence; a word that the vocabulary does not hold is ``UNKNOWN``."""
        return [self._ids.get(word, UNKNOWN) for word in tokenize(text, self.lowercase)]

    def unknown_words(self, text: str) -> list[str]:
        """The words of a sentence that the vocabulary does not hold, in order."""
        return [word for word in tokenize(text, self.lowercase) if word not in self._ids]

    def answer_id(self, answer: str) -> int | None:
        """Id of an answer, or ``None`` when the model cannot give it."""
        return self._ids.get(answer_symbol(answer, self.lowercase))

    def word(self, i: int) -> str:
        """The entry with id ``i``, which must be a word's (``SPECIAL`` or more)."""
        if i < SPECIAL:
            raise IndexError(f"id {i} is not a word")
        return self.words[i - SPECIAL]
