"""Text from outside (files, models, servers, arguments) made safe to print on a terminal."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST = 80  # characters of a text that a message repeats
_MOST = 10  # words that a message lists

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all of Unicode's control characters but tab and line feed


def printable(text: str) -> str:
    r"""The text with control characters as escapes, because a terminal would obey them.

    >>> print(printable("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def shortened(text: str) -> str:
    """The start of a text, without control characters, for a message that repeats what somebody wrote."""
    return printable(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def quoted(value: object) -> str:
    r"""The start of a value in quotation marks, as Python writes it, for a message that repeats what somebody wrote.

    >>> quoted("a\n" + 1000 * "b")
    "'a\\nbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb...'"
    """
    if isinstance(value, str):
        return repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}...")
    try:
        return shortened(repr(value))
    except ValueError:  # Python refuses to write integers of more than 4,300 digits
        return "a very long integer"


def listed(words: Collection[str]) -> str:
    """The first words, each shortened, and the number of the others.

    >>> listed([str(i) for i in range(12)])
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 others'
    """
    others = len(words) - _MOST
    first = ", ".join(map(shortened, islice(words, _MOST)))
    return f"{first} and {others} other{'s' if others > 1 else ''}" if others > 0 else first
