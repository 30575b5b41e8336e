"""Read and write JSON lines: files with one JSON object per line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from memn2n.errors import DataError
from memn2n.files.lines import iter_lines, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SAMPLE = '{"story": ["...", "..."], "question": "...", "answer": "..."}'
_COLUMNS = {"story", "context", "passage", "text", "sentence", "question", "answer"}  # usual names in tables
_CONTROLS = re.compile("[\x7f-\x9f]")


def iter_records(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield (file name, line number from 1, JSON object) for each line that is not blank.

    Args:
        source: a path, or a binary stream, which stays open.
        name: the name of a stream in errors.

    Raises:
        DataError: if the file cannot be opened, or a line is not a JSON object.
    """
    where = str(source) if isinstance(source, (str, Path)) else name or "<stream>"
    for number, text in iter_lines(source, name):
        if not text.strip():
            continue
        try:
            record = json.loads(text, parse_constant=_refuse)
            if "\\u" in text:  # an escape may be half of a surrogate pair, which cannot be written as UTF-8
                json_line(record)
        except json.JSONDecodeError as error:
            problem = other_format(text) or f"this line is not JSON: {error.msg} (column {error.colno})"
            raise DataError(where, number, f"{problem}; write one object per line") from None
        except (ValueError, RecursionError) as error:
            other = "a value is nested too deep, too large, NaN or Infinity"
            reason = "half of a surrogate pair" if isinstance(error, UnicodeError) else other
            raise DataError(where, number, f"this line is not usable JSON: {reason}") from None
        if not isinstance(record, dict):
            problem = other_format(text) or "a line must be a JSON object"
            raise DataError(where, number, f"{problem}; write one object per line, such as {_SAMPLE}")
        yield where, number, record


def other_format(text: str) -> str:
    """Say what a line is that is neither bAbI text nor the JSON object of one line; empty if that is not known."""
    start = text.lstrip()[:1]
    if start == "[":
        return "this is a JSON array, not JSON lines"
    if start == "{":
        return ""
    cells = {cell.strip(" \"'").lower() for cell in re.split("[,;\t]", text)}
    return "this is a table (CSV), which is not read" if len(cells & _COLUMNS) > 1 else ""


def write_records(target: str | Path | BinaryIO, records: Iterable[dict[str, Any]]) -> None:
    """Write JSON objects in UTF-8, one per line, as ``write_lines`` does."""
    write_lines(target, map(json_line, records))


def json_line(record: dict[str, Any]) -> bytes:
    """Return the line of a JSON object, in UTF-8, with escapes for all control characters, which terminals obey."""
    text = json.dumps(record, ensure_ascii=False)  # it leaves the controls above U+007E
    return (_CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n").encode()


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON, though Python reads them
