"""Task numbers as they are given on the command line."""

from __future__ import annotations

import re

from memn2n.errors import InputError


def parse_tasks(text: str | None, option: str) -> list[int] | None:
    """Task numbers of "3", "1,2,5-8" or "all", which is None as no option is.

    Raises:
        InputError: for anything else; the message starts with the option's name.
    """
    if text is None or text == "all":
        return None
    tasks: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,4})\s*(?:-\s*([0-9]{1,4})\s*)?", part)
        if match is None:
            raise InputError(f'{option} is {text!r}: give a number, or a list such as 1,2,5-8, or "all"')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InputError(f"{option} is {text!r}: {part.strip()} goes backwards; write {last}-{first}")
        tasks.extend(range(first, last + 1))
    return tasks
