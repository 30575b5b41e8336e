"""Readers, one module a file format: bAbI text, JSON lines, downloads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memn2n.errors import DataError, InputError
from memn2n.qa.data.babi import iter_babi, task_files
from memn2n.qa.data.jsonl import iter_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memn2n.qa.stories import Example

Part = Literal["train", "valid", "test"]

JSONL_SUFFIXES = (".jsonl", ".json", ".ndjson")


def read_stories(
    path: str | Path,
    part: Part = "train",
    task: int | Iterable[int] | None = None,
) -> list[Example]:
    """Read the examples of a file or folder, whatever its format.

    Args:
        path: a JSONL file, a bAbI file, or a folder of bAbI files.
        part: which files of a folder; of no effect on a file.
        task: which tasks of a folder; all of them by default.

    Returns:
        The examples, those of task 1 first.

    Raises:
        DataError: for a missing, empty or malformed file.
        InputError: for ``task`` with a single file.
    """
    path = Path(path)
    if path.is_dir():
        return [example for file in task_files(path, part, task) for example in _read(file)]
    if not path.exists():
        raise DataError(path, None, "there is no such file or folder")
    if task is not None:
        raise InputError(f"{path} is one file: tasks are chosen from a folder of bAbI files")
    return _read(path)


def _read(path: Path) -> list[Example]:
    examples = list(iter_jsonl(path) if path.suffix.lower() in JSONL_SUFFIXES else iter_babi(path))
    if not examples:
        raise DataError(path, None, "there is no question in this file")
    return examples
