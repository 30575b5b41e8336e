"""How much memory a training needs is told before it is allocated."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest

from memn2n import Corpus, LMConfig, LMTraining, MemoryLM
from memn2n.errors import ConfigError
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.training import memory_needed as memory
from memn2n.lm.training.memory_needed import check_memory, parameters, total_memory, training_memory

NETWORK, TRAINING = LMConfig(), LMTraining()
GIB = 2**30


@pytest.mark.parametrize("tied", [False, True])
def test_parameters_are_the_networks(tied: bool) -> None:
    config = LMConfig(dim=6, linear=2, memory_size=7, tied=tied)
    assert parameters(config, 11) == sum(value.numel() for value in LMNetwork(config, 11).parameters())


def test_the_papers_model_has_its_number_of_parameters() -> None:
    assert parameters(NETWORK, 10_000) == pytest.approx(4.55e6, rel=0.001)


@pytest.mark.parametrize(
    ("network", "training", "vocabulary"),
    [
        ({"dim": 300}, {}, 10_000),
        ({"hops": 60}, {}, 10_000),
        ({"memory_size": 5000}, {}, 10_000),
        ({}, {"batch_size": 10_000}, 10_000),
        ({}, {}, 20_000),
    ],
)
def test_more_of_anything_needs_more(network: dict[str, Any], training: dict[str, Any], vocabulary: int) -> None:
    larger = dataclasses.replace(NETWORK, **network), dataclasses.replace(TRAINING, **training)
    assert training_memory(*larger, vocabulary) > training_memory(NETWORK, TRAINING, 10_000)


def test_a_model_of_the_papers_size_needs_less_than_a_gigabyte() -> None:
    assert GIB / 4 < training_memory(NETWORK, TRAINING, 10_000) < GIB
    large = dataclasses.replace(NETWORK, dim=1000)
    adamw = training_memory(large, TRAINING, 10**6)
    assert adamw > 9 * 4 * parameters(large, 10**6), "with two moments, and twice more in a checkpoint that is written"
    assert training_memory(large, dataclasses.replace(TRAINING, optimizer="sgd"), 10**6) < adamw / 2


def test_logits_of_a_large_vocabulary_count() -> None:
    tiny = LMConfig(dim=1, linear=0)
    assert training_memory(tiny, TRAINING, 10**7) > 256 * 10**7 * 4


def test_measuring_a_text_counts_too() -> None:
    """It takes a thousand words at a time, whatever the batch is: with a large memory that is the most."""
    small = dataclasses.replace(TRAINING, batch_size=1)
    network = LMConfig(dim=10, linear=5, memory_size=100_000)
    attention = network.hops * 1024 * network.memory_size * 4
    assert training_memory(network, small, 10) > attention


def test_what_cannot_fit_is_refused_in_gib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "total_memory", lambda: 2 * GIB)
    check_memory(NETWORK, TRAINING, 10_000)
    with pytest.raises(ConfigError) as error:
        check_memory(NETWORK, TRAINING, 3_000_000)
    message = str(error.value)
    assert "GiB of memory, of which there are 2.0: 3,000,000 words x dim 150, memory_size 100, batch_size" in message
    assert "\n" not in message
    monkeypatch.setattr(memory, "total_memory", lambda: None)
    check_memory(NETWORK, TRAINING, 3_000_000)  # a system that does not say


@pytest.mark.parametrize("network", [LMConfig(dim=65536), LMConfig(memory_size=1_000_000, dim=4096)])
def test_it_is_refused_before_anything_is_allocated(
    network: LMConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(memory, "total_memory", lambda: GIB)
    monkeypatch.setattr(LMNetwork, "__init__", lambda *_: pytest.fail("it was allocated"))
    with pytest.raises(ConfigError, match=r"this would need about [\d,]+\.\d GiB"):
        MemoryLM.fit(Corpus.from_text("a b c d e f g " * 99), network=network, folder=tmp_path / "run", threads=1)
    assert not (tmp_path / "run").exists()


def test_a_limit_of_the_container_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CGROUP", limit)
    whole = total_memory()
    assert whole is not None
    limit.write_text("max\n")
    assert total_memory() == whole
    limit.write_text("1048576\n")
    assert total_memory() == 2**20
    monkeypatch.delattr(os, "sysconf")
    assert total_memory() is None
