"""Checkpoints: everything that a training needs to resume exactly, in the folder ``checkpoint`` of its run."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import torch

from memn2n.errors import ModelError
from memn2n.files.model_folder import has_model, load_model, save_model
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.networks.memn2n import LMNetwork, current_names
from memn2n.lm.record import parameter_layout
from memn2n.lm.training.progress import TrainingProgress
from memn2n.lm.training.trainer import check_state
from memn2n.lm.vocabulary import LMVocabulary

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from memn2n.files.model_file import Layout
    from memn2n.lm.data.ids import Ids
    from memn2n.lm.networks import LanguageNetwork
    from memn2n.lm.training.trainer import LMTrainer

KIND = "lm training"
_FOLDER = "checkpoint"


@dataclass(frozen=True)
class CheckpointRecord:
    """The settings and the progress of a training; ``texts`` are the ``text_digests`` of its texts."""

    network: LMConfig
    training: LMTraining
    texts: dict[str, str]
    progress: TrainingProgress

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"network": self.network.resolved(), "training": asdict(self.training),
                "texts": self.texts, "progress": asdict(self.progress)}  # fmt: skip

    @classmethod
    def read(
        cls, build: type[LanguageNetwork], values: dict[str, Any], vocabulary: LMVocabulary, layout: Layout
    ) -> Self:
        """Make the record from ``to_dict``'s values, and check that the arrays fit it, like ``LMRecord.read``.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: if something does not fit.
        """
        record = cls(
            LMConfig.from_dict(values["network"], complete=True),
            LMTraining.from_dict(values["training"], complete=True),
            dict(values["texts"]),
            TrainingProgress.from_dict(values["progress"]),
        )
        parameters = parameter_layout(build, record.network, len(vocabulary))
        check_state(current_names(layout), parameters, record.training, record.progress)
        return record


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
    record = CheckpointRecord(trainer.network.config, trainer.config, texts, trainer.progress)
    tensors = {name: tensor.cpu().numpy() for name, tensor in trainer.state().items()}
    read = partial(CheckpointRecord.read, type(trainer.network))
    save_model(run / _FOLDER, KIND, record.to_dict(), vocabulary, tensors, read)


def has_checkpoint(run: Path) -> bool:
    """Return whether a run's folder has a checkpoint."""
    return has_model(run / _FOLDER)


def load_checkpoint(run: Path, build: type[LanguageNetwork] = LMNetwork) -> Checkpoint:
    """Read the checkpoint of a run's folder.

    Args:
        run: the folder.
        build: the class of the network.

    Raises:
        ModelError: if there is no checkpoint, or it is damaged, or of a network of another class.
    """
    if not has_checkpoint(run):
        raise ModelError(f"{run} has no checkpoint to resume from; train without resuming, or name another folder")
    read = partial(CheckpointRecord.read, build)
    record, vocabulary, arrays = load_model(run / _FOLDER, KIND, LMVocabulary, read)
    tensors = current_names({name: torch.from_numpy(array) for name, array in arrays.items()})
    return Checkpoint(record.network, record.training, vocabulary, record.texts, record.progress, tensors)


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
