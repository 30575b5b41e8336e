"""Write simulated stories to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import InputError, file_error
from memn2n.files.folder_lock import locked
from memn2n.files.whole_file import whole_files
from memn2n.qa.data.babi import write_babi
from memn2n.qa.data.jsonl import write_jsonl
from memn2n.settings import check_range
from memn2n.simulator import MAX_QUESTIONS, SKILLS, iter_simulated
from memn2n.simulator.unseen import with_unseen_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memn2n.qa.config import StoryFormat
    from memn2n.simulator.world import World

_WRITERS = {"babi": (write_babi, "txt"), "jsonl": (write_jsonl, "jsonl")}


def write_simulated(
    folder: str | Path, tasks: Iterable[int], n_train: int, n_test: int, seed: int = 0, world: World | None = None,
    file_format: StoryFormat = "babi", unseen: bool = False,
) -> Iterator[tuple[Path, Path]]:  # fmt: skip
    """Write the stories of tasks to files that are named like those of bAbI.

    The stories are written as a stream: memory use does not depend on their number. The files of a task are
    replaced after both are written, and a new file of a task never stands beside an old one. A kill between the two can
    leave the training file without a test file; the next call removes what was left, and writes both.

    Args:
        folder: where to write; it is created if it does not exist.
        tasks: numbers of bAbI tasks.
        n_train: number of training questions of each task, 1 or more.
        n_test: number of test questions of each task, 1 or more.
        seed: as in ``simulate``.
        world: as in ``simulate``.
        file_format: "babi" for bAbI's own format, "jsonl" for JSON lines.
        unseen: replace the names in the test questions by invented words; see ``with_unseen_words``.

    Yields:
        The training file and the test file of each task, once both are written.

    Raises:
        InputError: for wrong arguments, before anything is written; if the folder cannot be created or written to,
            or another process writes to it.
        StorageError: if the disk is full or broken. The files of that task are unchanged.
    """
    check_range("n_train", n_train, 1, MAX_QUESTIONS)
    check_range("n_test", n_test, 1, MAX_QUESTIONS)
    streams = {task: iter_simulated(task, n_train, n_test, seed, world) for task in tasks}
    folder = Path(folder)
    try:
        with locked(folder):
            for task, (train, test) in streams.items():
                write, ending = _WRITERS[file_format]
                start = f"qa{task}_{SKILLS[task].name}"
                train_path, test_path = folder / f"{start}_train.{ending}", folder / f"{start}_test.{ending}"
                with whole_files(train_path, test_path) as (train_file, test_file):
                    write(train_file, train)
                    write(test_file, with_unseen_words(test, world) if unseen else test)
                yield train_path, test_path
    except OSError as error:
        raise file_error(error, folder, "cannot be written to", InputError) from None
