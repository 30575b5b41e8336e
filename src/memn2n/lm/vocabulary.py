"""Tokens and vocabulary of a language model: from running text to word ids."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.settings import check_choice
from memn2n.unicode_text import normal_form, record_of_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Tokens = Literal["space", "words"]
"""How text is cut into tokens: at whitespace, or into words and punctuation marks."""
Lines = Literal["sentences", "running"]
"""Meaning of a line: a sentence, or a part of a paragraph that ends at a blank line."""

UNK, EOS = "<unk>", "<eos>"
UNK_ID = 0
"""Id of ``<unk>``, which stands for every word outside the vocabulary."""
EOS_ID = 1
"""Id of ``<eos>``, the end of a sentence or paragraph."""
_SPECIAL = 2  # number of ids before those of words

_JOINERS = ".'’‐‑·׳״-"  # part of a word between letters or digits: don't, e-mail, 3.14, col·legi
_EXTENDERS = "\u00ad\u200c\u200d"  # soft hyphen, and the joiners of Indic and Persian scripts and of emoji
_PLANES_WITH_MARKS = (range(0x20000), range(0xE0000, 0xE0200))  # no other plane has marks or format characters


@cache
def _token_pattern() -> re.Pattern[str]:
    r"""Compile the pattern of one token of raw text, in 25 ms.

    It lists Unicode's marks, since Python's ``\w`` leaves out the vowel signs of Hindi and would split its words. The
    ``regex`` package has ``\p{M}`` for them, but cuts prepared English text at two thirds of ``re``'s speed, and has
    another version of Unicode than the ``unicodedata`` that normalises the text.
    """
    marks: dict[bool, str] = {False: _EXTENDERS, True: ""}  # key: whether the code has more than 16 bits
    hidden = ""
    for char in map(chr, chain(*_PLANES_WITH_MARKS)):
        category = unicodedata.category(char)
        if category[0] == "M":
            marks[char > "\uffff"] += char
        elif category in {"Cc", "Cf"} and char not in _EXTENDERS:
            hidden += char
    # two classes, because re looks up a class of 16-bit characters in a table and searches any other one
    mark = rf"(?:[{marks[False]}]|(?=[\U00010000-\U0010ffff])[{marks[True]}])"
    letter = rf"[^\W\d_]{mark}*+"
    part = rf"\w++(?:{mark}++\w*+)*+"
    joint = rf"(?:[{_JOINERS}]|(?<=\d),(?=\d))"  # a hyphen at the end of a class is a literal one
    abbreviation = rf"(?:{letter}\.){{2,}}(?!\w)"  # u.s., e.g.
    word = rf"(?:{abbreviation}|{part})(?:{joint}{part})*+"
    plain_word = r"\w++(?=[.,;:!?)\"]*+(?:\s|\Z))"  # a faster match of the words that end like this, which most do
    symbol = rf"[^\s{re.escape(hidden)}]{mark}*+"
    return re.compile(rf"{plain_word}|{word}|{UNK}|{EOS}|\.{{2,}}|-{{2,}}|{symbol}")


def cut(text: str, tokens: Tokens, lowercase: bool = False) -> list[str]:
    """Cut a text into tokens.

    Args:
        text: a line or more.
        tokens: "space" cuts at whitespace only and changes nothing; it is for prepared text such as Penn Treebank.
            "words" is for raw text. It gives words, and each punctuation mark or symbol by itself (dots or hyphens in a
            row are one token), in Unicode's composed form (NFC). A word keeps the apostrophes, hyphens and dots inside
            it, a number keeps its commas, and letters with dots (u.s., e.g.) keep their last dot. Other dots end a
            sentence, so "Mr." is two tokens. ``<unk>`` and ``<eos>`` are one token each. Text of a language that
            writes no spaces between words must have spaces added first.
        lowercase: whether to lower-case the text first.

    >>> cut("Don't e-mail the U.S., it's 3.14!", "words")
    ["Don't", 'e-mail', 'the', 'U.S.', ',', "it's", '3.14', '!']
    """
    if tokens == "space":
        return (text.lower() if lowercase else text).split()
    return _token_pattern().findall(normal_form(text, lowercase))


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
        if len(self._ids) != len(self):
            raise ValueError("a word occurs twice in the vocabulary")

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
        """Return JSON values, from which ``from_dict`` makes the same vocabulary."""
        return {"tokens": self.tokens, "lowercase": self.lowercase, "words": list(self.words)}

    @classmethod
    def from_dict(cls, record: Any) -> Self:
        """Make a vocabulary from ``to_dict``'s values; raises ValueError if the record is not of this form."""
        lowercase, words = record_of_words(record)
        return cls(words, record.get("tokens"), lowercase)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: i for i, word in enumerate((UNK, EOS, *self.words))}

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
