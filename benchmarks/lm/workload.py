"""The text of the measurements, and the training and evaluation that are measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from memn2n import lm_variant
from memn2n.errors import DataError
from memn2n.lm.data.corpus import read_corpus, split_files
from memn2n.lm.data.encoding import NumberedText, encode_corpus
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.scoring import log_probabilities_of
from memn2n.lm.training.progress import LMStep
from memn2n.lm.training.trainer import LMTrainer
from memn2n.machine import multiplies_bfloat16

if TYPE_CHECKING:
    from pathlib import Path

    from memn2n.lm.config import LMConfig, LMTraining
    from memn2n.lm.data.ids import Ids
    from memn2n.lm.training.progress import LMEpoch

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
RECIPES = {"default": lm_variant("modern")[1], "paper": lm_variant("paper")[1]}
SIZES = lm_variant("paper")[0]
"""6 hops, 150 units, memory 100."""
NAIVE = replace(lm_variant("paper")[1], clip="tensor")
"""Settings of the naive loop, which are those of the TensorFlow port."""

_VALIDATION = 20_000  # words of a made-up text
_SHORTEST = 500  # words: some blocks and windows


def precisions() -> list[str]:
    """Return the precisions that this machine multiplies in hardware; another would be emulated."""
    return ["fp32", "bf16"] if multiplies_bfloat16(torch.device("cpu")) else ["fp32"]


@dataclass(frozen=True)
class Text:
    """A text as word ids.

    Args:
        name: its name in the report.
        train: (words) ids of the training text.
        valid: (words) ids of the validation text.
        vocabulary: number of distinct words.
    """

    name: str
    train: Ids
    valid: Ids
    vocabulary: int

    @classmethod
    def read(cls, folder: Path) -> Text:
        """Read ``ptb.train.txt`` and ``ptb.valid.txt`` of a folder; without the latter, hold out the end of the former.

        Raises:
            DataError: if a file cannot be read, or is too short to measure anything.
        """
        train, valid, _ = split_files(folder, "ptb")
        text = NumberedText(read_corpus(train))
        vocabulary = text.vocabulary()
        ids = text.ids(vocabulary)
        if valid is None:
            at = len(ids) * 19 // 20
            ids, held_out = ids[:at], ids[at:]
        else:
            held_out = encode_corpus(read_corpus(valid), vocabulary)
        if min(len(ids), len(held_out)) < _SHORTEST:
            raise DataError(folder, None, f"the training and the validation text must have at least {_SHORTEST} words "
                            "each")  # fmt: skip
        return cls(train.name, ids, held_out, len(vocabulary))

    @classmethod
    def made_up(cls, vocabulary: int, words: int) -> Text:
        """Draw words by Zipf's law: the n-th most frequent word is n times rarer than the first."""
        law = np.cumsum(1 / np.arange(1, vocabulary + 1))
        drawn = np.random.default_rng(0).random(words + _VALIDATION) * law[-1]
        ids = np.searchsorted(law, drawn, side="right").astype(np.int32)
        return cls("made-up words", ids[:words], ids[words:], vocabulary)

    def shortened(self, words: int) -> Text:
        """Return the text with fewer training words, because shuffling a long text takes part of each measured call."""
        return replace(self, train=self.train[:words])


class Naive:
    """Training and evaluation as implementations of the paper write them.

    Each word has a memory of its own, the logits of a batch are in memory at once, and gradients are dense.

    Args:
        config: the network's settings.
        text: the text to train and evaluate on.
    """

    def __init__(self, config: LMConfig, text: Text) -> None:
        self.network = LMNetwork(config, text.vocabulary, torch.Generator().manual_seed(0), NAIVE.init_std)
        self._text = text
        self._optimizer = torch.optim.SGD(self.network.parameters(), lr=NAIVE.learning_rate)
        self._rng = np.random.default_rng(0)

    def step(self) -> None:
        """Train on a batch of random words."""
        x, target = self._windows(self._text.train)
        logits = self.network.windows(x)[:, 0] @ self.network.output_matrix.T  # (batch, vocabulary)
        loss = cross_entropy(logits, target, reduction="sum")
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for value in self.network.parameters():
            torch.nn.utils.clip_grad_norm_(value, NAIVE.clip_norm)
        self._optimizer.step()
        loss.item()

    @torch.no_grad()
    def evaluate(self) -> torch.Tensor:
        """Return the (batch) log-probabilities of a batch of words."""
        x, target = self._windows(self._text.valid)
        logits = self.network.windows(x)[:, 0] @ self.network.output_matrix.T
        return logits.log_softmax(1).gather(1, target[:, None])[:, 0]

    def _windows(self, ids: Ids) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw (batch, N) words in memory, and the (batch) words that follow them."""
        N = self.network.config.memory_size
        at = self._rng.integers(N, len(ids), NAIVE.batch_size)
        words = torch.from_numpy(ids[at[:, None] + np.arange(-N, 1)].astype(np.int64))
        return words[:, :-1], words[:, -1]


def batch_words(recipe: LMTraining) -> int:
    """Return the number of words in a batch of whole blocks."""
    return max(1, recipe.batch_size // recipe.block) * recipe.block


class _EnoughError(Exception):
    pass


class Training:
    """The package's own training, some batches at a time.

    Args:
        config: the network's settings.
        text: the text to train on.
        recipe: the training's settings.
        precision: of the products.
    """

    def __init__(self, config: LMConfig, text: Text, recipe: LMTraining, precision: str) -> None:
        self.network = LMNetwork(config, text.vocabulary, torch.Generator().manual_seed(0), recipe.init_std)
        endless = replace(recipe, epochs=1000, patience=1000)
        self.trainer = LMTrainer(self.network, text.train, None, endless, PRECISIONS[precision])

    def train(self, batches: int) -> None:
        """Train on the next batches."""
        done = 0

        def count(event: LMStep | LMEpoch) -> None:
            nonlocal done
            done += isinstance(event, LMStep)
            if done == batches:
                raise _EnoughError

        try:
            self.trainer.run(count, lambda _best: None)
        except _EnoughError:
            return
        raise KeyboardInterrupt  # only Ctrl-C can end it here, since ``run`` returns on Ctrl-C without an exception


def evaluate(network: LMNetwork, ids: Ids, precision: str) -> float:
    """Return the sum of a text's log-probabilities, computed by the package."""
    return sum(part.sum().item() for part in log_probabilities_of(network, ids, PRECISIONS[precision]))
