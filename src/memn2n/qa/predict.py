"""Predictions of trained networks for encoded questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch

from memn2n.qa import engine
from memn2n.qa.batch import batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from memn2n.qa.batch import Longs
    from memn2n.qa.engine._native import Network
    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet

    Floats = npt.NDArray[np.float32]

_AT_A_TIME = 1024


class Prediction(NamedTuple):
    """Predictions for some examples of a StorySet."""

    examples: Longs  # (batch) positions in the StorySet
    probabilities: Floats  # (batch, word); column 0 is the word of id SPECIAL
    attention: Floats  # (hop, batch, slot), latest sentence first, 0 beyond the story


def predict(network: QANetwork, stories: StorySet) -> Iterator[Prediction]:
    """Yield the predictions for all examples in order, a batch at a time.

    The native engine computes them if it can run this network, otherwise PyTorch on the network's device.
    """
    everything = np.arange(len(stories))
    native = _native_network(network)
    if native is None:
        for examples, batch in batches(stories, everything, network.config.memory_size):
            with torch.no_grad():  # only here: the caller's code runs between two batches
                logits, attention = network(batch.to(network.tables[0].device))
                probabilities = network.words(logits)
            yield Prediction(examples, probabilities.cpu().numpy(), attention.cpu().numpy())
        return
    arrays = engine.native_stories(stories)
    for start in range(0, len(everything), _AT_A_TIME):
        examples = everything[start : start + _AT_A_TIME]
        yield Prediction(examples, *native.predict(arrays, examples))


def predict_mean(networks: Sequence[QANetwork], stories: StorySet) -> Iterator[Prediction]:
    """Yield the predictions of an ensemble: the means of its networks' probabilities and attention."""
    for parts in zip(*(predict(network, stories) for network in networks), strict=True):
        if len(parts) == 1:
            yield parts[0]
        else:
            probabilities = np.mean([part.probabilities for part in parts], axis=0)
            attention = np.mean([part.attention for part in parts], axis=0)
            yield Prediction(parts[0].examples, probabilities, attention)


_natives: WeakKeyDictionary[QANetwork, tuple[list[int], Network]] = WeakKeyDictionary()


def _native_network(network: QANetwork) -> Network | None:
    """The engine's network on the same parameters, or None if the engine cannot run it.

    It is created once, and again when the parameters have moved in memory.
    """
    parameters = [*network.tables.parameters(recurse=False), *network.times.parameters(recurse=False)]
    parameters += [] if network.H is None else [network.H]
    usable = all(parameter.device.type == "cpu" and parameter.dtype == torch.float32 for parameter in parameters)
    if not usable or engine.unavailable(network.config):
        return None
    addresses = [parameter.data_ptr() for parameter in parameters]
    known = _natives.get(network)
    if known is not None and known[0] == addresses:
        return known[1]
    native = engine.native_network(network)
    _natives[network] = addresses, native
    return native
