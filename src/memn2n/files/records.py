"""JSON lines: one object a line, read with its place and written whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from memn2n.errors import DataError
from memn2n.files.lines import iter_lines, write_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def iter_records(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield (file, line number, JSON object) for each line that is not blank.

    Raises:
        DataError: for a line that is not a JSON object.
    """
    where = str(source) if isinstance(source, (str, Path)) else name or "<stream>"
    for number, text in iter_lines(source, name):
        if not text.strip():
            continue
        try:
            record = json.loads(text, parse_constant=_refuse)
            if "\\u" in text:  # an escape may stand for half of a character, which no file can hold
                json_line(record)
        except json.JSONDecodeError as error:
            raise DataError(
                where, number, f"this line is not JSON: {error.msg} (column {error.colno}); write one object a line"
            ) from None
        except (ValueError, RecursionError) as error:
            reason = (
                "half of a surrogate pair"
                if isinstance(error, UnicodeError)
                else "a value that is too deep or too large, NaN or Infinity"
            )
            raise DataError(where, number, f"this line is not usable JSON: {reason}") from None
        if not isinstance(record, dict):
            raise DataError(where, number, 'a line must be a JSON object: {"story": [...], "question": "...", ...}')
        yield where, number, record


def write_records(target: str | Path | BinaryIO, records: Iterable[dict[str, Any]]) -> None:
    """Write JSON objects, one a line, in UTF-8, as ``write_lines`` does."""
    write_lines(target, map(json_line, records))


def json_line(record: dict[str, Any]) -> bytes:
    """One line of a JSONL file."""
    return (json.dumps(record, ensure_ascii=False) + "\n").encode()


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON, though Python reads them
