"""Simulated stories as files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import InputError
from memn2n.qa.data.babi import write_babi
from memn2n.qa.data.jsonl import write_jsonl
from memn2n.simulator import SKILLS, iter_simulated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memn2n.qa.config import StoryFormat
    from memn2n.simulator.world import World

_WRITERS = {"babi": (write_babi, "txt"), "jsonl": (write_jsonl, "jsonl")}


def write_simulated(
    folder: str | Path,
    tasks: Iterable[int],
    n_train: int,
    n_test: int,
    seed: int = 0,
    world: World | None = None,
    file_format: StoryFormat = "babi",
) -> Iterator[tuple[Path, Path]]:
    """Write tasks' stories as they are told, under the names of bAbI's files; however many, memory stays small.

    A task's two files are written beside each other and then take their places, so that they are always of one call.

    Args:
        folder: made where it does not exist.
        tasks: bAbI task numbers.
        n_train: number of training questions of each.
        n_test: number of test questions of each.
        seed: as of ``simulate``.
        world: as of ``simulate``.
        file_format: bAbI's own, or JSON lines.

    Yields:
        Each task's training and test file, once it is written.

    Raises:
        InputError: as ``simulate`` does, before anything is written; for a size below 1; for a folder that cannot be
            made or written to.
    """
    for name, size in (("n_train", n_train), ("n_test", n_test)):
        if size < 1:
            raise InputError(f"{name} is {size}: it must be 1 or more")
    streams = {task: iter_simulated(task, n_train, n_test, seed, world) for task in tasks}
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for task, (train, test) in streams.items():
            write, ending = _WRITERS[file_format]
            train_name, test_name = (f"qa{task}_{SKILLS[task].name}_{part}.{ending}" for part in ("train", "test"))
            with tempfile.TemporaryDirectory(prefix=".simulating-", dir=folder) as unfinished:
                write(Path(unfinished, train_name), train)
                write(Path(unfinished, test_name), test)
                for name in (test_name, train_name):
                    Path(unfinished, name).replace(folder / name)
            yield folder / train_name, folder / test_name
    except OSError as error:
        raise InputError(f"{folder} cannot be written to: {error.strerror}") from None
