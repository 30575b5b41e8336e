r"""The text format of the bAbI tasks (v1.2).

A line is ``ID sentence`` or ``ID question<tab>answer<tab>IDs of supporting facts``; an ID of 1 starts a new story.
The questions of a story are asked about all the sentences before them.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from memn2n.errors import DataError, DataWarning, InputError
from memn2n.files.lines import iter_lines, write_lines
from memn2n.qa.stories import Example, Split, check_example
from memn2n.unicode_text import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LINE = re.compile(r"([0-9]{1,9})\s+(\S.*)")
_SPACED_QUESTION = re.compile(r"\?\s+\S.*\s[0-9]+$")  # "Where is Mary? office 1": spaces in the place of tabs
_PARTS = ("train", "valid", "test")
_NO_ANSWER = "a question without answer; write question<tab>answer<tab>IDs of supporting facts"
_FILE = re.compile(rf"qa([0-9]{{1,9}})_(?:.*_)?({'|'.join(_PARTS)})\.txt")


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
            if sentence.endswith("?") or _SPACED_QUESTION.search(sentence):
                raise DataError(where, number, _NO_ANSWER)
            positions[current] = len(story)
            story.append(sentence)
            continue
        question, answer, *rest = (column.strip() for column in body.split("\t"))
        if not question or not answer:
            raise DataError(where, number, _NO_ANSWER)
        if not has_word(question):
            raise DataError(where, number, f"there is no word in the question {question[:40]!r}")
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
    if task is None:
        train, test = available(folder, "train"), available(folder, "test")
        task = train.keys() & test.keys()
        lacking = sorted(train.keys() ^ test.keys())
        if lacking and task:
            _warn_left_out(folder, "training or test", lacking)

    def read(part: str) -> list[Example]:
        return [example for file in task_files(folder, part, task) for example in iter_babi(file)]

    return Split(read("train"), read("test"))


def write_babi(path: str | Path | BinaryIO, examples: Iterable[Example]) -> None:
    """Write examples so that ``iter_babi`` gives them back; the questions of a story must stand one after the other.

    Raises:
        InputError: for an example that cannot be trained on, or that the format cannot hold: a tab or line end in a
            text, a sentence that ends as a question.
        DataError: if the file cannot be written. It is whole or as before.
    """
    write_lines(path, (f"{line}\n".encode() for line in _babi_lines(examples)))


def _babi_lines(examples: Iterable[Example]) -> Iterator[str]:
    story: tuple[str, ...] = ()
    numbers: list[int] = []  # of the story's sentences
    last = 0
    for example in examples:
        check_example(example)
        for text in (*example.story, example.question, example.answer):
            if set("\t\r\n") & set(text):
                raise InputError(f"{text!r} holds a tab or a line end, which bAbI's format cannot hold")
        asked = next((sentence for sentence in example.story if sentence.rstrip().endswith("?")), None)
        if asked is not None:
            raise InputError(f"the sentence {asked!r} ends as a question, which bAbI's format takes it for")
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
    """The files of one part ("train", "valid" or "test") for the wanted tasks, by task number.

    Without ``task``: those of every task in the folder, and a DataWarning names a task that has no file of this part.

    Raises:
        DataError: if the folder, or a file of a wanted task, is not there, or a task has two.
        InputError: if an empty selection of tasks is wanted.
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
    """Task number -> file, for each file of a part in the folder.

    Raises:
        DataError: if the folder is not there, or a task has two files.
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
