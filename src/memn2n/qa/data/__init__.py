"""Files of stories: one module for each file format.

To add a format, copy ``jsonl.py``, write its ``iter_...`` function, and add one line to ``FORMATS``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from memn2n.errors import DataError, InputError
from memn2n.files.lines import without_gz
from memn2n.qa.data.babi import iter_babi, task_files
from memn2n.qa.data.jsonl import iter_jsonl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memn2n.qa.stories import Example

Part = Literal["train", "valid", "test"]


FORMATS = {".jsonl": iter_jsonl, ".json": iter_jsonl, ".ndjson": iter_jsonl}
"""File name suffix, before ``.gz`` -> the function that reads the file. Other files are read as bAbI text."""

_TABLES = (".csv", ".tsv")


def read_stories(path: str | Path, part: Part = "train", task: int | Iterable[int] | None = None) -> list[Example]:
    """Read the examples of a file in any of the formats, or of a folder of bAbI files.

    Args:
        path: a file, or a folder of bAbI files; a file may be compressed by gzip.
        part: which files of a folder to read; has no effect on a single file.
        task: which tasks of a folder to read; by default all of them.

    Returns:
        The examples, in the order of the tasks.

    Raises:
        DataError: if a file is missing, empty or malformed.
        InputError: if ``task`` is given with a single file.
    """
    path = Path(path)
    if path.is_dir():
        return [example for file in task_files(path, part, task) for example in _read(file)]
    if not path.exists():
        raise DataError(path, None, "there is no such file or folder")
    if task is not None:
        raise InputError(f"{path} is one file: tasks can be chosen only from a folder of bAbI files")
    return _read(path)


def _read(path: Path) -> list[Example]:
    if without_gz(path).suffix.lower() in _TABLES:
        raise DataError(path, None, "tables (CSV) are not read; write JSON lines or bAbI text")
    examples = list(FORMATS.get(without_gz(path).suffix.lower(), iter_babi)(path))
    if not examples:
        raise DataError(path, None, "there is no question in this file")
    return examples
