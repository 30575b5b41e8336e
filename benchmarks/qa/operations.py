"""Floating-point operations of one training step, counted from the shapes.

A multiply-add is two operations, and exp is one. What is counted is what the equations ask for, with every distinct
sentence of a batch embedded once. Left out are position weights and random noise, which do not depend on parameters,
what happens once for a question and hop (such as the empty slots' share of the attention), and the largest singular
value of a gradient, which is needed only where it may have to be clipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memn2n.qa.batch import lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import NetworkConfig, TrainingConfig
    from memn2n.qa.networks.memn2n import DataShape
    from memn2n.qa.stories import StorySet


@dataclass(frozen=True)
class Sizes:
    """What one batch holds; of several batches, the means.

    Args:
        examples: questions.
        pairs: a question with a sentence of its memory each.
        words: of the batch's distinct sentences.
        question_words: of its questions.
        times: distinct time indices in use.
    """

    examples: float
    pairs: float
    words: float
    question_words: float
    times: float

    @classmethod
    def of(cls, stories: StorySet, batches: Sequence[Longs], memory_size: int) -> Sizes:
        """The sizes of some batches (positions in ``stories``), without noise."""
        length = np.diff(stories.sentence_start)
        found = []
        for batch in batches:
            layout = lay_out(stories, batch, memory_size)
            used = np.arange(layout.sentence.shape[1]) < layout.filled[:, None]
            distinct = np.unique(layout.sentence[used])
            found.append([len(batch), used.sum(), length[distinct].sum(), length[stories.question[batch]].sum(),
                          layout.filled.max()])  # fmt: skip
        return cls(*np.mean(found, 0).tolist())


class Part(NamedTuple):
    """Operations of a part of the network in one step."""

    forward: float
    backward: float

    @property
    def total(self) -> float:
        """Both."""
        return self.forward + self.backward


def operations(network: NetworkConfig, training: TrainingConfig, shape: DataShape, sizes: Sizes) -> dict[str, Part]:
    """Operations of one step by part.

    With d components, K hops, M tables that encode memories, R rows a table, B questions, P pairs, N words of distinct
    sentences, Q words of questions and S times::

        encoding    w d (M N + Q)  and as many back; w is 2, or 1 for a bag of words, which only adds.
                    A weighted time word: 1 for each of M S d components, and 2 back.
        attention   K P (2 d score + 4 softmax + 2 d read)  and  K P (8 d + 4) back, since both products have two
                    gradients. With time, M P d to add it, and M P 2 d back, into the sentence and into the time.
        state       K B d  and as many back; with layer-wise tying 2 d^2 K B more, and twice that back.
        answer      B R (2 d + 4 softmax)  and  B R 4 d  back.
        update      4 for each parameter (its share of the norm, its step); 14 with Adam.

    Args:
        network: the network's settings.
        training: the optimizer.
        shape: gives the number of parameters.
        sizes: of the batch.
    """
    d, K, B, P = network.dim, network.hops, sizes.examples, sizes.pairs
    adjacent = network.tying == "adjacent"
    M, n_tables = (K + 1, K + 1) if adjacent else (2, 4)
    R = shape.vocabulary + (shape.slots if network.temporal == "word" else 0)
    w = 1 if network.encoding == "bow" else 2
    encoding = w * d * (M * sizes.words + sizes.question_words)
    weighted = M * sizes.times * d if network.temporal == "word" and network.encoding != "bow" else 0
    timed = network.temporal != "none"
    H = 0 if adjacent else 2 * d * d
    parameters = n_tables * R * d + (M * shape.slots * d if network.temporal == "add" else 0) + H / 2
    return {
        "encoding": Part(encoding + weighted, encoding + 2 * weighted),
        "attention": Part(
            K * P * (4 * d + 4) + (M * P * d if timed else 0), K * P * (8 * d + 4) + (2 if timed else 1) * M * P * d
        ),
        "state": Part(K * B * (d + H), K * B * (d + 2 * H)),
        "answer": Part(B * R * (2 * d + 4), B * R * 4 * d),
        "update": Part(0, (14 if training.optimizer == "adam" else 4) * parameters),
    }
