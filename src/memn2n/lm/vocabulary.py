"""Tokens and vocabulary of a language model: from running text to word ids."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.settings import check_choice, check_whole
from memn2n.unicode_text import ids_of_words, lower_case, record_of_words
from memn2n.words import EOS, UNK, has_more_words_and_marks, words_and_marks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Tokens = Literal["space", "words"]
"""How text is cut into tokens: at whitespace, or into words and punctuation marks."""
Lines = Literal["sentences", "running"]
"""Meaning of a line: a sentence, or a part of a paragraph that ends at a blank line."""

UNK_ID = 0
"""Id of ``<unk>``, which stands for every word outside the vocabulary."""
EOS_ID = 1
"""Id of ``<eos>``, the end of a sentence or paragraph."""
_SPECIAL = 2  # number of ids before those of words


def cut(text: str, tokens: Tokens, lowercase: bool = False) -> list[str]:
    """Cut a text into tokens.

    Args:
        text: a line or more.
        tokens: "space" cuts at whitespace only and changes nothing; it is for prepared text such as Penn Treebank.
            "words" is for raw text. It gives words, and each punctuation mark or symbol by itself, in a normal form;
            see ``memn2n.words.words_and_marks``. Text of a language that writes no spaces between words must have
            spaces added first.
        lowercase: whether to lower-case the text first.

    >>> cut("Don't e-mail the U.S., it's 3.14!", "words")
    ["Don't", 'e-mail', 'the', 'U.S.', ',', "it's", '3.14', '!']
    """
    if tokens == "space":
        return (lower_case(text) if lowercase else text).split()
    return words_and_marks(text, lowercase)


def has_more_tokens(text: str, limit: int, tokens: Tokens, lowercase: bool = False) -> bool:
    """Whether ``cut`` would give more than ``limit`` tokens. The rest of a longer text is not cut."""
    if tokens == "space":
        return len(text.split(maxsplit=limit)) > limit
    return has_more_words_and_marks(text, limit, lowercase)


@dataclass(frozen=True)
class LMVocabulary:
    """The words that a language model knows: id 0 is ``<unk>``, id 1 is ``<eos>``, id 2 is the first word.

    Args:
        words: distinct words in the order of their ids, without ``<unk>`` and ``<eos>``.
        tokens: how text is cut before its words are looked up; see ``cut``.
        lowercase: whether text is lower-cased before its words are looked up.

    Raises:
        ValueError: if a word occurs twice, or is ``<unk>`` or ``<eos>``.
        ConfigError: a ValueError too; if ``tokens`` is neither "space" nor "words".
    """

    words: tuple[str, ...]
    tokens: Tokens = "space"
    lowercase: bool = False

    def __post_init__(self) -> None:
        check_choice("tokens", self.tokens, get_args(Tokens))
        self._ids  # noqa: B018 - refuses duplicates

    @classmethod
    def build(
        cls, words: Iterable[str] | Mapping[str, int], *, tokens: Tokens = "space", lowercase: bool = False,
        min_count: int = 1, max_words: int | None = None,
    ) -> Self:  # fmt: skip
        """Make the vocabulary of a text: the most frequent words first, equally frequent ones in alphabetical order.

        Args:
            words: the text's tokens, or the count of each. ``<unk>`` and ``<eos>`` among them have no effect.
            tokens: how the text was cut.
            lowercase: whether it was lower-cased.
            min_count: 1 or more; words that occur fewer times are left out.
            max_words: 3 or more; the largest number of ids, ``<unk>`` and ``<eos>`` included.

        Raises:
            ConfigError: if ``min_count`` or ``max_words`` is out of range.
        """
        check_whole("min_count", min_count, 1)
        if max_words is not None and max_words <= _SPECIAL:
            raise ConfigError(
                Setting("max_words"), f" is {max_words}: it must be 3 or more, as {UNK} and {EOS} are two of them"
            )
        counts = Counter(words)
        frequent = [word for word, n in counts.items() if n >= min_count and word not in (UNK, EOS)]
        frequent.sort(key=lambda word: (-counts[word], word))
        kept = frequent if max_words is None else frequent[: max_words - _SPECIAL]
        return cls(tuple(kept), tokens, lowercase)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values, from which ``from_dict`` makes the same vocabulary."""
        return {"tokens": self.tokens, "lowercase": self.lowercase, "words": list(self.words)}

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Make a vocabulary from ``to_dict``'s values; raises ValueError if the record is not of this form."""
        lowercase, words = record_of_words(record)
        return cls(words, record.get("tokens"), lowercase)

    @cached_property
    def _ids(self) -> dict[str, int]:
        def form(word: str) -> str:
            return "".join(cut(word, self.tokens, self.lowercase))

        return ids_of_words((UNK, EOS, *self.words), UNK_ID, form)

    def __len__(self) -> int:
        """Return the number of ids, those of ``<unk>`` and ``<eos>`` included."""
        return len(self.words) + _SPECIAL

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text's tokens: ``UNK_ID`` for words outside the vocabulary. No ``<eos>`` is added."""
        return list(self.ids(cut(text, self.tokens, self.lowercase)))

    def ids(self, words: Iterable[str]) -> Iterator[int]:
        """Yield the id of each token of a text that is already cut."""
        return map(self._ids.get, words, repeat(UNK_ID))  # runs in C: millions of words a second

    def word(self, i: int) -> str:
        """Return the word with id ``i``, which may be ``<unk>`` or ``<eos>``; raises IndexError if there is none."""
        if not 0 <= i < len(self):
            raise IndexError(f"id {i} is not in this vocabulary, whose ids are 0 to {len(self) - 1}")
        return (UNK, EOS)[i] if i < _SPECIAL else self.words[i - _SPECIAL]
