"""From text to word ids: the tokenizer and the vocabulary."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from memn2n.unicode_text import has_word, normal_form, record_of_words

if TYPE_CHECKING:
    from collections.abc import Iterable

NULL = 0
"""Id of the null word, which is padding. Its embedding is always zero."""
UNKNOWN = 1
"""Id of every word that the vocabulary does not have."""
SPECIAL = 2
"""Number of special ids; ids from this one on are words."""

# apostrophes and hyphens (don't, e-mail), and the zero-width joiners of Indic and Persian scripts
_INSIDE_WORDS = "_'’-\u200c\u200d"


class _Separators(dict[int, int]):
    r"""Maps each code point that may occur in a word to itself and every other one to a space, for ``str.translate``.

    Words consist of letters, marks and numbers. Python's ``\w`` does not match marks, such as the vowel signs of
    Hindi, and would split words there. Entries are computed when they are first used.
    """

    def __missing__(self, code: int) -> int:
        char = chr(code)
        inside = unicodedata.category(char)[0] in "LMN" or char in _INSIDE_WORDS
        self[code] = code if inside else ord(" ")
        return self[code]


_SEPARATORS = _Separators()


def tokenize(text: str, lowercase: bool = True) -> list[str]:
    """Split text into words, without punctuation.

    The text is first converted to Unicode's composed form (NFC). Text in a language without spaces between words must
    be given with spaces between them.

    >>> tokenize("Mary moved to the bathroom.")
    ['mary', 'moved', 'to', 'the', 'bathroom']
    """
    words = normal_form(text, lowercase).translate(_SEPARATORS).split()
    if all(map(str.isalnum, words)):  # the common case
        return words
    return [word for word in (word.strip(_INSIDE_WORDS) for word in words) if has_word(word)]


def answer_symbol(text: str, lowercase: bool = True) -> str:
    """The vocabulary's entry for an answer. An answer of several words is one entry.

    >>> answer_symbol(" Milk,football ")
    'milk,football'
    """
    return " ".join(normal_form(text, lowercase).split())


@dataclass(frozen=True)
class Vocabulary:
    """The words and answers that a model knows. Id 0 is null, id 1 unknown, id 2 the first word.

    Args:
        words: the entries, words and answers, without duplicates, in the order of their ids.
        lowercase: whether text is lower-cased before it is looked up.

    Raises:
        ValueError: if there is an entry twice.
    """

    words: tuple[str, ...]
    lowercase: bool = True

    def __post_init__(self) -> None:
        if len(self._ids) != len(self.words):
            raise ValueError("there is a word twice in the vocabulary")

    @classmethod
    def build(cls, sentences: Iterable[str], answers: Iterable[str], lowercase: bool = True) -> Vocabulary:
        """Collect the words of all sentences (and questions) and all answers, sorted.

        The result does not depend on the order of the data.
        """
        words = {word for sentence in set(sentences) for word in tokenize(sentence, lowercase)}
        words |= {answer_symbol(answer, lowercase) for answer in set(answers)}
        return cls(tuple(sorted(words)), lowercase)

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary as JSON values; ``from_dict`` reads them."""
        return {"lowercase": self.lowercase, "words": list(self.words)}

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """The vocabulary that ``to_dict`` wrote.

        Raises:
            ValueError: if the record does not have this form.
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
        """Word ids of a sentence; ``UNKNOWN`` for words that the vocabulary does not have."""
        return [self._ids.get(word, UNKNOWN) for word in tokenize(text, self.lowercase)]

    def unknown_words(self, text: str) -> list[str]:
        """The words of a sentence that the vocabulary does not have, in order."""
        return [word for word in tokenize(text, self.lowercase) if word not in self._ids]

    def answer_id(self, answer: str) -> int | None:
        """Id of an answer, or None if the vocabulary does not have it."""
        return self._ids.get(answer_symbol(answer, self.lowercase))

    def word(self, i: int) -> str:
        """The entry with id ``i``.

        Raises:
            IndexError: if ``i`` is a special id.
        """
        if i < SPECIAL:
            raise IndexError(f"id {i} is not a word")
        return self.words[i - SPECIAL]
