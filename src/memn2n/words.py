"""Cut text into words, for stories and for running text."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import chain, islice

from memn2n.unicode_text import normal_form

UNK, EOS = "<unk>", "<eos>"
"""The words that stand for an unknown word, and for the end of a sentence, in prepared text."""

_JOINERS = ".'·׳״-"  # part of a word between letters or digits: don't, e-mail, 3.14, col·legi
_EXTENDERS = "\u200c\u200d"  # the joiners of Indic and Persian scripts and of emoji
_PLANES_WITH_MARKS = (range(0x20000), range(0xE0000, 0xE0200))  # no other plane has marks or format characters

_SYMBOLS = frozenset("-#%&*/@\\‰‱§¶†‡※")
"""Symbols among the characters that Unicode counts as punctuation."""


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


def words_and_marks(text: str, lowercase: bool) -> list[str]:
    """Cut a text into words, and single symbols and punctuation marks; dots or hyphens in a row are one.

    The text is first brought to its ``normal_form``. A word keeps the apostrophes, hyphens and dots inside it, a number
    keeps its commas, and letters with dots (u.s., e.g.) keep their last dot. Other dots end a sentence, so "Mr." is
    two tokens. ``<unk>`` and ``<eos>`` are one token each.
    """
    return _token_pattern().findall(normal_form(text, lowercase))


def has_more_words_and_marks(text: str, limit: int, lowercase: bool) -> bool:
    """Whether ``words_and_marks`` would give more than ``limit`` tokens. The rest of a longer text is not cut."""
    found = _token_pattern().finditer(normal_form(text, lowercase))
    return next(islice(found, limit, None), None) is not None


def words_and_symbols(text: str, lowercase: bool) -> list[str]:
    """Cut a text into words and symbols: like ``words_and_marks``, without punctuation.

    Symbols are signs of arithmetic, currencies, emoji, and others such as # % & * / @ and a single hyphen.
    """
    form = normal_form(text, lowercase)
    words = form.replace(", ", " ").rstrip(".? ").split()
    if all(map(str.isalnum, words)):  # the common case
        return words
    return [token for token in _token_pattern().findall(form) if token[0].isalnum() or _is_word_or_symbol(token)]


def has_word(text: str) -> bool:
    """Whether a text has a word or symbol."""
    return any(map(str.isalnum, text)) or bool(words_and_symbols(text, lowercase=False))


def _is_word_or_symbol(token: str) -> bool:
    if any(map(str.isalnum, token)):
        return True
    first = token[0]
    category = unicodedata.category(first)
    if first in _SYMBOLS:
        return not token.startswith("--")
    return category[0] == "S" or category in {"Cn", "Co"}  # Cn: emoji that are younger than this Python
