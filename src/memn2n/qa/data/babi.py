"""The text format of the bAbI tasks (v1.2).

A line is ``ID sentence`` or ``ID question?<tab>answer<tab>IDs of supporting facts``. The ID 1 starts a new story. A
question ends with a question mark, and is about all sentences of its story before it.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from memn2n.errors import DataError, DataWarning, InputError
from memn2n.files.lines import iter_lines, write_lines
from memn2n.files.records import other_format
from memn2n.qa.stories import BabiTask, Example, Split, check_example
from memn2n.terminal import quoted
from memn2n.unicode_text import is_question
from memn2n.words import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LINE = re.compile(r"([0-9]{1,9})\s+(\S.*)")
_SPACED_QUESTION = re.compile(r"\?\s+\S.*\s[0-9]+$")  # "Where is Mary? office 1": spaces instead of tabs
_PARTS = ("train", "valid", "test")
_TASKS = 20
_COLUMNS = "write question?<tab>answer<tab>IDs of supporting facts, or use JSONL"
_NO_ANSWER = f"a question without an answer; {_COLUMNS}"
_FILE = re.compile(rf"qa([0-9]{{1,9}})_(?:.*_)?({'|'.join(_PARTS)})\.txt(?:\.gz)?")


def iter_babi(source: str | Path | BinaryIO, task: str = "", name: str | None = None) -> Iterator[Example]:
    """Read a bAbI file line by line and yield its examples in order.

    Args:
        source: a path, or a binary stream.
        task: the examples' label; by default the number in the file's name (``qa7_...``), if it has one.
        name: the name of a stream in error messages.

    Raises:
        DataError: if a line does not have this format, an ID is not larger than the one before it and not 1, a question
            has no question mark, answer or story, or a supporting fact is not the ID of a sentence of the story.
    """
    if not isinstance(source, (str, Path)):
        where = name or "<stream>"
    else:
        where = str(source)
        file = _FILE.fullmatch(Path(source).name)
        task = task or (_label(int(file[1])) if file else "")
    story: list[str] = []
    positions: dict[int, int] = {}  # line ID -> position in the story
    last = 0
    for number, text in iter_lines(source, name):
        if not text.strip():
            continue
        line = _LINE.fullmatch(text)
        if line is None:
            problem = other_format(text) or "a line must be a number, a space and a sentence"
            remedy = "; write JSON lines, in a file whose name ends in .jsonl" if text.lstrip()[0] in "[{" else ""
            raise DataError(where, number, problem + remedy)
        current, body = int(line[1]), line[2]
        if current == 1:
            story, positions = [], {}
        elif current <= last:
            problem = f"line ID {current} follows {last}; IDs must increase, and 1 starts a new story"
            raise DataError(where, number, problem)
        last = current
        if "\t" not in body:
            sentence = body.rstrip()
            if is_question(sentence) or _SPACED_QUESTION.search(sentence):
                raise DataError(where, number, _NO_ANSWER)
            positions[current] = len(story)
            story.append(sentence)
            continue
        question, answer, *rest = (column.strip() for column in body.split("\t"))
        if not question or not answer:
            raise DataError(where, number, _NO_ANSWER)
        if not is_question(question):
            problem = f"{quoted(question[-40:])} before the tab does not end with a question mark"
            raise DataError(where, number, f"{problem}; {_COLUMNS}")
        if not has_word(question):
            raise DataError(where, number, f"there is no word in the question {quoted(question)}")
        if not story:
            raise DataError(where, number, "a question without a story; write the sentences before the question")
        support = _support(" ".join(rest), positions, where, number)
        yield Example(story=tuple(story), question=question, answer=answer, support=support, task=task)


def _label(number: int) -> str:
    return BabiTask(number) if 1 <= number <= _TASKS else str(number)


def _support(text: str, positions: dict[int, int], where: str, number: int) -> tuple[int, ...]:
    support = []
    for word in text.split():
        known = positions.get(int(word)) if re.fullmatch(r"[0-9]{1,9}", word) else None
        if known is None:
            raise DataError(where, number, f"supporting fact {quoted(word)} is not the ID of a sentence of this story")
        support.append(known)
    return tuple(support)


def read_babi(folder: str | Path, task: int | Iterable[int] | None = None) -> Split:
    """Read tasks from a folder of bAbI files, such as ``en``, ``en-10k`` or ``hn``.

    Args:
        folder: the folder of the files ``qa1_..._train.txt``, ``qa1_..._test.txt`` and so on.
        task: the number of a task, or several numbers. By default all tasks that have both files; a DataWarning names
            the tasks that have only one.

    Returns:
        Training and test examples in the order of the tasks. ``Example.task`` is the number as a string.

    Raises:
        DataError: if the folder or a task's file is missing, or a file is malformed.
    """
    if task is not None:
        task = [task] if isinstance(task, int) else list(task)
    else:
        train, test = available(folder, "train"), available(folder, "test")
        task = train.keys() & test.keys()
        lacking = sorted(train.keys() ^ test.keys())
        if lacking and task:
            _warn_left_out(folder, "training or test", lacking)

    def read(part: str) -> list[Example]:
        return [example for file in task_files(folder, part, task) for example in iter_babi(file)]

    return Split(read("train"), read("test"))


def write_babi(path: str | Path | BinaryIO, examples: Iterable[Example]) -> None:
    """Write examples to a bAbI file. The questions of a story must follow each other.

    Raises:
        InputError: if an example is malformed, or cannot be written in this format: a text contains a tab or line end,
            a sentence ends with a question mark, or a question does not.
        DataError: if the file cannot be written. A file that was there before is kept then.
    """
    write_lines(path, (f"{line}\n".encode() for line in _babi_lines(examples)))


def _babi_lines(examples: Iterable[Example]) -> Iterator[str]:
    story: tuple[str, ...] = ()
    numbers: list[int] = []  # the line IDs of the story's sentences
    last = 0
    for example in examples:
        check_example(example)
        for text in (*example.story, example.question, example.answer):
            if set("\t\r\n") & set(text):
                raise InputError(f"{quoted(text)} contains a tab or a line end, which the bAbI format does not allow")
        for text in example.story:
            if is_question(text):
                problem = "ends with a question mark, so the bAbI format reads it as a question"
                raise InputError(f"the sentence {quoted(text)} {problem}")
        if not is_question(example.question):
            problem = "has no question mark at its end, which the bAbI format requires; add it, or write JSONL"
            raise InputError(f"the question {quoted(example.question)} {problem}")
        if example.story[: len(story)] != story:
            story, numbers, last = (), [], 0
        for sentence in example.story[len(story) :]:
            last += 1
            numbers.append(last)
            yield f"{last} {sentence}"
        story = example.story
        last += 1
        support = " ".join(str(numbers[position]) for position in example.support)
        yield f"{last} {example.question}\t{example.answer}\t{support}"


def task_files(folder: str | Path, part: str, task: int | Iterable[int] | None = None) -> list[Path]:
    """The files of one part ("train", "valid" or "test") of some tasks, in the order of the tasks.

    Without ``task``, the files of all tasks; a DataWarning names the tasks that have no file of this part.

    Raises:
        DataError: if the folder or the file of a chosen task is missing, or a task has two files of this part.
        InputError: if ``task`` is empty.
    """
    found = available(folder, part)
    if task is None:
        everything = {number for part in _PARTS for number in available(folder, part)}
        if found and found.keys() < everything:
            _warn_left_out(folder, part, sorted(everything - found.keys()))
        wanted = sorted(found)
    else:
        wanted = [task] if isinstance(task, int) else sorted(set(task))
    if not found:
        raise DataError(folder, None, f"there is no bAbI {part} file here (qa1_..._{part}.txt)")
    if not wanted:
        raise InputError("no task was chosen")
    for number in wanted:
        if number not in found:
            raise DataError(folder, None, f"there is no {part} file of task {number} (qa{number}_..._{part}.txt)")
    return [found[number] for number in wanted]


def available(folder: str | Path, part: str) -> dict[int, Path]:
    """Map the number of each task to its file of this part.

    Raises:
        DataError: if the folder is missing, or a task has two files of this part.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(folder, None, "this is not a folder" if folder.exists() else "there is no such folder")
    found: dict[int, Path] = {}
    for path in sorted(folder.iterdir()):
        name = _FILE.fullmatch(path.name)
        if name is None or name[2] != part:
            continue
        number = int(name[1])
        if number in found:
            raise DataError(path, None, f"task {number} has another {part} file, {found[number].name}; remove one")
        found[number] = path
    return found


def _warn_left_out(folder: str | Path, part: str, tasks: list[int]) -> None:
    numbers = ", ".join(map(str, tasks))
    warnings.warn(f"{folder}: no {part} file of task {numbers}; left out", DataWarning, stacklevel=3)
