"""Unicode text: its normal form, the end of a question, and the JSON record of a vocabulary."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

QUESTION_MARKS = ("?", "\uff1f", "\u061f")  # Latin, full-width, Arabic

_MARKS = 30
"""Combining marks in a row, as in Unicode's stream-safe text format (UAX #15), section "Stream-Safe Text Format"."""
_JOINER = "\u034f"  # combining grapheme joiner: an invisible character, which marks are not moved across
_NO_LETTERS = re.compile(rf"\W{{{_MARKS + 1},}}")  # a long row of marks is within such a match

_SPELLINGS = {
    "‘": "'", "’": "'", "‛": "'", "ʼ": "'", "´": "'", "‐": "-", "‑": "-", "−": "-", "…": "...", "\u200b": " ",
    **dict.fromkeys("\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff", ""),
}  # fmt: skip
"""Typographic character -> what a keyboard types. Soft hyphens, marks of direction and byte order marks vanish."""
_VARIANTS = "µſẛĲĳĿŀǄ-ǌǱ-ǳ\ufb00-\ufdf9\ufdfc\ufe50-\ufe6b\ufe70-\ufefc\uff01-\uff9f\uffe0-\uffe6"
"""Letters that stand for others: ligatures, digraphs, forms of position of Arabic letters, full and half width."""
_FOLDED = re.compile(f"[{''.join(_SPELLINGS)}{_VARIANTS}]")


def normal_form(text: str, lowercase: bool) -> str:
    """The form in which texts are compared and cut into words, in time that grows linearly with the text.

    Spelling variants become one: typographic apostrophes, hyphens and dots, ligatures, full-width and
    half-width characters. Invisible marks of hyphenation, direction and byte order vanish. The result is in Unicode's
    composed form (NFC), and in lower case if ``lowercase`` is true. More than 30 combining marks in a row are separated
    by U+034F after each 30, since the time of composing them grows with the square of their number.
    """
    if text.isascii():
        return text.lower() if lowercase else text
    folded = _FOLDED.sub(_fold, text)
    composed = unicodedata.normalize("NFC", _NO_LETTERS.sub(_separate, folded))
    return unicodedata.normalize("NFC", lower_case(composed)) if lowercase else composed


def lower_case(text: str) -> str:
    """The text in lower case. The Turkish dotted capital I becomes i, without the dot that ``str.lower`` puts on it."""
    return text.lower().replace("i\u0307", "i")


def _fold(match: re.Match[str]) -> str:
    char = match[0]
    spelling = _SPELLINGS.get(char)
    return unicodedata.normalize("NFKC", char).strip() if spelling is None else spelling


def _separate(match: re.Match[str]) -> str:
    parts = []
    marks = 0
    for char in match[0]:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > _MARKS:
            parts.append(_JOINER)
            marks = 1
        parts.append(char)
    return "".join(parts)


def without_question_mark(text: str) -> str | None:
    """A question without its question mark and what follows it; None if the text is not a question.

    Spaces, format characters, closing quotes and closing brackets may follow the mark.

    >>> without_question_mark('"Where is Mary?" ')
    '"Where is Mary'
    """
    end = len(text)
    while end and _may_follow(text[end - 1]):
        end -= 1
    return text[: end - 1] if text[:end].endswith(QUESTION_MARKS) else None


def is_question(text: str) -> bool:
    """Whether a text ends with a question mark; see ``without_question_mark``."""
    if text.isascii() and "?" not in text:  # most sentences of a file
        return False
    return without_question_mark(text) is not None


def _may_follow(char: str) -> bool:
    return char.isspace() or char in "\"'" or unicodedata.category(char) in {"Cc", "Cf", "Pe", "Pf", "Pi", "Mn"}


def ids_of_words(words: Sequence[str], first: int, form: Callable[[str], str]) -> dict[str, int]:
    """Word -> id, counted from ``first``.

    A word that differs from its ``form``, in the vocabulary of a model that an earlier version saved, is found by the
    form too.

    Raises:
        ValueError: if a word occurs twice, or is not a string.
    """
    if not {str}.issuperset(map(type, words)):
        raise ValueError("a word of the vocabulary is not a string")
    ids = {word: i for i, word in enumerate(words, first)}
    if len(ids) != len(words):
        raise ValueError("a word occurs twice in the vocabulary")
    for word in words:
        if not word.isascii():
            ids.setdefault(form(word), ids[word])
    return ids


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
