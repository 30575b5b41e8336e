"""Stories of the user's own: JSON lines, one question a line.

``{"story": ["sentence", ...], "question": "...", "answer": "...", "support": [0], "task": "..."}``

``support`` (positions in the story, from 0) and ``task`` may be left out; other keys are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from memn2n.errors import DataError
from memn2n.files.records import iter_records, write_records
from memn2n.qa.stories import Example
from memn2n.unicode_text import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


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


def write_jsonl(path: str | Path | BinaryIO, examples: Iterable[Example]) -> None:
    """Write examples so that ``read_jsonl`` gives them back."""
    write_records(path, map(_record, examples))


def _record(example: Example) -> dict[str, Any]:
    record: dict[str, Any] = {"story": example.story, "question": example.question, "answer": example.answer}
    if example.support:
        record["support"] = example.support
    if example.task:
        record["task"] = example.task
    return record


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
