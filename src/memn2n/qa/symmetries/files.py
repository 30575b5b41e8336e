"""Symmetries as a TOML file, written by hand or by ``memn2n qa symmetries``.

A class of exchangeable words is a table ``[[class]]``; words that must be swapped together are a table ``[[swap]]``::

    [[class]]
    words = ["john", "mary"]
    tasks = ["1", "2"]  # the labels of the tasks in which they can be exchanged; without them, all tasks

    [[swap]]
    first = ["north", "n"]
    second = ["south", "s"]
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any

from memn2n.errors import DataError
from memn2n.files.toml_file import line_of, lines_of_tables, read_toml
from memn2n.qa.symmetries.classes import Swap, Symmetries, WordClass
from memn2n.terminal import quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_KEYS: dict[str, tuple[str, ...]] = {"class": ("words", "tasks"), "swap": ("first", "second", "tasks")}


def read_symmetries(
    path: str | Path, foreign: Callable[[Symmetries], tuple[int, str] | None] = lambda _: None,
    form: Callable[[str], str] = str,
) -> Symmetries:  # fmt: skip
    """Read symmetries from a TOML file.

    Args:
        path: the file.
        foreign: finds a word that training does not have, and the position of its class or swap.
        form: the form in which words are compared, such as lower case; the symmetries that are returned have it.

    Raises:
        DataError: if the file cannot be read or is not TOML, has an unknown key or a value of the wrong type; if a
            class has fewer than two words, a swap has sides of different lengths, a word is in two classes of a task,
            or ``foreign`` finds a word.
    """
    values, lines = read_toml(path)
    for key in values:
        if key not in _KEYS:
            raise DataError(path, line_of(lines, key), f"unknown key {quoted(shortened(key))}; there are: class, swap")
    parts: list[WordClass | Swap] = []
    begins: list[int | None] = []
    written: list[dict[str, str]] = []  # the words of each part in their form -> as they stand in the file
    for kind, keys in _KEYS.items():
        tables = values.get(kind, [])
        starts = lines_of_tables(lines, kind)
        for i, table in enumerate(tables if isinstance(tables, list) else [tables]):
            begin = starts[i] if i < len(starts) else line_of(lines, kind)
            problem = _problem(kind, table)
            if problem:
                raise DataError(path, begin, problem)
            given = [tuple(map(form if key != "tasks" else str, table.get(key, ()))) for key in keys]
            written.append({form(word): word for key in keys for word in table.get(key, ()) if key != "tasks"})
            part = WordClass(*given) if kind == "class" else Swap(*given)
            if part.problem:
                raise DataError(path, begin, part.problem)
            parts.append(part)
            begins.append(begin)

    def refuse(position: int, word: str, problem: str) -> DataError:
        begin = begins[position]
        end = min((later for later in begins if later and begin and later > begin), default=len(lines) + 1)
        as_written = written[position].get(word, word)
        quotes = (f'"{as_written}"', f"'{as_written}'")
        inside = range(begin, end) if begin else ()
        line = next((number for number in inside if any(one in lines[number - 1] for one in quotes)), begin)
        return DataError(path, line, problem)

    found = Symmetries.conflict_of(parts)
    if found is not None:
        earlier, later, word, problem = found
        raise refuse(later, word, f"{problem}; the other one begins in line {begins[earlier]}")
    symmetries = Symmetries(tuple(one for one in parts if isinstance(one, WordClass)),
                            tuple(one for one in parts if isinstance(one, Swap)))  # fmt: skip
    lacking = foreign(symmetries)
    if lacking is not None:
        position, word = lacking
        raise refuse(position, word, f"the word {quoted(word)} is not in the training data; remove it")
    return symmetries


def symmetries_text(symmetries: Symmetries) -> str:
    """The text of a TOML file that ``read_symmetries`` reads."""
    tables = symmetries.to_dict()
    blocks = chain.from_iterable(
        (
            f"[[{kind}]]\n" + "".join(f"{key} = {_array(words)}\n" for key, words in table.items())
            for table in tables[kind]
        )
        for kind in _KEYS
    )
    return "\n".join(blocks)


def _array(words: Sequence[str]) -> str:
    return f"[{', '.join(json.dumps(word, ensure_ascii=False) for word in words)}]"


def _problem(kind: str, table: Any) -> str:
    """What is wrong with the form of a table; empty if nothing is."""
    keys = _KEYS[kind]
    if not isinstance(table, dict):
        return f"{kind} must be a table: begin it with [[{kind}]]"
    for key, value in table.items():
        if key not in keys:
            return f"unknown key {quoted(shortened(key))}; a {kind} has: {', '.join(keys)}"
        if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
            return f"{key} must be a list of words"
    missing = [key for key in keys if key != "tasks" and key not in table]
    return f"a {kind} must have {' and '.join(missing)}" if missing else ""
