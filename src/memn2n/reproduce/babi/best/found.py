"""The symmetries that are found in the training questions, kept as a TOML file that a person can read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.errors import ConfigError
from memn2n.files.whole_file import make_folder, write_whole
from memn2n.qa import engine
from memn2n.qa.symmetries.files import read_symmetries, symmetries_text
from memn2n.qa.symmetries.finder import find_symmetries
from memn2n.reproduce.babi.best.data import digest_of_questions

if TYPE_CHECKING:
    from pathlib import Path

    from memn2n.qa.stories import Example
    from memn2n.qa.symmetries.classes import Symmetries


def found_symmetries(path: Path, train: list[Example], threads: int | None = None) -> Symmetries:
    """The symmetries of training questions: those of the file if it was written for these questions, or found now.

    The questions are those of all tasks, since the search in one task uses the evidence of the others.

    Args:
        path: the file, which is written if it is missing or was written for other questions.
        train: the questions.
        threads: as for ``find_symmetries``.

    Raises:
        DataError: if the file is malformed.
        ConfigError: if symmetries must be looked for and the engine is not there.
    """
    begin = f"# Found by memn2n in the training questions of all tasks ({digest_of_questions(train)}).\n"
    if not path.exists() or not path.read_bytes().startswith(begin.encode()):
        if engine.unavailable():
            raise ConfigError(f"the column found needs the native engine: {engine.unavailable()}; choose other columns")
        symmetries = find_symmetries(train, threads=threads).symmetries
        make_folder(path.parent)
        write_whole(path, f"{begin}\n{symmetries_text(symmetries)}".encode())
    return read_symmetries(path)
