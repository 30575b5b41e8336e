"""The pretrained models in the package, and loading a model by name or path."""

from __future__ import annotations

from pathlib import Path

from memn2n.errors import InputError
from memn2n.qa.model import StoryQA
from memn2n.terminal import quoted

_MODELS = Path(__file__).with_name("models")

NAMES = ("stories",)


def pretrained(name: str = "stories") -> StoryQA:
    """Load a model that comes with the package.

    Args:
        name: "stories" is an ensemble, trained on simulated stories of all 20 bAbI tasks (by
            ``pretraining/stories.py`` in the repository). Its vocabulary has the words of these stories.

    Raises:
        InputError: if there is no model of this name.
    """
    if name not in NAMES:
        raise InputError(f"there is no pretrained model {quoted(name)}; there is: {', '.join(NAMES)}")
    return StoryQA.load(_MODELS / name)


def load_qa(model: str | Path | None = None) -> StoryQA:
    """Load a question answering model.

    Args:
        model: its directory, or the name of a pretrained model; a directory of this name comes first. By default
            "stories".

    Raises:
        ModelError: like ``StoryQA.load``.
    """
    if model is None or names_pretrained(model):
        return pretrained("stories" if model is None else str(model))
    return StoryQA.load(model)


def folder_of(model: str | Path) -> Path:
    """The directory of a model that is given by its directory or by the name of a pretrained model."""
    return _MODELS / model if names_pretrained(model) else Path(model)


def names_pretrained(model: str | Path) -> bool:
    """Whether this is the name of a pretrained model, and there is no directory of this name."""
    return str(model) in NAMES and not Path(model).exists()
