"""Each training step, computed by hand, and that a network learns by them."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from memn2n import LMConfig, LMTraining
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.scoring import log_probabilities_of, mean_loss
from memn2n.lm.training.progress import LMStep
from memn2n.lm.training.trainer import LMTrainer, clipped_sgd_step
from memn2n.lm.windows import epoch_batches, window_batch
from tests.lm.training.small_training import (
    MODERN,
    NETWORK,
    PLAIN,
    WORDS,
    epochs_of,
    made,
    text,
    trained,
    weights,
)


@pytest.mark.parametrize("clip", ["global", "tensor"])
@pytest.mark.parametrize("clip_norm", [0.5, 1e6])
def test_a_step_of_sgd_by_hand(clip: Any, clip_norm: float) -> None:
    """The batch's summed loss on plain windows, with PyTorch's own loss, clipped and stepped in NumPy."""
    config = dataclasses.replace(PLAIN, epochs=1, clip=clip, clip_norm=clip_norm)
    trainer = made(config, words=17, valid=None, precision=torch.float64)  # one batch
    plain = LMNetwork(NETWORK, WORDS).double()
    plain.load_state_dict(trainer.network.state_dict())
    batches = epoch_batches(17, config, 1)
    assert len(batches) == 1
    batch = window_batch(text(17), batches.starts(0), batches.block, NETWORK.memory_size, torch.device("cpu"))
    state = plain.windows(batch.words, batch.missing)
    loss = cross_entropy(state.flatten(0, 1) @ plain.output_matrix.T, batch.target.flatten(), reduction="sum")
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: gradient_of(value).numpy() for name, value in plain.named_parameters()}
    whole = math.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
    told = trained(trainer)
    assert isinstance(told[0], LMStep)
    assert told[0].loss * told[0].words == pytest.approx(loss.item(), rel=1e-12)
    for name, before in plain.named_parameters():
        norm = whole if clip == "global" else np.sqrt((gradients[name] ** 2).sum())
        wanted = before.detach().numpy() - 0.05 * min(1, clip_norm / norm) * gradients[name]
        np.testing.assert_allclose(weights(trainer)[name].numpy(), wanted, rtol=1e-9, atol=1e-12)
        assert not np.allclose(wanted, before.detach().numpy(), atol=1e-5), "a step was made"


def gradient_of(value: Tensor) -> Tensor:
    assert value.grad is not None
    return value.grad


@pytest.mark.parametrize("clip", ["global", "tensor"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_of_adamw_by_hand(clip: Any, weight_decay: float) -> None:
    config = dataclasses.replace(
        PLAIN, optimizer="adamw", clip=clip, clip_norm=0.05, weight_decay=weight_decay, epochs=1, anneal="cosine"
    )
    trainer = made(config, words=60, valid=None, precision=torch.float64)
    plain = LMNetwork(NETWORK, WORDS).double()
    plain.load_state_dict(trainer.network.state_dict())
    rates = [event.rate for event in trained(trainer) if isinstance(event, LMStep)]
    batches = epoch_batches(60, config, 1)
    assert len(batches) == len(rates) >= 3
    value = {name: parameter.detach().numpy().copy() for name, parameter in plain.named_parameters()}
    m = {name: np.zeros_like(x) for name, x in value.items()}
    v = {name: np.zeros_like(x) for name, x in value.items()}
    for t, rate in enumerate(rates, 1):
        batch = window_batch(text(60), batches.starts(t - 1), 4, NETWORK.memory_size, torch.device("cpu"))
        plain.zero_grad()
        state = plain.windows(batch.words, batch.missing)
        loss = cross_entropy(state.flatten(0, 1) @ plain.output_matrix.T, batch.target.flatten())  # the mean
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = {name: gradient_of(parameter).numpy() for name, parameter in plain.named_parameters()}
        whole = math.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        for name, parameter in plain.named_parameters():
            norm = whole if clip == "global" else np.sqrt((gradients[name] ** 2).sum())
            g = gradients[name] * min(1, 0.05 / norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            step = (m[name] / (1 - 0.9**t)) / (np.sqrt(v[name] / (1 - 0.999**t)) + 1e-8)
            value[name] = value[name] * (1 - rate * weight_decay) - rate * step
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(value[name]))
    for name, found in weights(trainer).items():
        np.testing.assert_allclose(found.numpy(), value[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clip", ["global", "tensor"])
@pytest.mark.parametrize("clip_norm", [0.1, 3.0, 1e9])
def test_the_norm_of_sparse_gradients_is_that_of_dense_ones(clip: Any, clip_norm: float) -> None:
    """A word that occurs twice in a batch has two entries, which are summed."""
    dense = torch.tensor([[0.0, 0.0], [3.0, -1.0], [0.5, 2.0]])
    rows = torch.tensor([[1, 2, 1]])
    entries = torch.tensor([[1.0, 1.0], [0.5, 2.0], [2.0, -2.0]])
    sparse = torch.sparse_coo_tensor(rows, entries, (3, 2), check_invariants=True)
    assert torch.equal(sparse.to_dense(), dense)
    other = torch.tensor([4.0, 0.0, -2.0])
    frozen = torch.ones(2)
    starts, norms = (torch.ones(3, 2), torch.ones(3)), (math.sqrt(14.25), math.sqrt(20))
    for gradient in (sparse, dense):
        values = [start.clone() for start in starts]
        values[0].grad, values[1].grad = gradient.clone(), other.clone()
        clipped_sgd_step([*values, frozen], 0.1, clip, clip_norm)
        for value, start, by, own in zip(values, starts, (dense, other), norms, strict=True):
            norm = own if clip == "tensor" else math.hypot(*norms)
            torch.testing.assert_close(value, start - 0.1 * min(1, clip_norm / norm) * by)
    assert torch.equal(frozen, torch.ones(2))


def test_no_gradient_is_no_step() -> None:
    value = torch.ones(3)
    value.grad = torch.zeros(3)
    clipped_sgd_step([value], 0.1, "global", 1.0)
    assert torch.equal(value, torch.ones(3))


@pytest.mark.parametrize("config", [PLAIN, MODERN])
@pytest.mark.parametrize("tied", [False, True])
def test_tied_and_random_batches_train_too(config: LMTraining, tied: bool) -> None:
    network = dataclasses.replace(NETWORK, tied=tied)
    trainer = made(dataclasses.replace(config, batching="random", epochs=1), network=network)
    before = weights(trainer)
    steps = [event for event in trained(trainer) if isinstance(event, LMStep)]
    assert [step.words for step in steps] == [*range(16, 119, 16), 119]
    assert all(step.epoch_words == 119 for step in steps)
    assert not any(torch.equal(value, before[name]) for name, value in weights(trainer).items())


@pytest.mark.parametrize("words", [2, 3, 130, 1200])
def test_the_loss_of_a_text_is_that_of_its_words_one_by_one(words: int) -> None:
    """Wherever blocks begin and end."""
    net = LMNetwork(NETWORK, WORDS, torch.Generator().manual_seed(0), 0.5).double()
    ids = text(words)
    parts = list(log_probabilities_of(net, ids, torch.float64))
    found = torch.cat(parts)
    assert len(found) == words - 1
    for position in {1, words // 2, words - 1, min(words - 1, 129)}:
        read = torch.from_numpy(ids[max(0, position - 5) : position].astype(np.int64))
        padded = torch.cat([torch.zeros(5 - len(read), dtype=torch.int64), read])[None]
        state = net.windows(padded, torch.tensor([5 - len(read)]))[0, 0]
        wanted = (net.output_matrix @ state).log_softmax(0)[int(ids[position])]
        assert found[position - 1].item() == pytest.approx(wanted.item(), rel=1e-12)
    assert mean_loss(net, ids, torch.float64) == pytest.approx(-found.mean().item())
    assert torch.is_grad_enabled(), "also after an iteration"


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_it_learns_what_comes_next(optimizer: Any) -> None:
    """A cycle of words, which word frequencies do not give away: perplexity 13 by them, 1 by the cycle."""
    cycle = np.tile(np.random.default_rng(0).permutation(WORDS), 60).astype(np.int32)
    config = dataclasses.replace(
        PLAIN, optimizer=optimizer, learning_rate=0.1 if optimizer == "sgd" else 0.02, epochs=8, clip_norm=5.0
    )
    network = LMNetwork(dataclasses.replace(NETWORK, dim=16, linear=8), WORDS, torch.Generator().manual_seed(0), 0.1)
    trainer = LMTrainer(network, cycle[:600], cycle[600:], config, torch.float32)
    losses = [epoch.valid for epoch in epochs_of(trainer)]
    assert losses[0] is not None
    assert losses[-1] is not None
    assert math.exp(losses[-1]) < 1.5
    assert losses[-1] < losses[0]


def test_it_learns_to_copy_from_memory() -> None:
    """Three random words, then the same three: half of the words are equal to the one three words before."""
    triples = np.random.default_rng(0).integers(0, 8, (400, 1, 3))
    ids = np.tile(triples, (1, 4, 1)).reshape(-1).astype(np.int32)
    config = dataclasses.replace(
        MODERN, epochs=8, batch_size=64, block=16, embedding_dropout=0.0, hop_dropout=0.0, state_dropout=0.0
    )
    network = LMConfig(dim=24, linear=12, hops=2, memory_size=6)
    trainer = LMTrainer(LMNetwork(network, 8, torch.Generator().manual_seed(0), 0.1), ids[:4000], ids[4000:], config,
                        torch.float32)  # fmt: skip
    loss = epochs_of(trainer)[-1].valid
    assert loss is not None
    assert math.exp(loss) < 4, "8 by word frequencies; 1.7 if all that can be known were"
