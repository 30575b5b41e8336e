"""The LSTM beside the memory network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from memn2n import LMConfig, LMTraining
from memn2n.lm.networks.lstm import LSTMNetwork
from memn2n.lm.networks.memn2n import Dropout
from memn2n.lm.scoring import mean_loss
from memn2n.lm.training.trainer import LMTrainer

CONFIG = LMConfig(dim=5, linear=2, memory_size=4)


def made(seed: int = 0) -> LSTMNetwork:
    return LSTMNetwork(CONFIG, 11, torch.Generator().manual_seed(seed), 0.5)


def transcription(network: LSTMNetwork, words: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """h after the last of some words, by the equations of an LSTM; gates in the order i, f, g, o."""
    W, R, b_W, b_R = (value.detach().double().numpy() for value in network.lstm.parameters())
    A = network.A.detach().double().numpy()

    def sigmoid(
        x: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return 1 / (1 + np.exp(-x))

    h = c = np.zeros(CONFIG.dim)
    for word in words:
        i, f, g, o = np.split(W @ A[word] + b_W + R @ h + b_R, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    return h


@pytest.mark.parametrize("missing", [None, [0, 3]])
def test_each_position_reads_from_the_first_word_on(missing: list[int] | None) -> None:
    network = made()
    words = torch.randint(11, (2, 9), generator=torch.Generator().manual_seed(1))  # six positions
    state = network(words, None if missing is None else torch.tensor(missing)).state.detach()
    assert state.shape == (2, 6, 5)
    for row, first in enumerate(missing or [0, 0]):
        for position in range(6):
            read = words[row, first : position + CONFIG.memory_size].tolist()
            np.testing.assert_allclose(state[row, position], transcription(network, read), atol=1e-6)


def test_ids_in_missing_slots_have_no_effect() -> None:
    network = made()
    words = torch.randint(11, (1, 9), generator=torch.Generator().manual_seed(1))
    other = words.clone()
    other[0, :2] = (words[0, :2] + 1) % 11
    assert not torch.equal(network(words).state, network(other).state)
    missing = torch.tensor([2])
    assert torch.equal(network(words, missing).state, network(other, missing).state)


def test_dropout_is_of_embedded_words_and_of_the_last_state() -> None:
    network = made()
    words = torch.randint(11, (2, 9), generator=torch.Generator().manual_seed(1))
    plain = network(words).state

    def dropped(embedding: float, hop: float, state: float) -> torch.Tensor:
        found = network(words, None, Dropout(embedding, hop, state, torch.Generator().manual_seed(2))).state
        assert isinstance(found, torch.Tensor)
        return found

    assert torch.equal(dropped(0.0, 0.5, 0.0), plain), "there are no hops"
    by_state = dropped(0.0, 0.0, 0.5)
    kept = by_state != 0
    assert 0.2 < kept.float().mean() < 0.8
    torch.testing.assert_close(by_state[kept], 2 * plain[kept])
    assert not torch.equal(dropped(0.5, 0.0, 0.0), plain)
    assert (dropped(0.5, 0.0, 0.0) != 0).all()


def test_the_seed_alone_makes_the_start() -> None:
    torch.manual_seed(1)
    one = made(seed=3).state_dict()
    torch.manual_seed(2)
    two, other = made(seed=3).state_dict(), made(seed=4).state_dict()
    for name, value in one.items():
        assert torch.equal(value, two[name])
        assert not torch.equal(value, other[name])
        assert 0.3 < value.std() < 0.7
    assert not torch.equal(one["A"], one["W"])


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_trainer_trains_it(optimizer: str) -> None:
    ids = np.tile(np.arange(2, 11, dtype=np.int32), 40)  # each word follows from the one before
    rate = 0.3 if optimizer == "sgd" else 0.02
    config = LMTraining(optimizer=optimizer, learning_rate=rate, epochs=12, batch_size=16, block=8, clip_norm=5.0,  # type: ignore[arg-type]
                        embedding_dropout=0.0, state_dropout=0.1)  # fmt: skip
    network = made()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    LMTrainer(network, ids, ids, config, torch.float32).run(lambda _event: None, lambda _best: None)
    loss = mean_loss(network, ids, torch.float32)
    assert loss is not None
    assert loss < 0.5, "guessing is 2.2"
    for name, value in network.state_dict().items():
        assert not torch.equal(value, before[name]), f"{name} was not trained"
