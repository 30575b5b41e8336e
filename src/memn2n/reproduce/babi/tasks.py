"""The bAbI files of a table: the tasks that have files, and their encoded questions."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from memn2n.errors import InputError
from memn2n.qa.data import read_stories
from memn2n.qa.data.babi import available
from memn2n.qa.stories import StorySet, vocabulary_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memn2n.qa.vocabulary import Vocabulary
    from memn2n.reproduce.babi.paper import PaperTable

FOLDERS = {"babi-1k": "en", "babi-10k": "en-10k"}
"""Table -> the folder of the bAbI archive with its files."""


def find_folder(data: Path, table: str) -> Path:
    """The folder with a table's files: ``data`` itself, or its subfolder ``en`` or ``en-10k``.

    Raises:
        InputError: if it has no bAbI files, or those of the other table.
    """
    wanted = FOLDERS[table]
    folder = data
    if not available(data, "train") and (data / wanted).is_dir():
        folder = data / wanted
    if not available(folder, "train"):
        raise InputError(f"{folder} holds no bAbI training files (qa1_..._train.txt); name the folder {wanted}")
    named = folder.resolve().name
    for other, name in FOLDERS.items():
        if named == name and other != table:
            raise InputError(f"{folder} is the data of {other}; name the folder {wanted}, or reproduce {other}")
    return folder


@dataclass(frozen=True)
class Encoded:
    """Questions to train on and to test on, both with the vocabulary of the first; ``digest`` is of the first."""

    vocabulary: Vocabulary
    train: StorySet
    test: StorySet
    digest: str


class TaskFiles:
    """The files of a table's tasks.

    Args:
        folder: the folder of the bAbI files.
        table: the paper's table. Files of tasks that are not in it are ignored.
        test: the folder of the test files, if it is another one.
    """

    def __init__(self, folder: Path, table: PaperTable, test: Path | None = None) -> None:
        self.folder = folder
        self._test_folder = test or folder
        parts = {"train": available(folder, "train").keys(), "test": available(self._test_folder, "test").keys()}
        self.trainable = tuple(task for task in table.tasks if task in parts["train"])
        self.usable = tuple(task for task in self.trainable if task in parts["test"])
        self.missing = {
            task: " and ".join(part for part in parts if task not in parts[part])
            for task in table.tasks
            if task not in self.usable
        }
        """Task -> which file is missing: "train", "test" or "train and test"."""
        self._encoded: dict[tuple[tuple[int, ...], tuple[int, ...]], Encoded] = {}

    def encode(self, train: Sequence[int], test: Sequence[int]) -> Encoded:
        """Read and encode the training questions of some tasks, and the test questions of some of them.

        The result is kept, so that columns that train on the same tasks share it.

        Raises:
            DataError: for a malformed file.
        """
        key = (tuple(train), tuple(test))
        if key not in self._encoded:
            examples = read_stories(self.folder, "train", train)
            vocabulary = vocabulary_of(examples)
            stories = StorySet.encode(examples, vocabulary)
            asked = StorySet.encode(read_stories(self._test_folder, "test", test), vocabulary)
            self._encoded[key] = Encoded(vocabulary, stories, asked, _digest(vocabulary, stories))
        return self._encoded[key]


def _digest(vocabulary: Vocabulary, stories: StorySet) -> str:
    digest = hashlib.sha256(json.dumps([vocabulary.words, vocabulary.lowercase, stories.tasks]).encode())
    for field in fields(stories):
        value = getattr(stories, field.name)
        if isinstance(value, np.ndarray):
            digest.update(f"{field.name} {len(value)} ".encode())
            digest.update(value.astype("<i4").tobytes())
    return digest.hexdigest()
