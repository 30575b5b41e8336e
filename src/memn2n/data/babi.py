r"""The text format of the bAbI tasks (v1.2).

A line is ``ID sentence`` or ``ID question<tab>answer<tab>IDs of supporting facts``; an ID of 1 starts a new story.
The questions of a story are asked about all the sentences before them.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from memn2n.data.lines import iter_lines
from memn2n.errors import DataError, DataWarning, InputError
from memn2n.stories import Example, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LINE = re.compile(r"([0-9]{1,9})\s+(\S.*)")
_FILE = re.compile(r"qa([0-9]+)_(?:.*_)?(train|valid|test)\.txt")


def iter_babi(source: str | Path | BinaryIO, task: str = "", name: str | None = None) -> Iterator[Example]:
    """Yield the examples of a bAbI file in their order, read line by line.

    Args:
        source: a path, or a binary stream.
        task: the examples' label; by default the number in the file's name (``qa7_...``), where it has one.
        name: what errors call a stream.

    Raises:
        DataError: for a line that is not of the format, an ID that goes back without starting a story, a
            question without answer or without a story, a supporting fact that points nowhere.
    """
    if not isinstance(source, (str, Path)):
        where = name or "<stream>"
    else:
        where = str(source)
        file = _FILE.fullmatch(Path(source).name)
        task = task or (str(int(file[1])) if file else "")
    story: list[str] = []
    positions: dict[int, int] = {}  # line ID -> position in the story
    last = 0
    for number, text in iter_lines(source, name):
        if not text.strip():
            continue
        line = _LINE.fullmatch(text)
        if line is None:
            raise DataError(where, number, "a line must be a number, a space and a sentence")
        current, body = int(line[1]), line[2]
        if current == 1:
            story, positions = [], {}
        elif current <= last:
            raise DataError(where, number, f"line ID {current} follows {last}; IDs grow, and 1 starts a new story")
        last = current
        if "\t" not in body:
            sentence = body.rstrip()
            if sentence.endswith("?"):
                raise DataError(where, number, "a question without answer; write question<tab>answer")
            positions[current] = len(story)
            story.append(sentence)
            continue
        question, answer, *rest = (column.strip() for column in body.split("\t"))
        if not question or not answer:
            raise DataError(where, number, "a question without answer; write question<tab>answer")
        if not story:
            raise DataError(where, number, "a question without a story; put its sentences before it")
        support = _support(" ".join(rest), positions, where, number)
        yield Example(tuple(story), question, answer, support, task)


def _support(text: str, positions: dict[int, int], where: str, number: int) -> tuple[int, ...]:
    support = []
    for word in text.split():
        known = positions.get(int(word)) if re.fullmatch(r"[0-9]{1,9}", word) else None
        if known is None:
            raise DataError(where, number, f"supporting fact {word[:40]!r} is not the ID of a sentence of this story")
        support.append(known)
    return tuple(support)


def read_babi(folder: str | Path, task: int | Iterable[int] | None = None) -> Split:
    """Read tasks from a folder of bAbI files (``en``, ``en-10k``, ``hn``, ``shuffled``, ...).

    Args:
        folder: holds ``qa1_..._train.txt``, ``qa1_..._test.txt`` and so on.
        task: one task's number, several, or all that the folder has (a warning names those that lack a file).

    Returns:
        Training and test examples, task after task; ``Example.task`` is the number as text.

    Raises:
        DataError: for a folder or task that is not there, or a malformed file.
    """
    def read(part: str) -> list[Example]:
        return [example for file in task_files(folder, part, task) for example in iter_babi(file)]

    return Split(read("train"), read("test"))


def task_files(folder: str | Path, part: str, task: int | Iterable[int] | None = None) -> list[Path]:
    """The files of one part ("train", "valid" or "test") for the wanted tasks, by task number.

    Without ``task``: those of every task in the folder, and a DataWarning names a task that has no file of this part.

    Raises:
        DataError: if the folder, or a file of a wanted task, is not there, or a task has two.
        InputError: if no task is wanted.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(folder, None, "there is no such folder" if not folder.exists() else "this is not a folder")
    found: dict[int, Path] = {}
    seen = set()
    for path in sorted(folder.iterdir()):
        name = _FILE.fullmatch(path.name)
        if name is None:
            continue
        seen.add(int(name[1]))
        if name[2] == part:
            if int(name[1]) in found:
                raise DataError(path, None, f"task {name[1]} has a second {part} file, {found[int(name[1])].name}")
            found[int(name[1])] = path
    if task is None:
        wanted = sorted(found)
        missing = sorted(seen - found.keys())
        if missing and wanted:
            tasks = ", ".join(map(str, missing))
            warnings.warn(f"{folder}: no {part} file for task {tasks}; left out", DataWarning, stacklevel=2)
        if not wanted:
            raise DataError(folder, None, f"there is no bAbI {part} file here (qa1_..._{part}.txt)")
    else:
        wanted = [task] if isinstance(task, int) else sorted(set(task))
    if not wanted:
        raise InputError("no task was chosen")
    for number in wanted:
        if number not in found:
            raise DataError(folder, None, f"there is no {part} file of task {number} (qa{number}_..._{part}.txt)")
    return [found[number] for number in wanted]
