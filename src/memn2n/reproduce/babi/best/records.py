"""Finished trainings on disk: one JSON file each, written as soon as the training ends.

Each file has a digest of the training's recipes, symmetries, data and seed, so that a call never takes the figures of
another training for its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from memn2n.errors import ModelError
from memn2n.files.whole_file import make_folder, write_whole
from memn2n.qa.engine import unavailable
from memn2n.qa.networks import family_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from memn2n.qa.recipes import Recipe
    from memn2n.qa.symmetries.classes import Symmetries

_FORMAT = "memn2n-reproduce-training"
_REMEDY = "remove it, and the same command trains that again"


@dataclass(frozen=True)
class Wrong:
    """Numbers of wrong answers on the test questions of a task."""

    questions: int
    one_network: int
    ensemble: int


@dataclass(frozen=True)
class Record:
    """The result of one training.

    Args:
        tasks: task -> wrong answers. Empty if every restart diverged.
        recipe: the position of the recipe that the validation data chose; None if every restart diverged.
        networks: the number of networks of the ensemble.
        seconds: how long the training took.
    """

    tasks: dict[int, Wrong]
    recipe: int | None
    networks: int
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self) | {"tasks": {str(task): asdict(wrong) for task, wrong in self.tasks.items()}}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Record:
        """The record that ``to_dict`` wrote.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: for other values.
        """
        tasks = {int(task): Wrong(**wrong) for task, wrong in values["tasks"].items()}
        for wrong in tasks.values():
            if not all(0 <= number <= wrong.questions != 0 for number in (wrong.one_network, wrong.ensemble)):
                raise ValueError(f"{wrong} are not numbers of wrong answers")
        return cls(**(values | {"tasks": tasks, "seconds": float(values["seconds"])}))


def digest_of(recipes: Sequence[Recipe], symmetries: Symmetries, data: str, seed: int) -> str:
    """A digest of all that the result of a training depends on.

    Args:
        recipes: the recipes to choose from.
        symmetries: the exchangeable words.
        data: the digest of the questions.
        seed: the seed of the training.
    """
    settings = {
        "recipes": [
            [family_name(network), asdict(network), asdict(training), "torch" if unavailable(network) else "native"]
            for network, training in recipes
        ],
        "symmetries": symmetries.to_dict(),
        "data": data,
        "seed": seed,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def read_record(path: Path, digest: str) -> Record | None:
    """Read a training; None if there is no file.

    Raises:
        ModelError: if the file is damaged, or of other settings or data.
    """
    try:
        values = json.loads(path.read_bytes())
        if values.pop("format") != _FORMAT:
            raise ValueError
        written = values.pop("digest")
        record = Record.from_dict(values)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}); {_REMEDY}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelError(f"{path} is not a training of memn2n reproduce, or is damaged; {_REMEDY}") from None
    if written != digest:
        raise ModelError(f"{path} is a training with other recipes, symmetries, data or backend; take another --out, "
                         f"or remove the folder {path.parent}")  # fmt: skip
    return record


def write_record(path: Path, digest: str, record: Record) -> None:
    """Write a training to its file, whole or not at all."""
    make_folder(path.parent)
    text = json.dumps({"format": _FORMAT, "digest": digest} | record.to_dict(), indent=1)
    write_whole(path, f"{text}\n".encode())
