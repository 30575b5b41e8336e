"""Small trainings that the tests of the trainer share."""

import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from memn2n import LMConfig, LMTraining
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.training import trainer as lm
from memn2n.lm.training.progress import LMEpoch, LMStep, TrainingProgress
from memn2n.lm.training.trainer import LMTrainer

WORDS = 13
NETWORK = LMConfig(dim=6, linear=3, hops=2, memory_size=5)
PLAIN = LMTraining(
    optimizer="sgd", learning_rate=0.05, anneal="validation", epochs=3, batch_size=16, block=4, embedding_dropout=0.0,
    state_dropout=0.0, clip_norm=50.0, precision="fp32",
)  # fmt: skip
MODERN = LMTraining(learning_rate=0.01, epochs=3, batch_size=16, block=4, hop_dropout=0.1, precision="fp32")


def text(words: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.random.default_rng(seed).integers(0, WORDS, words).astype(np.int32)


def made(
    config: LMTraining, words: int = 120, valid: int | None = 40, network: LMConfig = NETWORK,
    precision: torch.dtype = torch.float32,
) -> LMTrainer:  # fmt: skip
    net = LMNetwork(network, WORDS, torch.Generator().manual_seed(config.seed), 0.3).to(precision)
    return LMTrainer(net, text(words), None if valid is None else text(valid, 1), config, precision)


def trained(trainer: LMTrainer, on_event: Callable[[LMStep | LMEpoch], None] | None = None) -> list[LMStep | LMEpoch]:
    """Train to the end, and return the events."""
    events: list[LMStep | LMEpoch] = []

    def listen(event: LMStep | LMEpoch) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    assert trainer.run(listen, lambda best: None)
    return events


def weights(trainer: LMTrainer) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in trainer.network.named_parameters()}


def assert_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name


def scripted(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
    """Replace the validation losses, one for each epoch."""
    left: Iterator[float] = iter(losses)
    monkeypatch.setattr(lm, "mean_loss", lambda *_: next(left))


def epochs_of(trainer: LMTrainer) -> list[LMEpoch]:
    return [event for event in trained(trainer) if isinstance(event, LMEpoch)]


def interrupt_after(batches: int, epochs: bool = False) -> Callable[[LMStep | LMEpoch], None]:
    """Press Ctrl-C after a number of batches, or of epochs."""
    left = [batches]

    def listen(event: LMStep | LMEpoch) -> None:
        if isinstance(event, LMEpoch) == epochs:
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(signal.SIGINT)

    return listen


def saved(trainer: LMTrainer) -> tuple[dict[str, Tensor], TrainingProgress]:
    state = {name: value.clone() for name, value in trainer.state().items()}
    return state, TrainingProgress.from_dict(asdict(trainer.progress))
