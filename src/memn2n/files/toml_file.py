"""Read a TOML file, with errors that name the line."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from memn2n.errors import DataError
from memn2n.files.lines import read_text

if TYPE_CHECKING:
    from pathlib import Path


def read_toml(path: str | Path) -> tuple[dict[str, Any], list[str]]:
    """Read a TOML file. Returns its values, and its lines for ``line_of``.

    Raises:
        DataError: if the file cannot be read or is not TOML.
    """
    text = read_text(path)
    try:
        return tomllib.loads(text), text.split("\n")
    except (ValueError, RecursionError) as error:  # also raised for numbers that are too long, and for deep nesting
        found = re.search(r"\(at line (\d+)", str(error))
        number = int(found[1]) if found else None
        raise DataError(path, number, f"this is not a valid TOML file: {error}") from None


def line_of(lines: list[str], key: str) -> int | None:
    """The number of the line that defines a key or a table."""
    starts = (f"{key} ", f"{key}=", f"[{key}]", f"[[{key}]]", f'"{key}"')
    return next((number for number, line in enumerate(lines, 1) if line.strip().startswith(starts)), None)


def lines_of_tables(lines: list[str], key: str) -> list[int]:
    """The numbers of the lines that begin the tables of an array, ``[[key]]``, in order."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(key)}\s*\]\]")
    return [number for number, line in enumerate(lines, 1) if header.match(line)]
