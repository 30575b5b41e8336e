"""One training of a row, which continues from the checkpoint in its folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import ModelError
from memn2n.lm.networks import NETWORKS
from memn2n.lm.training.checkpoints import has_checkpoint, load_checkpoint
from memn2n.lm.training.run import LMRequest, train_lm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from memn2n.lm.networks import LanguageNetwork
    from memn2n.lm.training.progress import LMEpoch, LMStep
    from memn2n.reproduce.ptb.recipe import LMRecipe
    from memn2n.reproduce.ptb.texts import Texts


class Trained(NamedTuple):
    """The network of the epoch with the lowest validation loss, and all epochs of its training."""

    network: LanguageNetwork
    history: tuple[LMEpoch, ...]

    @property
    def valid(self) -> float:
        """The lowest validation loss, in nats a word."""
        return min(epoch.judged for epoch in self.history)


@dataclass(frozen=True)
class LMRestart:
    """One training.

    Args:
        recipe: the row's recipe, with this restart's seed and precision.
        number: number of the restart, from 0.
        folder: folder of the training, with the same files as ``MemoryLM.fit`` writes.
        begun: whether it has a checkpoint to continue from.
    """

    recipe: LMRecipe
    number: int
    folder: Path
    begun: bool

    @classmethod
    def find(cls, recipe: LMRecipe, number: int, folder: Path, texts: Texts) -> LMRestart:
        """Look for a checkpoint to continue from; nothing is written.

        Raises:
            ModelError: if the folder's checkpoint is damaged, or belongs to another training.
        """
        if not has_checkpoint(folder):
            return cls(recipe, number, folder, False)
        found = load_checkpoint(folder)
        ours, theirs = (
            asdict(network) | {"linear": network.linear_components} | asdict(training)
            for network, training in ((recipe.network, recipe.training), (found.network, found.training))
        )
        other = [f"{name} {theirs[name]} in place of {ours[name]}" for name in ours if theirs[name] != ours[name]]
        if found.vocabulary != texts.vocabulary or found.texts != texts.digests:
            other.append("another text")
        if other:
            raise ModelError(f"{folder} holds another training than that of {recipe.name}: {', '.join(other)}; take "
                             "another --out, or remove that folder")  # fmt: skip
        return cls(recipe, number, folder, True)

    def train(
        self, texts: Texts, device: str, threads: int | None, on_event: Callable[[LMStep | LMEpoch], None]
    ) -> Trained:
        """Do the training, or what is left of it.

        Raises:
            TrainingError: if a loss is not finite.
            KeyboardInterrupt: on Ctrl-C, after the training was saved.
        """
        request = LMRequest(
            train=texts.train, valid=texts.valid, network=self.recipe.network, training=self.recipe.training,
            vocabulary=texts.vocabulary, folder=self.folder, resume=self.begun, device=device, threads=threads,
            build=NETWORKS[self.recipe.model],
        )  # fmt: skip
        run = train_lm(request, on_event)
        if run.interrupted:
            raise KeyboardInterrupt
        return Trained(run.best_network().requires_grad_(False), run.history)
