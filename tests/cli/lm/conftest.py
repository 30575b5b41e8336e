"""Data, a model and options for the tests of memn2n lm."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from memn2n import LMConfig, LMTraining, MemoryLM, read_corpus

TINY = ["--dim", 6, "--hops", 2, "--memory-size", 5, "--batch-size", 32, "--block", 8, "--threads", 1]
FAST = [*TINY, "--epochs", 1]


def sentences(number: int, seed: int) -> str:
    """Sentences whose end follows from their beginning."""
    rng = random.Random(seed)
    ends = {"cat": "sat on the mat", "dog": "ran in the park", "bird": "sang"}
    return "".join(f"the {who} {ends[who]}\n" for who in rng.choices(list(ends), k=number))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the three files; tests must not write there."""
    folder = tmp_path_factory.mktemp("data")
    for seed, (part, number) in enumerate((("train", 150), ("valid", 30), ("test", 20))):
        (folder / f"toy.{part}.txt").write_text(sentences(number, seed))
    return folder


@pytest.fixture(scope="module")
def saved(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's directory; tests must not write there."""
    folder = tmp_path_factory.mktemp("model") / "toy"
    model = MemoryLM.fit(
        read_corpus(data / "toy.train.txt"), network=LMConfig(dim=16, linear=8, hops=2, memory_size=5),
        threads=1,
        training=LMTraining(epochs=8, learning_rate=0.03, batch_size=32, block=8, embedding_dropout=0.0,
                            state_dropout=0.0, precision="fp32"),
    )  # fmt: skip
    model.save(folder)
    return folder


def epochs_in_metrics(run: Path) -> list[int]:
    return [json.loads(line)["epoch"] for line in (run / "metrics.jsonl").read_text().splitlines()]
