"""The number of floating-point operations of one training step, from the shapes.

A multiply-add counts as two operations, exp as one. The count covers the equations, with each distinct sentence of a
batch embedded once. It leaves out position weights and random noise, which do not depend on parameters; single
operations for each question and hop, such as the attention on empty slots; and a gradient's largest singular value,
which is needed only if the gradient may have to be clipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from memn2n.qa.batch import lay_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import DataShape, NetworkConfig, TrainingConfig
    from memn2n.qa.stories import StorySet


@dataclass(frozen=True)
class Sizes:
    """The sizes of one batch, or the means over several batches.

    Args:
        examples: number of questions.
        pairs: number of pairs of a question and a sentence in its memory.
        words: number of words of the batch's distinct sentences.
        question_words: number of words of its questions.
        times: number of distinct time indices.
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
            found.append({
                "examples": len(batch),
                "pairs": used.sum(),
                "words": length[distinct].sum(),
                "question_words": length[stories.question[batch]].sum(),
                "times": layout.filled.max(),
            })  # fmt: skip
        return cls(**{name: float(np.mean([sizes[name] for sizes in found])) for name in found[0]})


class Part(NamedTuple):
    """Operations of a part of the network in one step."""

    forward: float
    backward: float

    @property
    def total(self) -> float:
        """Forward and backward together."""
        return self.forward + self.backward


def operations(network: NetworkConfig, training: TrainingConfig, shape: DataShape, sizes: Sizes) -> dict[str, Part]:
    """Operations of one step by part.

    With d components, K hops, M tables that encode memories, R rows in each table, B questions, P pairs, N words of
    distinct sentences, Q words of questions and S times::

        encoding    w d (M N + Q)  forward and backward; w is 2, or 1 for a bag of words, which only adds.
                    For weighted time words, M S d more forward and 2 M S d backward.
        attention   K P (2 d score + 4 softmax + 2 d read)  forward,  K P (8 d + 4)  backward, because both products
                    have two gradients. To add times, M P d forward; backward 2 M P d, into sentences and times.
        state       K B d  forward and backward; with layer-wise tying 2 d^2 K B more forward, twice that backward.
        answer      B R (2 d + 4 softmax)  forward,  B R 4 d  backward.
        update      4 for each parameter (norm and step); 14 with Adam.

    Args:
        network: the network's settings.
        training: has the optimizer.
        shape: determines the number of parameters.
        sizes: the sizes of the batch.
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
