"""From running text to word ids: how a language model's text is cut into tokens, and its vocabulary."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import repeat
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.unicode_text import normal_form, record_of_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Tokens = Literal["space", "words"]
"""How text is cut: at whitespace, or words and punctuation marks apart."""

UNK, EOS = "<unk>", "<eos>"
UNK_ID = 0
"""Id of ``<unk>``: every word that the vocabulary does not hold."""
EOS_ID = 1
"""Id of ``<eos>``, the end of a sentence or paragraph."""
_SPECIAL = 2  # ids below are not of words

_JOINERS = ".'’‐‑·׳״-"  # between letters or digits they are a part of the word: don't, e-mail, 3.14, col·legi
_EXTENDERS = "\u00ad\u200c\u200d"  # soft hyphen, and the joiners of Indic and Persian scripts and of emoji
_CODES_WITH_MARKS = (*range(0x20000), *range(0xE0000, 0xE0200))  # no other plane has marks or format characters


@cache
def _token_pattern() -> re.Pattern[str]:
    r"""Matches one token of raw text.

    Marks must be named: Python's ``\w`` leaves out the vowel signs of Hindi, and would cut its words to pieces.
    """
    marks: dict[bool, str] = {False: _EXTENDERS, True: ""}  # by whether the code has more than 16 bits
    hidden = ""
    for char in map(chr, _CODES_WITH_MARKS):
        category = unicodedata.category(char)
        if category[0] == "M":
            marks[char > "\uffff"] += char
        elif category in {"Cc", "Cf"} and char not in _EXTENDERS:
            hidden += char
    # re looks up a class of 16-bit characters in a table and walks through any other one: so they are kept apart
    mark = rf"(?:[{marks[False]}]|(?=[\U00010000-\U0010ffff])[{marks[True]}])"
    letter = rf"[^\W\d_]{mark}*+"
    part = rf"\w++(?:{mark}++\w*+)*+"
    joint = rf"(?:[{_JOINERS}]|(?<=\d),(?=\d))"  # the hyphen, last in its class, means itself
    abbreviation = rf"(?:{letter}\.){{2,}}(?!\w)"  # u.s., e.g.
    word = rf"(?:{abbreviation}|{part})(?:{joint}{part})*+"
    plain_word = r"\w++(?=[.,;:!?)\"]*+(?:\s|\Z))"  # the same as word, sooner: most words end so
    symbol = rf"[^\s{re.escape(hidden)}]{mark}*+"
    return re.compile(rf"{plain_word}|{word}|{UNK}|{EOS}|\.{{2,}}|-{{2,}}|{symbol}")


def cut(text: str, tokens: Tokens, lowercase: bool = False) -> list[str]:
    """Cut a text into tokens.

    Args:
        text: a line or more.
        tokens: "space": at whitespace and nowhere else, as Penn Treebank and its like are prepared; nothing is
            changed. "words", for raw text: words, and each punctuation mark or symbol by itself (dots or hyphens in a
            row are one). Text is brought to Unicode's composed form (NFC). A word keeps the apostrophes, hyphens and
            dots inside it, a number its commas, and letters with dots (u.s., e.g.) their last dot; other dots are the
            sentence's, so "Mr." is two tokens. ``<unk>`` and ``<eos>`` stay whole. A language that does not put
            spaces between words must be given with spaces between them.
        lowercase: whether text is lower-cased first.

    >>> cut("Don't e-mail the U.S., it's 3.14!", "words")
    ["Don't", 'e-mail', 'the', 'U.S.', ',', "it's", '3.14', '!']
    """
    if tokens == "space":
        return (text.lower() if lowercase else text).split()
    return _token_pattern().findall(normal_form(text, lowercase))


def check_tokens(tokens: str) -> None:
    """Raise ConfigError unless ``tokens`` is one of ``Tokens``."""
    if tokens not in get_args(Tokens):
        raise ConfigError(Setting("tokens"), f" is {tokens!r}: it must be one of {', '.join(get_args(Tokens))}")


@dataclass(frozen=True)
class LMVocabulary:
    """The words that a language model knows: id 0 is ``<unk>``, id 1 ``<eos>``, id 2 the first word.

    Args:
        words: distinct words in the order of their ids, without ``<unk>`` and ``<eos>``.
        tokens: how text is cut before it is looked up; see ``cut``.
        lowercase: whether text is lower-cased before it is looked up.

    Raises:
        ValueError: if a word stands twice, ``<unk>`` and ``<eos>`` included.
        ConfigError: if ``tokens`` is neither "space" nor "words"; a ValueError too.
    """

    words: tuple[str, ...]
    tokens: Tokens = "space"
    lowercase: bool = False

    def __post_init__(self) -> None:
        check_tokens(self.tokens)
        if len(self._ids) != len(self):
            raise ValueError("a word stands twice in the vocabulary")

    @classmethod
    def build(
        cls,
        words: Iterable[str] | Mapping[str, int],
        *,
        tokens: Tokens = "space",
        lowercase: bool = False,
        min_count: int = 1,
        max_words: int | None = None,
    ) -> Self:
        """Take the words of a text, the most frequent first, and in alphabetical order where they are equally so.

        Args:
            words: the text's tokens, or the count of each. ``<unk>`` and ``<eos>`` among them are the entries that
                every vocabulary has.
            tokens: how they were cut.
            lowercase: whether they were lower-cased.
            min_count: how often a word must stand in the text, 1 or more; rarer ones are ``<unk>``.
            max_words: the greatest number of ids, ``<unk>`` and ``<eos>`` included, 3 or more.

        Raises:
            ConfigError: if ``min_count`` or ``max_words`` is out of range.
        """
        if min_count < 1:
            raise ConfigError(Setting("min_count"), f" is {min_count}: it must be 1 or more")
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
        """JSON values, from which ``from_dict`` makes the same vocabulary."""
        return {"tokens": self.tokens, "lowercase": self.lowercase, "words": list(self.words)}

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Make what ``to_dict`` recorded.

        Raises:
            ValueError: if the record is not of this form.
        """
        lowercase, words = record_of_words(record)
        return cls(words, record.get("tokens"), lowercase)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: i for i, word in enumerate((UNK, EOS, *self.words))}

    def __len__(self) -> int:
        """Number of ids, those of ``<unk>`` and ``<eos>`` included."""
        return len(self.words) + _SPECIAL

    def encode(self, text: str) -> list[int]:
        """Token ids of a text; a word that the vocabulary does not hold is ``UNK_ID``. No ``<eos>`` is added."""
        return list(self.ids(cut(text, self.tokens, self.lowercase)))

    def ids(self, words: Iterable[str]) -> Iterator[int]:
        """The id of each token of a text that is cut already, as they come."""
        return map(self._ids.get, words, repeat(UNK_ID))  # all in C: millions of words a second

    def word(self, i: int) -> str:
        """The entry with id ``i``, ``<unk>`` and ``<eos>`` included.

        Raises:
            IndexError: if there is no such id.
        """
        if not 0 <= i < len(self):
            raise IndexError(f"id {i} is not of this vocabulary, which has ids 0 to {len(self) - 1}")
        return (UNK, EOS)[i] if i < _SPECIAL else self.words[i - _SPECIAL]
