"""The text that the language model is measured on, and what trains on it and evaluates it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from memn2n import lm_variant
from memn2n.errors import DataError
from memn2n.lm.data.corpus import build_vocabulary, encode_corpus, read_corpus, split_files
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
NAIVE = lm_variant("tensorflow")[1]
"""What the naive loop is trained with: the TensorFlow port's settings."""

_VALIDATION = 20_000  # words of a made-up text
_SHORTEST = 500  # words: some blocks and windows


def precisions() -> list[str]:
    """Those that this machine multiplies in hardware; others would measure a substitute."""
    return ["fp32", "bf16"] if multiplies_bfloat16(torch.device("cpu")) else ["fp32"]


@dataclass(frozen=True)
class Text:
    """Word ids, as the package's own reading gives them.

    Args:
        name: what figures call it.
        train: (words) ids.
        valid: (words) ids.
        vocabulary: number of words.
    """

    name: str
    train: Ids
    valid: Ids
    vocabulary: int

    @classmethod
    def read(cls, folder: Path) -> Text:
        """``ptb.train.txt`` and ``ptb.valid.txt`` of a folder; without the latter the end of the text validates.

        Raises:
            DataError: if a file cannot be read, or is too short to be measured.
        """
        train, valid, _ = split_files(folder, "ptb")
        corpus = read_corpus(train)
        vocabulary = build_vocabulary(corpus)
        ids = encode_corpus(corpus, vocabulary)
        if valid is None:
            at = len(ids) * 19 // 20
            ids, held_out = ids[:at], ids[at:]
        else:
            held_out = encode_corpus(read_corpus(valid), vocabulary)
        if min(len(ids), len(held_out)) < _SHORTEST:
            raise DataError(folder, None, f"a text to train on and one to validate on, of {_SHORTEST} words each at "
                            "least, are needed to measure")  # fmt: skip
        return cls(train.name, ids, held_out, len(vocabulary))

    @classmethod
    def made_up(cls, vocabulary: int, words: int) -> Text:
        """Words drawn by Zipf's law: the n-th most frequent one is n times rarer than the first."""
        law = np.cumsum(1 / np.arange(1, vocabulary + 1))
        drawn = np.random.default_rng(0).random(words + _VALIDATION) * law[-1]
        ids = np.searchsorted(law, drawn, side="right").astype(np.int32)
        return cls("made-up words", ids[:words], ids[words:], vocabulary)

    def shortened(self, words: int) -> Text:
        """The first words: permuting the blocks of a long text takes time at the beginning of each measured call."""
        return replace(self, train=self.train[:words])


class Naive:
    """Training and evaluation as implementations of the paper write them.

    Each word has a memory of its own, all logits of a batch are there at once, and gradients are dense.

    Args:
        config: the network's settings.
        text: what to train and evaluate on.
    """

    def __init__(self, config: LMConfig, text: Text) -> None:
        self.network = LMNetwork(config, text.vocabulary, torch.Generator().manual_seed(0), NAIVE.init_std)
        self._text = text
        self._optimizer = torch.optim.SGD(self.network.parameters(), lr=NAIVE.learning_rate)
        self._rng = np.random.default_rng(0)

    def step(self) -> None:
        """Train on a batch of random words."""
        x, target = self._windows(self._text.train)
        logits = self.network.windows(x)[:, 0] @ self.network.W.T  # (batch, vocabulary)
        loss = cross_entropy(logits, target, reduction="sum")
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for value in self.network.parameters():
            torch.nn.utils.clip_grad_norm_(value, NAIVE.clip_norm)
        self._optimizer.step()
        loss.item()

    @torch.no_grad()
    def evaluate(self) -> torch.Tensor:
        """(batch) log-probabilities of a batch of words."""
        x, target = self._windows(self._text.valid)
        logits = self.network.windows(x)[:, 0] @ self.network.W.T
        return logits.log_softmax(1).gather(1, target[:, None])[:, 0]

    def _windows(self, ids: Ids) -> tuple[torch.Tensor, torch.Tensor]:
        """(batch, N) words of the memory and (batch) the words that come."""
        N = self.network.config.memory_size
        at = self._rng.integers(N, len(ids), NAIVE.batch_size)
        words = torch.from_numpy(ids[at[:, None] + np.arange(-N, 1)].astype(np.int64))
        return words[:, :-1], words[:, -1]


def batch_words(recipe: LMTraining) -> int:
    """Words in a batch of whole blocks."""
    return max(1, recipe.batch_size // recipe.block) * recipe.block


class _EnoughError(Exception):
    pass


class Training:
    """The package's own training, some batches at a time.

    Args:
        config: the network's settings.
        text: what to train on.
        recipe: how.
        precision: of the products.
    """

    def __init__(self, config: LMConfig, text: Text, recipe: LMTraining, precision: str) -> None:
        self.network = LMNetwork(config, text.vocabulary, torch.Generator().manual_seed(0), recipe.init_std)
        endless = replace(recipe, epochs=1000, patience=1000)
        self.trainer = LMTrainer(self.network, text.train, None, endless, PRECISIONS[precision])

    def train(self, batches: int) -> None:
        """Go on for so many batches."""
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
        raise KeyboardInterrupt  # nothing else ends it, and it does not let Ctrl-C through


def evaluate(network: LMNetwork, ids: Ids, precision: str) -> float:
    """The sum of a text's log-probabilities, by the package."""
    return sum(part.sum().item() for part in log_probabilities_of(network, ids, PRECISIONS[precision]))
