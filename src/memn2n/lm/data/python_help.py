"""English that every Python carries: the language reference behind ``help()``, for training without a download."""

from __future__ import annotations

import hashlib
import re
from importlib import import_module
from typing import TYPE_CHECKING

from memn2n.errors import InputError
from memn2n.lm.data.corpus import Corpus
from memn2n.unicode_text import has_word

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODULE = "pydoc_data.topics"
_HELD_OUT = 0.05  # of all words, in the validation text and in the test text each
_SMALL = 0.01  # of all words: with short topics only, the two are varied, and nearly the same for every Python


def carried_text() -> tuple[Corpus, Corpus, Corpus]:
    """The topics of ``help()``: training, validation and test text, some 90, 5 and 5 per cent of the words.

    A topic is in one of the three as a whole. Short ones are held out, chosen by a hash of their names, so that a
    Python has the same split everywhere, and another version of Python nearly the same. A topic that stands in a longer
    one ("if" is a part of "compound") is left out: it would be tested on what was trained on. Lines that only draw,
    such as underlines and the borders and rows of tables, are left out too; other markup is very little, and stays.

    Returns:
        Corpora with tokens "words" and running lines; together some 70 thousand tokens, more in later Pythons.

    Raises:
        InputError: if this Python was installed without ``pydoc_data``.
    """
    try:
        topics: Mapping[str, str] = import_module(_MODULE).topics
    except (ImportError, AttributeError):
        raise InputError(
            f"this Python lacks {_MODULE}, the text of help(); name a training text, or install all of Python"
        ) from None
    texts = {name: _plain(topics[name]) for name in _distinct(topics)}
    total = sum(map(_size, texts.values()))
    parts: tuple[list[str], ...] = ([], [], [])
    room = [_HELD_OUT * total] * 2  # words that the validation and the test text still take
    for name in sorted(texts, key=lambda name: hashlib.sha256(name.encode()).digest()):
        size = _size(texts[name])
        part = next((i for i, left in enumerate(room) if size <= min(left, _SMALL * total)), None)
        if part is None:
            parts[0].append(name)
        else:
            parts[part + 1].append(name)
            room[part] -= size
    train, valid, test = (
        Corpus.from_text(
            "\n\n".join(texts[name] for name in sorted(part)),
            tokens="words",
            lines="running",
            name=f"<{_MODULE}, {label}>",
        )
        for label, part in zip(("train", "valid", "test"), parts, strict=True)
    )
    return train, valid, test


def _distinct(topics: Mapping[str, str]) -> list[str]:
    """The topics of which no more than half stands in longer ones."""
    seen: set[str] = set()
    names = []
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", topics[name])]
        repeated = sum(_size(paragraph) for paragraph in paragraphs if paragraph in seen)
        if repeated <= _size(topics[name]) / 2:
            names.append(name)
            seen.update(paragraphs)
    return names


def _plain(text: str) -> str:
    """A text whose drawing lines are blank."""
    return "\n".join(line if has_word(line) and not line.lstrip().startswith("|") else "" for line in text.split("\n"))


def _size(text: str) -> int:
    return len(text.split())
