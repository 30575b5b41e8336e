"""A training on disk: all that it needs to go on exactly, in the folder ``checkpoint`` of its run."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from memn2n.errors import ConfigError, ModelError
from memn2n.files.model_folder import has_model, load_model, save_model
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.training.progress import Progress
from memn2n.lm.vocabulary import LMVocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.training.trainer import LMTrainer

KIND = "lm training"
_FOLDER = "checkpoint"


class Checkpoint(NamedTuple):
    """What was saved of a training."""

    network: LMConfig
    training: LMTraining
    vocabulary: LMVocabulary
    texts: dict[str, str]
    progress: Progress
    tensors: dict[str, Tensor]


def text_digests(train: Ids, valid: Ids | None) -> dict[str, str]:
    """What the texts of a training are known by again."""
    texts = {"train": train} if valid is None else {"train": train, "valid": valid}
    return {name: hashlib.sha256(np.ascontiguousarray(ids, "<i4").data).hexdigest() for name, ids in texts.items()}


def save_checkpoint(run: Path, trainer: LMTrainer, vocabulary: LMVocabulary, texts: dict[str, str]) -> None:
    """Save a training, whole or not at all; the one before is replaced.

    Args:
        run: the run's folder.
        trainer: at the end of a batch.
        vocabulary: its words.
        texts: ``text_digests`` of what it is trained and validated on.

    Raises:
        ModelError: if the folder cannot be written.
    """
    config = {
        "network": asdict(trainer.network.config),
        "training": asdict(trainer.config),
        "texts": texts,
        "progress": trainer.progress.to_dict(),
    }
    tensors = {name: tensor.cpu().numpy() for name, tensor in trainer.state().items()}
    save_model(run / _FOLDER, KIND, config, vocabulary, tensors)


def has_checkpoint(run: Path) -> bool:
    """Whether there is something in a run's folder to resume from."""
    return has_model(run / _FOLDER)


def load_checkpoint(run: Path) -> Checkpoint:
    """Read what ``save_checkpoint`` wrote.

    Raises:
        ModelError: if there is none, or it is damaged.
    """
    folder = run / _FOLDER
    if not has_checkpoint(run):
        raise ModelError(f"{run} has no checkpoint to resume from; train without resuming, or name another folder")
    config, vocabulary, tensors = load_model(folder, KIND, LMVocabulary)
    try:
        return Checkpoint(
            LMConfig.from_dict(config["network"], complete=True),
            LMTraining.from_dict(config["training"], complete=True),
            vocabulary,
            dict(config["texts"]),
            Progress.from_dict(config["progress"]),
            {name: torch.from_numpy(tensor) for name, tensor in tensors.items()},
        )
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder}: config.json is damaged ({error}); train again") from None


def resume(trainer: LMTrainer, checkpoint: Checkpoint, texts: dict[str, str], run: Path) -> None:
    """Bring a trainer of the checkpoint's settings to where it was saved.

    Raises:
        ModelError: if the texts are not those that it was trained on, or the checkpoint does not fit itself.
    """
    for name in ("train", "valid"):
        if texts.get(name) != checkpoint.texts.get(name):
            raise ModelError(f"{run}: its {name} text is not the one given now; resume with the same text, or train "
                             "without resuming")  # fmt: skip
    try:
        trainer.restore(checkpoint.tensors, checkpoint.progress)
    except (ValueError, RuntimeError, TypeError) as error:
        raise ModelError(
            f"{run / _FOLDER}: model.safetensors does not fit config.json ({error}); train again"
        ) from None
