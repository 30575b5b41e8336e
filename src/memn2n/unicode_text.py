"""What both kinds of vocabulary share: Unicode text in one form, and a vocabulary's record."""

from __future__ import annotations

import unicodedata
from typing import Any


def has_word(text: str) -> bool:
    """Whether there is a letter or digit, and so a word, in a text."""
    return any(map(str.isalnum, text))


def normal_form(text: str, lowercase: bool) -> str:
    """The text in Unicode's composed form (NFC), in lower case on demand."""
    cased = text.lower() if lowercase else text
    return cased if cased.isascii() else unicodedata.normalize("NFC", cased)


def record_of_words(record: Any) -> tuple[bool, tuple[str, ...]]:
    """``lowercase`` and ``words`` of a vocabulary's record in JSON.

    Raises:
        ValueError: if one is missing or of the wrong type.
    """
    lowercase, words = (record.get(name) if isinstance(record, dict) else None for name in ("lowercase", "words"))
    if not isinstance(lowercase, bool) or not isinstance(words, list):
        raise ValueError("this is not a vocabulary's record")
    if not all(isinstance(word, str) for word in words):
        raise ValueError("a word of the vocabulary is not a text")
    return lowercase, tuple(words)
