"""Stories of the user's own: JSON lines, one question a line.

``{"story": ["sentence", ...], "question": "...", "answer": "...", "support": [0], "task": "..."}``

``support`` (positions in the story, from 0) and ``task`` may be left out; other keys are ignored.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from memn2n.data.lines import iter_lines, write_lines
from memn2n.errors import DataError
from memn2n.stories import Example
from memn2n.text import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def iter_jsonl(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[Example]:
    """Yield the examples of a JSONL file in their order, read line by line; blank lines are skipped.

    Args:
        source: a path, or a binary stream.
        name: what errors call a stream.

    Raises:
        DataError: for a line that is not a JSON object, lacks a key, or holds a value of the wrong type.
    """
    for where, number, record in iter_records(source, name):
        answer = _text(record, "answer", where, number)
        yield Example(*question_of(record, where, number), answer,
                      _support(record, where, number), _task(record, where, number))  # fmt: skip


def read_jsonl(path: str | Path) -> list[Example]:
    """Read all examples of a JSONL file; see ``iter_jsonl``."""
    return list(iter_jsonl(path))


def write_jsonl(path: str | Path, examples: Iterable[Example]) -> None:
    """Write examples so that ``read_jsonl`` gives them back."""
    write_records(path, map(_record, examples))


def _record(example: Example) -> dict[str, Any]:
    record: dict[str, Any] = {"story": example.story, "question": example.question, "answer": example.answer}
    if example.support:
        record["support"] = example.support
    if example.task:
        record["task"] = example.task
    return record


def write_records(path: str | Path, records: Iterable[dict[str, Any]]) -> None:
    """Write JSON objects, one a line, in UTF-8, as ``write_lines`` does."""
    write_lines(path, map(json_line, records))


def json_line(record: dict[str, Any]) -> bytes:
    """One line of a JSONL file."""
    return (json.dumps(record, ensure_ascii=False) + "\n").encode()


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


def _refuse(constant: str) -> None:
    raise ValueError(constant)  # NaN and Infinity are not JSON, though Python reads them


def question_of(record: dict[str, Any], where: str, number: int) -> tuple[tuple[str, ...], str]:
    """The story and question of a JSON object.

    Raises:
        DataError: if one is missing or of the wrong type, or the story has no sentence.
    """
    if "story" not in record:
        raise DataError(where, number, '"story" is missing; give a list of sentences')
    story = record["story"]
    if not isinstance(story, list) or not all(isinstance(sentence, str) for sentence in story):
        raise DataError(where, number, '"story" must be a list of sentences')
    if not story:
        raise DataError(where, number, '"story" has no sentence; a question needs one at least')
    for position, sentence in enumerate(story):
        if not sentence.strip():
            raise DataError(where, number, f'sentence {position} of "story" is blank; leave it out')
    question = _text(record, "question", where, number)
    if not has_word(question):
        raise DataError(where, number, f'there is no word in "question": {question[:40]!r}')
    return tuple(story), question


def _text(record: dict[str, Any], key: str, where: str, number: int) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        problem = f'"{key}" is missing' if key not in record else f'"{key}" must be a text that is not blank'
        raise DataError(where, number, problem)
    return value.strip()


def _support(record: dict[str, Any], where: str, number: int) -> tuple[int, ...]:
    support = record.get("support", [])
    if not isinstance(support, list) or not all(type(position) is int for position in support):
        raise DataError(where, number, '"support" must be a list of positions in the story, from 0')
    length = len(record["story"])
    for position in support:
        if not 0 <= position < length:
            raise DataError(where, number, f'"support" holds {position}, but the story has sentences 0 to {length - 1}')
    return tuple(support)


def _task(record: dict[str, Any], where: str, number: int) -> str:
    task = record.get("task", "")
    if type(task) is int:
        return str(task)
    if not isinstance(task, str):
        raise DataError(where, number, '"task" must be a text or a number')
    return task
