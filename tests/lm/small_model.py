"""Small texts and settings that the tests of the language model share."""

import dataclasses
import random
from typing import Any

import torch

from memn2n import Corpus, LMConfig, LMTraining, MemoryLM
from memn2n.lm.training.progress import LMEpoch

NETWORK = LMConfig(dim=12, linear=6, hops=2, memory_size=9)
MODERN = LMTraining(learning_rate=0.02, epochs=3, batch_size=64, block=16, hop_dropout=0.05, precision="fp32")
PLAIN = LMTraining(
    optimizer="sgd", learning_rate=0.05, anneal="validation", epochs=3, batch_size=64, block=8, embedding_dropout=0.0,
    state_dropout=0.0, clip_norm=50.0, precision="fp32",
)  # fmt: skip


def sentences(number: int, seed: int) -> str:
    """Make sentences whose last word depends on the second: each animal has its own place."""
    draw = random.Random(seed)
    places = {"cat": "roof", "dog": "yard", "hen": "barn", "fox": "wood"}
    lines = []
    for _ in range(number):
        one, two = draw.sample(sorted(places), 2)
        lines.append(f"the {one} {draw.choice(['sees', 'hears', 'likes'])} the {two} in the {places[one]}")
    return "\n".join(lines)


TRAIN, VALID, TEST = (Corpus.from_text(sentences(n, seed), name=f"<{n}>") for n, seed in ((150, 1), (30, 2), (40, 3)))


def fit(training: LMTraining = MODERN, **arguments: Any) -> MemoryLM:
    given: dict[str, Any] = {"train": TRAIN, "valid": VALID, "network": NETWORK, "threads": 1} | arguments
    return MemoryLM.fit(training=training, **given)


def assert_same(one: MemoryLM, two: MemoryLM) -> None:
    """Bit-equal weights, the same words, the same history but for the time it took."""
    found, wanted = one.network.state_dict(), two.network.state_dict()
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name
    assert one.vocabulary == two.vocabulary
    assert timeless(one) == timeless(two)


def timeless(lm: MemoryLM) -> list[LMEpoch]:
    return [dataclasses.replace(epoch, words_per_second=0, seconds=0) for epoch in lm.history]
