"""JSON lines: the format for your own stories, with one question on each line.

``{"story": ["sentence", ...], "question": "...", "answer": "...", "support": [0], "task": "...", "values": ["..."]}``

``support`` (positions in the story, from 0), ``task``, and ``values`` (what a key-value memory returns for each
sentence) are optional. Other keys are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

from memn2n.errors import DataError
from memn2n.files.records import iter_records, write_records
from memn2n.qa.stories import Example, check_example, problem_of_story
from memn2n.terminal import quoted
from memn2n.words import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def iter_jsonl(source: str | Path | BinaryIO, name: str | None = None) -> Iterator[Example]:
    """Read a JSONL file line by line and yield its examples in order. Blank lines are skipped.

    Args:
        source: a path, or a binary stream.
        name: the name of a stream in error messages.

    Raises:
        DataError: if a line is not a JSON object, lacks a key, or has a value of the wrong type.
    """
    for where, number, record in iter_records(source, name):
        story, question = question_of(record, where, number)
        yield Example(story, question, answer=_text(record, "answer", where, number),
                      support=_support(record, where, number), task=_task(record, where, number),
                      values=values_of(record, where, number))  # fmt: skip


def read_jsonl(path: str | Path) -> list[Example]:
    """Read all examples of a JSONL file; see ``iter_jsonl``."""
    return list(iter_jsonl(path))


def write_jsonl(path: str | Path | BinaryIO, examples: Iterable[Example]) -> None:
    """Write examples to a JSONL file, which ``read_jsonl`` reads.

    Raises:
        InputError: if an example is malformed.
        DataError: if the file cannot be written. A file that was there before is kept then.
    """
    write_records(path, map(_record, examples))


def _record(example: Example) -> dict[str, Any]:
    check_example(example)
    record: dict[str, Any] = {"story": example.story, "question": example.question, "answer": example.answer}
    if example.support:
        record["support"] = example.support
    if example.task:
        record["task"] = example.task
    if example.values:
        record["values"] = example.values
    return record


def question_of(record: dict[str, Any], where: str, number: int) -> tuple[tuple[str, ...], str]:
    """The story and question of a JSON object.

    Raises:
        DataError: if one is missing or has the wrong type, or the story has no sentence.
    """
    if "story" not in record:
        raise DataError(where, number, '"story" is missing; give a list of sentences')
    story = record["story"]
    if not isinstance(story, list) or not all(isinstance(sentence, str) for sentence in story):
        raise DataError(where, number, '"story" must be a list of sentences')
    problem = problem_of_story(story)
    if problem:
        raise DataError(where, number, problem)
    question = _text(record, "question", where, number)
    if not has_word(question):
        raise DataError(where, number, f'there is no word in "question": {quoted(question)}')
    return tuple(story), question


def values_of(record: dict[str, Any], where: str, number: int) -> tuple[str, ...]:
    """The values of a JSON object; () if it has none.

    Raises:
        DataError: if they are not strings, or not as many as the sentences of the story.
    """
    values = record.get("values", [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise DataError(where, number, '"values" must be a list of texts')
    if values and len(values) != len(record["story"]):
        raise DataError(where, number, f'"values" has {len(values)} texts, but the story has {len(record["story"])} '
                        "sentences; give one for each")  # fmt: skip
    return tuple(values)


def _text(record: dict[str, Any], key: str, where: str, number: int) -> str:
    value = record.get(key)
    if not isinstance(value, str) or not value.strip():
        problem = f'"{key}" is missing' if key not in record else f'"{key}" must be a string that is not blank'
        raise DataError(where, number, problem)
    return value.strip()


def _support(record: dict[str, Any], where: str, number: int) -> tuple[int, ...]:
    support = record.get("support", [])
    if not isinstance(support, list) or not all(type(position) is int for position in support):
        raise DataError(where, number, '"support" must be a list of positions in the story, from 0')
    length = len(record["story"])
    for position in support:
        if not 0 <= position < length:
            raise DataError(where, number, f'"support" has {position}, but the story has sentences 0 to {length - 1}')
    return tuple(support)


def _task(record: dict[str, Any], where: str, number: int) -> str:
    task = record.get("task", "")
    if type(task) is int:
        return str(task)
    if not isinstance(task, str):
        raise DataError(where, number, '"task" must be a string or a number')
    return task
