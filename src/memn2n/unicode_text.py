"""Functions that both vocabularies share: one form of Unicode text, and the JSON record of a vocabulary."""

from __future__ import annotations

import unicodedata
from typing import Any


def has_word(text: str) -> bool:
    """Whether a text has a letter or digit, and therefore a word."""
    return any(map(str.isalnum, text))


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
