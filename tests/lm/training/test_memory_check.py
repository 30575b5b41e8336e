"""A training that cannot fit into memory is refused before its network is allocated."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pytest
import torch

from memn2n import Corpus, LMConfig, LMTraining, MemoryLM, machine
from memn2n.errors import ConfigError
from memn2n.lm.networks import NETWORKS
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.training import run
from memn2n.lm.training.run import check_memory, least_memory
from memn2n.lm.training.trainer import LMTrainer
from memn2n.lm.windows import epoch_batches, window_batch
from memn2n.machine import total_memory
from tests.lm.largest_tensor import LargestTensor

NETWORK, TRAINING = LMConfig(), LMTraining()
SGD = dataclasses.replace(TRAINING, optimizer="sgd")
GIB = 2**30


@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize("tied", [False, True])
def test_it_is_what_the_tensors_of_a_training_take(model: str, tied: bool) -> None:
    config = LMConfig(dim=6, linear=2, memory_size=7, tied=tied)
    ids = torch.arange(40).numpy().astype("int32") % 11
    for training in (SGD, TRAINING):
        network = NETWORKS[model](config, 11)
        trainer = LMTrainer(network, ids, None, dataclasses.replace(training, epochs=1), torch.float32)
        trainer.run(lambda _event: None, lambda _best: None)
        best = [value.detach().clone() for value in network.parameters()]
        tensors = [*best, *(value for name, value in trainer.state().items() if name.startswith(("parameter", "exp")))]
        if training is TRAINING:
            batch = window_batch(ids, epoch_batches(40, training, 1).starts(0), 1, 7, torch.device("cpu"))
            state = network(batch.words, batch.missing).state
            (state.flatten(0, 1) @ network.output_matrix.T).sum().backward()
            tensors += [value.grad for value in network.parameters() if value.grad is not None]
            assert not any(value.is_sparse for value in tensors)
        assert sum(value.nbytes for value in tensors) == least_memory(NETWORKS[model], config, training, 11)


def test_the_papers_model_has_its_number_of_parameters() -> None:
    assert least_memory(LMNetwork, NETWORK, SGD, 10_000) / 2 / 4 == pytest.approx(4.55e6, rel=0.001)


@pytest.mark.parametrize(
    ("network", "training", "vocabulary"),
    [({"dim": 300}, {}, 10_000), ({"memory_size": 5000}, {}, 10_000), ({}, {}, 20_000)],
)
def test_more_parameters_need_more(network: dict[str, Any], training: dict[str, Any], vocabulary: int) -> None:
    larger = dataclasses.replace(NETWORK, **network), dataclasses.replace(TRAINING, **training)
    assert least_memory(LMNetwork, *larger, vocabulary) > least_memory(LMNetwork, NETWORK, TRAINING, 10_000)


def test_a_training_that_cannot_fit_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "total_memory", lambda: 2 * GIB)
    check_memory(LMNetwork, NETWORK, TRAINING, 10_000)
    with pytest.raises(ConfigError) as error:
        check_memory(LMNetwork, NETWORK, TRAINING, 3_000_000)
    message = str(error.value)
    assert (
        "needs more than 25.1 GiB of memory, but there are 2.0: its parameters are those of 3,000,000 words" in message
    )
    assert "x dim 150 and memory_size 100; lower one of them (max_words and min_count change" in message
    assert "\n" not in message
    assert "--memory-size 100" in error.value.spelled(lambda name: "--" + name.replace("_", "-"))
    monkeypatch.setattr(run, "total_memory", lambda: None)
    check_memory(LMNetwork, NETWORK, TRAINING, 3_000_000)  # the system does not say how much there is


@pytest.mark.parametrize("network", [LMConfig(dim=65536), LMConfig(memory_size=1_000_000, dim=4096)])
def test_it_is_refused_before_anything_is_allocated(
    network: LMConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "total_memory", lambda: GIB)
    with LargestTensor() as seen, pytest.raises(ConfigError, match=r"this needs more than [\d,]+\.\d GiB"):
        MemoryLM.fit(Corpus.from_text("a b c d e f g " * 99), network=network, folder=tmp_path / "run", threads=1)
    assert seen.bytes < 1000
    assert not (tmp_path / "run").exists()


def test_a_limit_of_the_container_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "_CGROUP", limit)
    whole = total_memory()
    assert whole is not None
    limit.write_text("max\n")
    assert total_memory() == whole
    limit.write_text("1048576\n")
    assert total_memory() == 2**20
    monkeypatch.delattr(os, "sysconf")
    assert total_memory() is None
