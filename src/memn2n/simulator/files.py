"""Simulated stories as files."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.data.babi import write_babi
from memn2n.data.jsonl import write_jsonl
from memn2n.errors import InputError
from memn2n.simulator import SKILLS, iter_simulated

if TYPE_CHECKING:
    from memn2n.config import StoryFormat
    from memn2n.simulator.world import World

_WRITERS = {"babi": (write_babi, "txt"), "jsonl": (write_jsonl, "jsonl")}


def write_simulated(
    folder: str | Path,
    task: int,
    n_train: int,
    n_test: int,
    seed: int = 0,
    world: World | None = None,
    file_format: StoryFormat = "babi",
) -> tuple[Path, Path]:
    """Write a task's stories as they are told, under the names of bAbI's files; however many, memory stays small.

    Args:
        folder: made where it does not exist.
        task: a bAbI task number.
        n_train: number of training questions.
        n_test: number of test questions.
        seed: as of ``simulate``.
        world: as of ``simulate``.
        file_format: bAbI's own, or JSON lines.

    Returns:
        The training file and the test file.

    Raises:
        InputError: as ``simulate`` does; for a size below 1; for a folder that cannot be made or written to.
    """
    for name, size in (("n_train", n_train), ("n_test", n_test)):
        if size < 1:
            raise InputError(f"{name} is {size}: it must be 1 or more")
    train, test = iter_simulated(task, n_train, seed, world)
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be made: {error.strerror}") from None
    write, ending = _WRITERS[file_format]
    name = f"qa{task}_{SKILLS[task].name}"
    train_file, test_file = (Path(folder) / f"{name}_{part}.{ending}" for part in ("train", "test"))
    write(train_file, train)
    write(test_file, islice(test, n_test))
    return train_file, test_file
