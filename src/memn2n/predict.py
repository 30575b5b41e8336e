"""What one network says to encoded questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from memn2n.nn.batch import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from memn2n.nn.batch import Longs
    from memn2n.nn.qa import QANetwork
    from memn2n.stories import StorySet

    Floats = npt.NDArray[np.float32]


class Prediction(NamedTuple):
    """Predictions for some examples of a StorySet."""

    examples: Longs  # (batch) positions
    probabilities: Floats  # (batch, word); column 0 is the word of id SPECIAL
    attention: Floats  # (hop, batch, slot), latest slot first, 0 beyond the story


@torch.no_grad()
def predict(network: QANetwork, stories: StorySet) -> Iterator[Prediction]:
    """Yield the predictions for all examples, in order and some at a time."""
    for examples, batch in batches(stories, np.arange(len(stories)), network.config.memory_size):
        logits, attention = network(batch)
        yield Prediction(examples, network.words(logits).numpy(), attention.numpy())
