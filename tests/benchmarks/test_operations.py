"""The count of floating-point operations, against counts made in other ways."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from benchmarks.qa.operations import Sizes, operations
from torch.utils.flop_counter import FlopCounterMode

from memn2n import Example, NetworkConfig, TrainingConfig
from memn2n.qa.batch import make_batch
from memn2n.qa.config import DataShape, Encoding, Temporal, Tying
from memn2n.qa.networks import torch_network
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet, vocabulary_of

EXAMPLES = [
    Example(("Mary went home.", "John slept."), "Where is Mary?", "home"),
    Example(("John slept.", "Mary went to the garden."), "Where is John?", "home"),
    Example(("Mary slept.", "John slept."), "Where is Mary?", "garden"),
]
EVERYTHING = np.arange(len(EXAMPLES))


def encoded() -> tuple[StorySet, DataShape]:
    vocabulary = vocabulary_of(EXAMPLES)
    stories = StorySet.encode(EXAMPLES, vocabulary)
    return stories, DataShape(len(vocabulary), stories.longest_sentence, stories.longest_story)


def parts(config: NetworkConfig, training: TrainingConfig | None = None) -> dict[str, Any]:
    stories, shape = encoded()
    sizes = Sizes.of(stories, [EVERYTHING], config.memory_size)
    found: dict[str, Any] = operations(config, training or TrainingConfig(), shape, sizes)
    return found


def test_sizes_of_a_batch() -> None:
    stories, _ = encoded()
    sizes = Sizes.of(stories, [EVERYTHING], 50)
    # "Mary went home", "John slept", "Mary went to the garden" and "Mary slept", each once
    assert sizes == Sizes(3, 6, 3 + 2 + 5 + 2, 9, 2)
    assert Sizes.of(stories, [EVERYTHING], 1).words == 2 + 5, "the latest sentence of each"


class Counted:
    """A number that counts its arithmetic operations."""

    done = 0

    def __init__(self, value: float) -> None:
        self.value = value

    def _count(self, value: float) -> Counted:
        Counted.done += 1
        return Counted(value)

    def __add__(self, other: Counted) -> Counted:
        return self._count(self.value + other.value)

    def __sub__(self, other: Counted) -> Counted:
        return self._count(self.value - other.value)

    def __mul__(self, other: Counted) -> Counted:
        return self._count(self.value * other.value)

    def exp(self) -> Counted:
        return self._count(math.exp(self.value))


def total(values: list[Counted]) -> Counted:
    found = Counted(0)
    for value in values:
        found = found + value
    return found


def softmax(scores: list[Counted]) -> list[Counted]:
    most = Counted(max(score.value for score in scores))
    powers = [(score - most).exp() for score in scores]
    share = Counted(1 / total(powers).value)
    return [power * share for power in powers]


def forward(config: NetworkConfig) -> dict[str, int]:
    """Compute the network's equations number by number and count the operations of each part."""
    stories, shape = encoded()
    d, K, some = config.dim, config.hops, Counted(0.5)
    rows = shape.vocabulary + (shape.slots if config.temporal == "word" else 0)
    table, weighted = [[some] * d for _ in range(rows)], config.encoding != "bow"
    done: dict[str, int] = {}

    def sentence(number: int) -> list[Counted]:
        words = stories.words[stories.sentence_start[number] : stories.sentence_start[number + 1]]
        return [total([table[w][k] * some if weighted else table[w][k] for w in words]) for k in range(d)]

    def count_for(part: str) -> None:
        done[part] = done.get(part, 0) + Counted.done
        Counted.done = 0

    Counted.done = 0
    memories = K + 1 if config.tying == "adjacent" else 2
    vectors = [{int(s): sentence(s) for s in np.unique(stories.story)} for _ in range(memories)]
    times = [
        [
            [some * some if weighted and config.temporal == "word" else some for _ in range(d)]
            for _ in range(shape.slots)
        ]
        for _ in range(memories)
    ]
    states = [sentence(question) for question in stories.question]
    count_for("encoding")
    for e, u in enumerate(states):
        story = stories.story[stories.story_start[e] : stories.story_start[e + 1]]
        filled = [
            [[x + y for x, y in zip(m[int(s)], T[i], strict=True)] if config.temporal != "none" else m[int(s)]
             for i, s in enumerate(story)]
            for m, T in zip(vectors, times, strict=True)
        ]  # fmt: skip
        count_for("attention")
        for k in range(K):
            a, c = (k, k + 1) if config.tying == "adjacent" else (0, 1)
            p = softmax([total([x * y for x, y in zip(u, m, strict=True)]) for m in filled[a]])
            read = [total([weight * m[i] for weight, m in zip(p, filled[c], strict=True)]) for i in range(d)]
            count_for("attention")
            if config.tying == "layerwise":
                u = [total([some * x for x in u]) for _ in range(d)]
            u = [x + y for x, y in zip(u, read, strict=True)]
            count_for("state")
        softmax([total([x * y for x, y in zip(u, row, strict=True)]) for row in table])
        count_for("answer")
    return done


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
@pytest.mark.parametrize(
    ("encoding", "temporal"),
    [("bow", "none"), ("bow", "word"), ("pe", "add"), ("pe-official", "word"), ("pe-official", "add")],
)
def test_forward_operations_equal_a_count_number_by_number(
    encoding: Encoding, temporal: Temporal, tying: Tying
) -> None:
    config = NetworkConfig(dim=3, hops=2, encoding=encoding, temporal=temporal, tying=tying)
    assert {name: part.forward for name, part in parts(config).items() if part.forward} == forward(config)


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
def test_products_equal_the_count_of_pytorch(tying: Tying) -> None:
    config = NetworkConfig(dim=7, hops=3, tying=tying)
    stories, shape = encoded()
    network, _ = torch_network(Parameters.draw(config, shape, np.random.default_rng(0)))
    with FlopCounterMode(display=False) as counter:
        logits, _ = network(make_batch(stories, EVERYTHING, config.memory_size).tensors())
        torch.autograd.backward(torch.nn.functional.cross_entropy(logits, torch.tensor([2, 3, 4])))
    pairs, questions, rows, tables = 6, 3, shape.vocabulary + shape.slots, 4 if tying == "adjacent" else 2
    found = parts(config)
    products = (
        found["attention"].total - 3 * tables * pairs * 7 - 3 * pairs * 8  # time, and its gradients; the softmax
        + found["state"].total - 3 * questions * 7 * 2
        + found["answer"].total - questions * rows * 4
    )  # fmt: skip
    assert products == counter.get_total_flops()


def test_encoding_and_update_operations_by_hand() -> None:
    config = NetworkConfig(dim=5, hops=1, encoding="pe", temporal="none")
    _, shape = encoded()
    found = parts(config)
    # two tables encode the 12 words of the distinct sentences, one of them the questions' 9; a multiply-add each
    assert found["encoding"].forward == found["encoding"].backward == 2 * 5 * (2 * 12 + 9)
    assert found["update"].total == 4 * 2 * shape.vocabulary * 5
    assert parts(config, TrainingConfig(optimizer="adam"))["update"].total > found["update"].total
