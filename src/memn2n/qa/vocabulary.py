"""From text to word ids: the tokenizer and the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self

from memn2n.unicode_text import ids_of_words, normal_form, record_of_words
from memn2n.words import words_and_symbols

if TYPE_CHECKING:
    from collections.abc import Iterable

NULL = 0
"""Id of the null word, which is padding. Its embedding is always zero."""
UNKNOWN = 1
"""Id of every word that the vocabulary does not have."""
SPECIAL = 2
"""Number of special ids; ids from this one on are words."""


def tokenize(text: str, lowercase: bool = True) -> list[str]:
    """Split text into words and symbols, without punctuation; see ``memn2n.words``.

    Spelling variants of a word are one; see ``memn2n.unicode_text.normal_form``. Text in a language without spaces
    between words must be given with spaces between them.

    >>> tokenize("It's -5 degrees in Mary's garden.")
    ["it's", '-', '5', 'degrees', 'in', "mary's", 'garden']
    """
    return words_and_symbols(text, lowercase)


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
        ValueError: if an entry occurs twice.
    """

    words: tuple[str, ...]
    lowercase: bool = True

    def __post_init__(self) -> None:
        self._ids  # noqa: B018 - refuses duplicates

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
        return ids_of_words(self.words, SPECIAL, partial(normal_form, lowercase=self.lowercase))

    def __len__(self) -> int:
        """Number of ids, null and unknown included."""
        return len(self.words) + SPECIAL

    def encode(self, text: str) -> list[int]:
        """Word ids of a sentence; ``UNKNOWN`` for words that the vocabulary does not have."""
        return self.ids_of(tokenize(text, self.lowercase))

    def ids_of(self, words: Iterable[str]) -> list[int]:
        """Ids of some words, as ``tokenize`` gives them; ``UNKNOWN`` for those that the vocabulary does not have."""
        return [self._ids.get(word, UNKNOWN) for word in words]

    def unknown_words(self, text: str) -> list[str]:
        """The words of a sentence that the vocabulary does not have, in order."""
        return self.unknown_of(tokenize(text, self.lowercase))

    def unknown_of(self, words: Iterable[str]) -> list[str]:
        """Those of some words, as ``tokenize`` gives them, that the vocabulary does not have."""
        return [word for word in words if word not in self._ids]

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
