"""Stories with unusual lengths and words, networks for them, and the reference for loss and gradients."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memn2n import Example, NetworkConfig
from memn2n.qa.batch import Batch, make_batch
from memn2n.qa.networks.memn2n import DataShape, QANetwork
from memn2n.qa.stories import StorySet
from memn2n.qa.vocabulary import UNKNOWN, Vocabulary

Floats = npt.NDArray[np.float32]

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


def network(std: float = 0.4, **settings: Any) -> QANetwork:
    """A network whose unknown word is not zero, as after training."""
    config = NetworkConfig(**{"memory_size": MEMORY, **settings})
    made = QANetwork(config, SHAPE, torch.Generator().manual_seed(1), std)
    with torch.no_grad():
        for table in made.tables:
            table[UNKNOWN] = std * torch.randn(config.dim, generator=torch.Generator().manual_seed(2))
    return made


def batch_of(examples: npt.NDArray[np.int64]) -> Batch:
    return make_batch(STORIES, examples, MEMORY)


def names(net: QANetwork) -> list[str]:
    """The names of the parameters in the order of the engine's gradients."""
    given = [name for name, _ in net.named_parameters()]
    return sorted(given, key=lambda name: (["tables", "times", "H"].index(name.split(".")[0]), given.index(name)))


def reference(net: QANetwork, batch: Batch, linear: bool) -> tuple[float, dict[str, npt.NDArray[np.float64]]]:
    """Loss and gradients by PyTorch's autograd in float64."""
    double = QANetwork(net.config, net.shape).double()
    double.load_state_dict(net.state_dict())
    logits, _ = double(batch, linear)
    cost = torch.nn.functional.cross_entropy(logits, batch.answer, reduction="sum")
    torch.autograd.backward(cost)
    gradients = {}
    for name, parameter in double.named_parameters():
        gradients[name] = np.zeros(parameter.shape) if parameter.grad is None else parameter.grad.numpy()
    return cost.item(), gradients
