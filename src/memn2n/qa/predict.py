"""What one network says to encoded questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch

from memn2n.qa import engine
from memn2n.qa.batch import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from memn2n.qa.batch import Longs
    from memn2n.qa.engine._native import Network
    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet

    Floats = npt.NDArray[np.float32]

_AT_A_TIME = 1024


class Prediction(NamedTuple):
    """Predictions for some examples of a StorySet."""

    examples: Longs  # (batch) positions
    probabilities: Floats  # (batch, word); column 0 is the word of id SPECIAL
    attention: Floats  # (hop, batch, slot), latest slot first, 0 beyond the story


def predict(network: QANetwork, stories: StorySet) -> Iterator[Prediction]:
    """Yield the predictions for all examples, in order and some at a time.

    The native engine computes them where it serves, else PyTorch; on the device that the network is on.
    """
    everything = np.arange(len(stories))
    native = _native_network(network)
    if native is None:
        for examples, batch in batches(stories, everything, network.config.memory_size):
            with torch.no_grad():  # which must not be left on where this is suspended
                logits, attention = network(batch.to(network.tables[0].device))
                probabilities = network.words(logits)
            yield Prediction(examples, probabilities.cpu().numpy(), attention.cpu().numpy())
        return
    arrays = engine.native_stories(stories)
    for start in range(0, len(everything), _AT_A_TIME):
        examples = everything[start : start + _AT_A_TIME]
        yield Prediction(examples, *native.predict(arrays, examples))


_natives: WeakKeyDictionary[QANetwork, tuple[list[int], Network]] = WeakKeyDictionary()


def _native_network(network: QANetwork) -> Network | None:
    """The engine's network on the same parameters; made once, and again where they have moved."""
    parameters = [*network.tables.parameters(recurse=False), *network.times.parameters(recurse=False)]
    parameters += [] if network.H is None else [network.H]
    served = all(parameter.device.type == "cpu" and parameter.dtype == torch.float32 for parameter in parameters)
    if not served or engine.unavailable(network.config):
        return None
    addresses = [parameter.data_ptr() for parameter in parameters]
    known = _natives.get(network)
    if known is not None and known[0] == addresses:
        return known[1]
    native = engine.native_network(network)
    _natives[network] = addresses, native
    return native
