"""The English text of Python's own ``help()``, for training without a download."""

from __future__ import annotations

import hashlib
import re
from importlib import import_module
from typing import TYPE_CHECKING

from memn2n.errors import InputError
from memn2n.lm.data.corpus import Corpus

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODULE = "pydoc_data.topics"
_HELD_OUT = 0.05  # share of all words in the validation text, and in the test text
_SMALL = 0.01  # share of all words in a topic, at most, that may be held out; short topics make varied texts


def carried_text() -> tuple[Corpus, Corpus, Corpus]:
    """Split the topics of ``help()`` into a training, a validation and a test text: about 90, 5 and 5% of the words.

    Each topic is in one of the three texts as a whole. The held-out topics are short ones, chosen by a hash of their
    names. So the split is the same on all machines, and nearly the same in another version of Python. A topic that is
    part of a longer one ("if" is part of "compound") is left out, because it could be held out while the longer one is
    trained on. Lines without words, such as underlines, and the rows of tables are left out too. The little remaining
    markup stays.

    Returns:
        Corpora with tokens "words" and running lines; about 70,000 tokens in all, more in later versions of Python.

    Raises:
        InputError: if this installation of Python lacks ``pydoc_data``.
    """
    try:
        topics: Mapping[str, str] = import_module(_MODULE).topics
    except (ImportError, AttributeError):
        message = f"this Python lacks {_MODULE}, the text of help(); name a training text, or install all of Python"
        raise InputError(message) from None
    texts = {name: _plain(topics[name]) for name in _distinct(topics)}
    total = sum(map(_size, texts.values()))
    parts: tuple[list[str], ...] = ([], [], [])
    wanted = [_HELD_OUT * total] * 2  # words that the validation and the test text may still get
    for name in sorted(texts, key=lambda name: hashlib.sha256(name.encode()).digest()):
        size = _size(texts[name])
        part = next((i for i, left in enumerate(wanted) if size <= min(left, _SMALL * total)), None)
        if part is None:
            parts[0].append(name)
        else:
            parts[part + 1].append(name)
            wanted[part] -= size

    def corpus(label: str, part: list[str]) -> Corpus:
        text = "\n\n".join(texts[name] for name in sorted(part))
        return Corpus.from_text(text, tokens="words", lines="running", name=f"<{_MODULE}, {label}>")

    return corpus("train", parts[0]), corpus("valid", parts[1]), corpus("test", parts[2])


def _distinct(topics: Mapping[str, str]) -> list[str]:
    """Return the topics that are not mostly part of longer ones."""
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
    """Blank the lines of a text that only draw something."""

    def is_text(line: str) -> bool:
        return any(map(str.isalnum, line)) and not line.lstrip().startswith("|")

    return "\n".join(line if is_text(line) else "" for line in text.split("\n"))


def _size(text: str) -> int:
    return len(text.split())
