"""One training of a language model, from texts to what it saves."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from memn2n.errors import ConfigError, InputError
from memn2n.files.model_folder import prepare, save_model
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.data.corpus import build_vocabulary, encode_known
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.training.checkpoints import has_checkpoint, load_checkpoint, resume, save_checkpoint, text_digests
from memn2n.lm.training.memory_needed import check_memory
from memn2n.lm.training.trainer import LMTrainer
from memn2n.machine import choose_precision

if TYPE_CHECKING:
    from collections.abc import Iterable

    from memn2n.lm.data.corpus import Corpus, Lines
    from memn2n.lm.training.progress import LMEpoch
    from memn2n.lm.vocabulary import LMVocabulary

KIND = "lm"


class LMRun:
    """One training: its trainer, and where it is saved."""

    def __init__(
        self, trainer: LMTrainer, vocabulary: LMVocabulary, folder: Path | None, texts: dict[str, str], lines: Lines
    ) -> None:
        self.trainer = trainer
        self.network = trainer.network
        self.vocabulary = vocabulary
        self.lines = lines
        self.folder = folder
        self.best: dict[str, torch.Tensor] = {}
        self._texts = texts

    @classmethod
    def begin(
        cls,
        train: Corpus,
        valid: Corpus | None,
        *,
        network: LMConfig | None,
        training: LMTraining | None,
        seed: int | None,
        vocabulary: LMVocabulary | None,
        min_count: int,
        max_words: int | None,
        folder: str | Path | None,
        go_on: bool,
        device: torch.device,
    ) -> LMRun:
        """Everything up to the first batch; arguments and errors as of ``MemoryLM.fit``, ``go_on`` being its resume."""
        checkpoint = None
        settings, config = network or LMConfig(), training or LMTraining()
        if seed is not None:
            config = dataclasses.replace(config, seed=seed)
        if go_on:
            if folder is None:
                raise ConfigError("resume needs the folder of the training")
            checkpoint = load_checkpoint(Path(folder))
            settings, vocabulary = checkpoint.network, checkpoint.vocabulary
            epochs = checkpoint.training.epochs if training is None else training.epochs
            config = dataclasses.replace(checkpoint.training, epochs=epochs)
        held_out = 0
        if valid is None and config.validation:
            words = sum(1 for _ in train.words())
            held_out = round(words * config.validation)
            held_out = held_out if held_out >= 2 else 0
        if vocabulary is None:
            first = words - held_out if held_out else None
            vocabulary = build_vocabulary(train, min_count=min_count, max_words=max_words, first=first)
        check_memory(settings, config, len(vocabulary))
        run = None if folder is None else prepare(folder)
        ids = encode_known(train, vocabulary, None if run is None else run / "train.ids")
        valid_ids = (
            None if valid is None else encode_known(valid, vocabulary, None if run is None else run / "valid.ids")
        )
        if held_out:
            ids, valid_ids = ids[:-held_out], ids[-held_out:]
        if len(ids) <= settings.memory_size:
            raise InputError(f"{train.name} has {len(ids)} words to train on, and the memory holds "
                             f"{settings.memory_size}: give more text, or lower memory_size")  # fmt: skip
        generator = torch.Generator().manual_seed(config.seed)
        built = LMNetwork(settings, len(vocabulary), generator, config.init_std).to(device)
        trainer = LMTrainer(built, ids, valid_ids, config, choose_precision(config.precision, device))
        texts = text_digests(ids, valid_ids)
        if checkpoint is not None:
            assert run is not None
            resume(trainer, checkpoint, texts, run)
        begun = cls(trainer, vocabulary, run, texts, train.lines)
        if checkpoint is None and run is not None and has_checkpoint(run):
            begun.checkpoint(False)  # so that the training before can no more be taken for this one
        return begun

    def checkpoint(self, best: bool) -> None:
        """Save the model if it is the best so far, then the training."""
        if self.folder is None:
            if best:
                self.best = {name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()}
            return
        if best:
            history = self.trainer.progress.history
            save_lm(self.folder, self.network, self.vocabulary, self.trainer.config, history, self.lines)
        save_checkpoint(self.folder, self.trainer, self.vocabulary, self._texts)


def save_lm(
    folder: str | Path, network: LMNetwork, vocabulary: LMVocabulary, training: LMTraining, history: Iterable[LMEpoch],
    lines: Lines,
) -> None:  # fmt: skip
    """Save a model; see ``MemoryLM.save``."""
    tensors = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    config = {
        "network": dataclasses.asdict(network.config),
        "training": dataclasses.asdict(training),
        "history": [dataclasses.asdict(epoch) for epoch in history],
        "lines": lines,
    }
    save_model(folder, KIND, config, vocabulary, tensors)
