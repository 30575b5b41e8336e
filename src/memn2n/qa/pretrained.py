"""Models that come with the package."""

from __future__ import annotations

from pathlib import Path

from memn2n.errors import InputError
from memn2n.qa.model import StoryQA

_MODELS = Path(__file__).with_name("models")

NAMES = ("stories",)


def pretrained(name: str = "stories") -> StoryQA:
    """A model that needs no training.

    Args:
        name: "stories": an ensemble that learned the 20 skills of bAbI together, from simulated stories alone
            (``pretraining/stories.py`` in the repository makes it). It knows the words of these stories.

    Raises:
        InputError: if there is no such model.
    """
    if name not in NAMES:
        raise InputError(f"there is no pretrained model {name!r}; there is: {', '.join(NAMES)}")
    return StoryQA.load(_MODELS / name)


def load_qa(model: str | Path | None = None) -> StoryQA:
    """A model of question answering.

    Args:
        model: its directory, or the name of a pretrained one, unless there is such a folder; by default "stories".

    Raises:
        ModelError: as ``StoryQA.load``.
    """
    if model is None or names_pretrained(model):
        return pretrained("stories" if model is None else str(model))
    return StoryQA.load(model)


def names_pretrained(model: str | Path) -> bool:
    """Whether this is the name of a pretrained model, and no folder."""
    return str(model) in NAMES and not Path(model).exists()
