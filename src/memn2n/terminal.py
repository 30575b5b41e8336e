"""Text from outside (files, models, servers, arguments) made safe to print on a terminal."""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all of Unicode's control characters but tab and line feed


def printable(text: str) -> str:
    r"""The text with control characters as escapes, because a terminal would obey them.

    >>> print(printable("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
