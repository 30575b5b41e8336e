"""One training of a row, which goes on from its folder's checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import torch

from memn2n.errors import ModelError
from memn2n.files.model_folder import load_model, prepare, save_model
from memn2n.lm.model import MemoryLM
from memn2n.lm.networks.lstm import LSTMNetwork
from memn2n.lm.training.checkpoints import has_checkpoint, load_checkpoint, resume, save_checkpoint
from memn2n.lm.training.progress import judged
from memn2n.lm.training.trainer import LMTrainer
from memn2n.lm.vocabulary import LMVocabulary
from memn2n.machine import check_device, choose_precision, choose_threads, torch_threads

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memn2n.lm.networks.memn2n import LMNetwork
    from memn2n.lm.training.progress import LMEpoch, LMStep
    from memn2n.reproduce.ptb.recipe import LMRecipe
    from memn2n.reproduce.ptb.texts import Texts

_LSTM = "lstm"


class Trained(NamedTuple):
    """A network at its lowest validation loss, and all epochs of its training."""

    network: LMNetwork
    history: tuple[LMEpoch, ...]

    @property
    def valid(self) -> float:
        """The lowest validation loss, in nats a word."""
        return min(map(judged, self.history))


@dataclass(frozen=True)
class LMRestart:
    """One training.

    Args:
        recipe: with the seed of this restart, and the precision.
        number: which restart of the row, from 0.
        folder: where it is kept, laid out as ``MemoryLM.fit`` does.
        begun: whether there is a checkpoint to go on from.
    """

    recipe: LMRecipe
    number: int
    folder: Path
    begun: bool

    @classmethod
    def find(cls, recipe: LMRecipe, number: int, folder: Path, texts: Texts) -> LMRestart:
        """A training that begins, or goes on in its folder; nothing is written.

        Raises:
            ModelError: if the folder's checkpoint is damaged, or of another training.
        """
        if not has_checkpoint(folder):
            return cls(recipe, number, folder, False)
        found = load_checkpoint(folder)
        ours = asdict(recipe.network) | asdict(recipe.training)
        theirs = asdict(found.network) | asdict(found.training)
        other = [f"{name} {theirs[name]} in place of {ours[name]}" for name in ours if theirs[name] != ours[name]]
        if found.vocabulary != texts.vocabulary or found.texts != texts.digests:
            other.append("another text")
        if other:
            raise ModelError(f"{folder} holds a training of something else than {recipe.name} here: "
                             f"{', '.join(other)}; take another --out, or remove that folder")  # fmt: skip
        return cls(recipe, number, folder, True)

    def train(
        self, texts: Texts, device: str, threads: int | None, on_event: Callable[[LMStep | LMEpoch], None]
    ) -> Trained:
        """Train to the end; one that has ended is only read.

        Raises:
            TrainingError: when a loss is not finite.
            KeyboardInterrupt: on Ctrl-C, after the training was saved.
        """
        if self.recipe.model == _LSTM:
            return self._train_lstm(texts, device, threads, on_event)
        model = MemoryLM.fit(
            texts.train, texts.valid, network=self.recipe.network, training=self.recipe.training,
            vocabulary=texts.vocabulary, folder=self.folder, resume=self.begun, device=device, threads=threads,
            on_event=on_event,
        )  # fmt: skip
        if model.interrupted:
            raise KeyboardInterrupt
        return Trained(model.network, model.history)

    def _train_lstm(
        self, texts: Texts, device: str, threads: int | None, on_event: Callable[[LMStep | LMEpoch], None]
    ) -> Trained:
        training, vocabulary, digests = self.recipe.training, texts.vocabulary, texts.digests
        folder, on_device = prepare(self.folder), check_device(device)
        generator = torch.Generator().manual_seed(training.seed)
        lstm = LSTMNetwork(self.recipe.network, len(vocabulary), generator, training.init_std).to(on_device)
        network = cast("LMNetwork", lstm)  # the trainer asks for no more than both of them have
        precision = choose_precision(training.precision, on_device)
        trainer = LMTrainer(network, texts.train_ids, texts.valid_ids, training, precision)
        if self.begun:
            resume(trainer, load_checkpoint(folder), digests, folder)

        def checkpoint(best: bool) -> None:
            if best:
                tensors = {name: value.cpu().numpy() for name, value in lstm.state_dict().items()}
                config = {"network": asdict(lstm.config), "training": asdict(training)}
                save_model(folder, _LSTM, config, vocabulary, tensors)
            save_checkpoint(folder, trainer, vocabulary, digests)

        with torch_threads(choose_threads(threads)):
            if not trainer.run(on_event, checkpoint):
                raise KeyboardInterrupt
        _, _, best_tensors = load_model(folder, _LSTM, LMVocabulary)
        lstm.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in best_tensors.items()})
        return Trained(network.requires_grad_(False), tuple(trainer.progress.history))
