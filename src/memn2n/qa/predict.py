"""Predictions of trained networks for encoded questions.

Three executors compute them from the same parameters: the C++ engine if it can run the network, otherwise NumPy if the
family has a forward pass in it, otherwise PyTorch.
"""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from memn2n.machine import own_torch_state
from memn2n.qa import engine
from memn2n.qa.batch import batches
from memn2n.qa.networks import check_reads, numpy_forward, torch_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from memn2n.qa.batch import Batch, Longs
    from memn2n.qa.config import DataShape
    from memn2n.qa.engine._native import Network as NativeNetwork
    from memn2n.qa.networks import Forward
    from memn2n.qa.parameters import Parameters
    from memn2n.qa.stories import StorySet

    Floats = npt.NDArray[np.float32]

_AT_A_TIME = 1024  # questions of the engine's batch
_SORTED = 1024  # rows of at most this many columns are sorted whole, which is faster
_PADDED_AT_A_TIME = 256  # questions of a NumPy or PyTorch batch, whose sentences are padded
_PROBABILITIES = 2**22  # limit on the probabilities of a batch: 16 MiB


class Prediction(NamedTuple):
    """Predictions for some examples of a StorySet."""

    examples: Longs  # (batch) positions in the StorySet
    probabilities: Floats  # (batch, answer); column 0 is the answer of id ``StorySet.first_answer``
    attention: Floats  # (hop, batch, slot), latest sentence first, 0 beyond the story


def predict(parameters: Parameters, stories: StorySet) -> Iterator[Prediction]:
    """Yield the predictions for all examples in order, a batch at a time.

    Raises:
        ConfigError: if the network does not read values that the stories have, or if only PyTorch can compute it and
            is not installed.
    """
    check_reads(parameters.config, stories)
    if not engine.unavailable(parameters.config, parameters.shape):
        return _by_engine(parameters, stories)
    forward = numpy_forward(parameters.config)
    if forward is not None:
        return _by_numpy(parameters, stories, forward)
    return _by_torch(parameters, stories)


def predict_mean(networks: Sequence[Parameters], stories: StorySet) -> Iterator[Prediction]:
    """Yield the predictions of an ensemble: the means of its networks' probabilities and attention."""
    for parts in zip(*(predict(network, stories) for network in networks), strict=True):
        if len(parts) == 1:
            yield parts[0]
        else:
            probabilities = np.mean([part.probabilities for part in parts], axis=0)
            attention = np.mean([part.attention for part in parts], axis=0)
            yield Prediction(parts[0].examples, probabilities, attention)


def batch_size(shape: DataShape) -> int:
    """Largest number of questions to answer at once: 1,024, or fewer if there are very many answers."""
    return max(1, min(_AT_A_TIME, _PROBABILITIES // max(shape.vocabulary, shape.candidates)))


def most_probable(probabilities: Floats, top: int) -> Longs:
    """The columns of the ``top`` largest probabilities of each row, largest first; the lower column first if equal.

    The result is that of a stable sort. Rows of many columns take the time of a partition.

    Args:
        probabilities: (row, column).
        top: 1 or more; all columns are returned if there are fewer.

    Returns:
        (row, top) int64.
    """
    width = probabilities.shape[1]
    top = min(top, width)
    if width <= _SORTED:
        return np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    least = np.partition(probabilities, width - top, axis=1)[:, width - top, None]
    chosen = ~(probabilities < least)  # NaN is chosen too, as np.partition puts it last
    tied = np.flatnonzero(np.count_nonzero(chosen, 1) > top)
    if len(tied):
        above = probabilities[tied] > least[tied]
        equal = chosen[tied] & ~above
        places = top - np.count_nonzero(above, 1)[:, None]
        chosen[tied] = above | (equal & (equal.cumsum(1, dtype=np.int32) <= places))
    columns = np.nonzero(chosen)[1].reshape(-1, top)
    order = np.argsort(-np.take_along_axis(probabilities, columns, 1), axis=1, kind="stable")
    return np.take_along_axis(columns, order, 1)


def _by_engine(parameters: Parameters, stories: StorySet) -> Iterator[Prediction]:
    own = tuple(parameters.arrays.values())
    native, used = _natives.get(parameters, (None, ()))
    if native is None or not all(map(is_, own, used)):
        native = engine.native_network(parameters)
        _natives[parameters] = native, own
    arrays = engine.native_stories(stories)
    everything = np.arange(len(stories))
    size = batch_size(parameters.shape)
    for start in range(0, len(everything), size):
        examples = everything[start : start + size]
        yield Prediction(examples, *native.predict(arrays, examples))


def _by_numpy(parameters: Parameters, stories: StorySet, forward: Forward) -> Iterator[Prediction]:
    for examples, batch in _padded_batches(parameters, stories):
        yield Prediction(examples, *forward(parameters, batch))


def _by_torch(parameters: Parameters, stories: StorySet) -> Iterator[Prediction]:
    with own_torch_state(grad=False):
        network = torch_network(parameters)[0].train(False)
    for examples, batch in _padded_batches(parameters, stories):
        with own_torch_state(grad=False):  # only here: the caller's code runs between two batches
            logits, attention = network(batch.tensors())
            probabilities = logits.softmax(1)[:, parameters.shape.answers]
        yield Prediction(examples, probabilities.numpy(), attention.numpy())


def _padded_batches(parameters: Parameters, stories: StorySet) -> Iterator[tuple[Longs, Batch[Any]]]:
    size = min(_PADDED_AT_A_TIME, batch_size(parameters.shape))
    return batches(stories, np.arange(len(stories)), parameters.config.memory_size, size)


_natives: WeakKeyDictionary[Parameters, tuple[NativeNetwork, tuple[Floats, ...]]] = WeakKeyDictionary()
"""The engine's networks on parameters that were used before, and the arrays that they use."""
