"""Stories with unusual lengths and words, networks for them, and the reference for loss and gradients."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memn2n import Example, NetworkConfig
from memn2n.qa.batch import Batch, make_batch
from memn2n.qa.config import DataShape
from memn2n.qa.networks import Stage
from memn2n.qa.networks.memn2n import QANetwork
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet
from memn2n.qa.vocabulary import UNKNOWN, Vocabulary

EXAMPLES = [
    Example(("a b c.", "d e.", "b.", "c a d e."), "a e?", "b"),
    Example((), "a b?", "c"),  # an empty story
    Example(("e d c b a.",), "b d c?", "e"),  # one sentence
    Example(("a b.", "a b.", "c q."), "d?", "a"),  # q is unknown
    Example(("...", "a.", "!"), "e?", "a"),  # sentences without words
    Example(("a b c d e a b c d.",), "e a e a e a e?", "c"),  # sentences longer than SHAPE.longest_sentence
    # some longer than the memory, some with repeated facts; enough to fill vectors and the columns of a product
    *(
        Example(
            tuple(f"{'abcde'[(i * j) % 5]} {'edb'[j % 3]}." for j in range(i % 11)),
            f"{'abc'[i % 3]} d?",
            "abcde"[i % 5],
            tuple(j for j in range(i % 11) if (i + j) % 4 == 0),
        )
        for i in range(40)
    ),
]
VOCABULARY = Vocabulary.build(["a b c d e"], [])
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)
EVERYTHING = np.arange(len(EXAMPLES))
SHAPE = DataShape(len(VOCABULARY), longest_sentence=5, slots=6)
MEMORY = 7  # more than slots: the oldest sentence shares the last time

SENTENCES = [("bow", "none"), ("bow", "add"), ("bow", "word"), ("pe", "none"), ("pe", "add"), ("pe-official", "none"),
             ("pe-official", "add"), ("pe-official", "word")]  # fmt: skip


def network(std: float = 0.4, **settings: Any) -> Parameters:
    """A network whose unknown word is not zero, as after training."""
    config = NetworkConfig(**{"memory_size": MEMORY, **settings})
    made = Parameters.draw(config, SHAPE, np.random.default_rng(1), std)
    for name in made.words():
        made.arrays[name][UNKNOWN] = std * np.random.default_rng(2).standard_normal(config.dim)
    return made


def batch_of(examples: npt.NDArray[np.int64]) -> Batch[Any]:
    return make_batch(STORIES, examples, MEMORY)


def in_double(net: Parameters) -> QANetwork:
    """The PyTorch network in float64, on a copy of the parameters."""
    assert isinstance(net.config, NetworkConfig)
    tensors = {name: torch.from_numpy(array.astype(np.float64)) for name, array in net.arrays.items()}
    return QANetwork(net.config, net.shape, tensors)


def reference(net: Parameters, batch: Batch[Any], linear: bool) -> tuple[float, dict[str, npt.NDArray[np.float64]]]:
    """Loss and gradients by PyTorch's autograd in float64; the names and order are those of the arrays."""
    double = in_double(net)
    cost = double.loss(batch.tensors(), Stage(linear)).total
    torch.autograd.backward(cost)
    found = dict(double.named_parameters())
    gradients = {}
    for name in net.arrays:
        gradient = found[name].grad
        gradients[name] = np.zeros(found[name].shape) if gradient is None else gradient.numpy()
    return cost.item(), gradients
