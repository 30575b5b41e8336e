"""Checkpoints: everything that a training needs to resume exactly, in the folder ``checkpoint`` of its run."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from memn2n.errors import ConfigError, ModelError
from memn2n.files.model_folder import has_model, load_model, save_model
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.networks.memn2n import current_names
from memn2n.lm.training.progress import TrainingProgress
from memn2n.lm.vocabulary import LMVocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.training.trainer import LMTrainer

KIND = "lm training"
_FOLDER = "checkpoint"


class Checkpoint(NamedTuple):
    """The content of a checkpoint; ``texts`` are the ``text_digests`` of its texts."""

    network: LMConfig
    training: LMTraining
    vocabulary: LMVocabulary
    texts: dict[str, str]
    progress: TrainingProgress
    tensors: dict[str, Tensor]


def text_digests(train: Ids, valid: Ids | None) -> dict[str, str]:
    """Return the SHA-256 of each text's ids, by which a resumed training recognises its texts."""
    texts = {"train": train} if valid is None else {"train": train, "valid": valid}
    return {name: hashlib.sha256(np.ascontiguousarray(ids, "<i4").data).hexdigest() for name, ids in texts.items()}


def save_checkpoint(run: Path, trainer: LMTrainer, vocabulary: LMVocabulary, texts: dict[str, str]) -> None:
    """Save a training, which is between two batches, in its run's folder; replace the earlier checkpoint atomically.

    Raises:
        ModelError: if the folder cannot be written.
    """
    config = {"network": trainer.network.config.resolved(), "training": asdict(trainer.config),
              "texts": texts, "progress": asdict(trainer.progress)}  # fmt: skip
    tensors = {name: tensor.cpu().numpy() for name, tensor in trainer.state().items()}
    save_model(run / _FOLDER, KIND, config, vocabulary, tensors)


def has_checkpoint(run: Path) -> bool:
    """Return whether a run's folder has a checkpoint."""
    return has_model(run / _FOLDER)


def load_checkpoint(run: Path) -> Checkpoint:
    """Read the checkpoint of a run's folder; raises ModelError if there is none, or it is damaged."""
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
            TrainingProgress.from_dict(config["progress"]),
            current_names({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}),
        )
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"{folder}: the settings of this checkpoint cannot be used ({error}); train again") from None


def resume(trainer: LMTrainer, checkpoint: Checkpoint, texts: dict[str, str], run: Path) -> None:
    """Restore a checkpoint in a trainer that has its settings.

    Raises:
        ModelError: if the texts are not those of the checkpoint, or the checkpoint is damaged.
    """
    for name in ("train", "valid"):
        if texts.get(name) != checkpoint.texts.get(name):
            raise ModelError(f"{run}: its {name} text is not the one given now; resume with the same text, or train "
                             "without resuming")  # fmt: skip
    try:
        trainer.restore(checkpoint.tensors, checkpoint.progress)
    except (ValueError, RuntimeError, TypeError) as error:
        raise ModelError(f"{run / _FOLDER}: its arrays do not fit its settings ({error}); train again") from None
