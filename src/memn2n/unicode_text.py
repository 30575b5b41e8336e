"""Functions that both vocabularies share: one form of Unicode text, and the JSON record of a vocabulary."""

from __future__ import annotations

import unicodedata
from typing import Any
from unicodedata import category

_QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # Latin, full-width, Arabic
_MAY_FOLLOW = ("Cf", "Pe", "Pf")  # format characters, closing brackets, closing quotes


def has_word(text: str) -> bool:
    """Whether a text has a letter or digit, and therefore a word."""
    return any(map(str.isalnum, text))


def is_question(text: str) -> bool:
    """Whether a text ends with a question mark, which closing quotes, brackets and invisible characters may follow."""
    if text.isascii() and "?" not in text:  # most sentences of a file
        return False
    end = len(text)
    while end and (text[end - 1].isspace() or text[end - 1] in "\"'" or category(text[end - 1]) in _MAY_FOLLOW):
        end -= 1
    return text.endswith(_QUESTION_MARKS, 0, end)


def normal_form(text: str, lowercase: bool) -> str:
    """The text in Unicode's composed form (NFC), and in lower case if ``lowercase`` is true."""
    cased = text.lower() if lowercase else text
    return cased if cased.isascii() else unicodedata.normalize("NFC", cased)


def record_of_words(record: Any) -> tuple[bool, tuple[str, ...]]:
    """The values ``lowercase`` and ``words`` of a vocabulary's JSON record.

    Raises:
        ValueError: if one of them is missing or of the wrong type.
    """
    lowercase, words = (record.get(name) if isinstance(record, dict) else None for name in ("lowercase", "words"))
    if not isinstance(lowercase, bool) or not isinstance(words, list):
        raise ValueError("this is not the record of a vocabulary")
    if not all(isinstance(word, str) for word in words):
        raise ValueError("a word of the vocabulary is not a string")
    return lowercase, tuple(words)
