"""The language model's network is the paper's equations; its parameters and its dropout."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from memn2n import LMConfig
from memn2n.lm.networks.memn2n import Dropout, LMNetwork
from tests.lm.networks.small_network import WORDS, assert_near, gradients_of_state, made, transcription


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("linear", [0, 3, 6])
def test_it_is_the_papers_equations(tied: bool, linear: int) -> None:
    config = LMConfig(dim=6, linear=linear, hops=3, memory_size=5, query=0.4, tied=tied)
    for missing in (None, [0, 4]):
        net, words, _, absent = made(config, 2, 7, missing, seed=3)
        states, plain = net(words, absent), net.windows(words, absent)
        for row in range(2):
            for position in range(7):
                first = max(position, 0 if missing is None else missing[row])
                log_p, attention = transcription(net, words[row, first : position + 5].tolist())
                for state in (states.state, plain):
                    found = (net.output_matrix @ state[row, position]).log_softmax(0).detach().numpy()
                    np.testing.assert_allclose(found, log_p, rtol=1e-12)
                looked = states.attention[:, row, position].numpy()
                np.testing.assert_allclose(looked[:, first - position :], attention, rtol=1e-12)
                assert not looked[:, : first - position].any()


def test_ids_in_missing_slots_have_no_effect() -> None:
    config = LMConfig(dim=6, linear=3, hops=3, memory_size=8)
    net, words, _, missing = made(config, 3, 4, [7, 3, 0], seed=5)
    assert missing is not None
    other = words.clone()
    for row, n in enumerate([7, 3, 0]):
        other[row, :n] = (words[row, :n] + 1) % WORDS
    assert not torch.equal(words, other)
    for way in (lambda x: net(x, missing).state, lambda x: net.windows(x, missing)):
        one, two = way(words), way(other)
        assert torch.equal(one, two)
        found, wanted = gradients_of_state(net, one), gradients_of_state(net, two)
        for name, value in wanted.items():
            assert_near(found[name], value, 1e-14, name)


def test_a_row_does_not_depend_on_its_batch() -> None:
    config = LMConfig(dim=6, linear=3, hops=4, memory_size=5)
    net, words, _, missing = made(config, 3, 6, [0, 4, 2], seed=6)
    assert missing is not None
    together = net(words, missing)
    for row in range(3):
        alone = net(words[row : row + 1], missing[row : row + 1])
        assert_near(alone.state[0], together.state[row], 1e-14)
        assert_near(alone.attention[:, 0], together.attention[:, row], 1e-14)


def test_bfloat16_is_near_float32() -> None:
    config = LMConfig(dim=32, linear=16, hops=6, memory_size=20)
    generator = torch.Generator().manual_seed(4)
    net = LMNetwork(config, WORDS, generator, 0.1)
    words = torch.randint(WORDS, (3, 39), generator=generator)
    missing = torch.tensor([19, 0, 4])
    states = {precision: net(words, missing, None, precision).state for precision in (None, torch.bfloat16)}
    assert states[torch.bfloat16].dtype == torch.float32
    wanted, found = (gradients_of_state(net, state) for state in states.values())
    assert (states[None] - states[torch.bfloat16]).norm() < 0.02 * states[None].norm()
    for name, value in wanted.items():
        assert found[name].dtype == torch.float32
        assert (found[name] - value).norm() < 0.05 * value.norm(), name
    assert not torch.equal(states[None], states[torch.bfloat16])


class Kept(Dropout):
    """Dropout of the states only, which remembers its factors."""

    factors: tuple[Tensor | None, ...]

    def states(self, like: Tensor, hops: int) -> tuple[Tensor | None, ...]:
        self.factors = super().states(like, hops)
        return self.factors


@pytest.mark.parametrize("hops", [1, 3])
def test_dropout_of_states(hops: int) -> None:
    config = LMConfig(dim=6, linear=2, hops=hops, memory_size=4)
    net, words, _, missing = made(config, 2, 5, [3, 0], seed=8)
    assert missing is not None
    dropout = Kept(0.0, 0.5, 0.25, torch.Generator().manual_seed(1))
    state = net(words, missing, dropout).state
    factors = torch.stack([kept for kept in dropout.factors if kept is not None])
    assert len(factors) == hops
    assert set(factors[:-1].flatten().tolist()) <= {0.0, 2.0}
    assert set(factors[-1].flatten().tolist()) == {0.0, 1 / 0.75}
    for row, position in ((0, 0), (0, 4), (1, 2)):
        first = max(position, int(missing[row]))
        read, kept = words[row, first : position + 4].tolist(), factors[:, row, position].numpy()
        log_p, _ = transcription(net, read, kept)
        found = (net.output_matrix @ state[row, position]).log_softmax(0).detach().numpy()
        np.testing.assert_allclose(found, log_p, rtol=1e-12)


def test_dropout_of_embedded_words() -> None:
    config = LMConfig(dim=50, linear=50, hops=1, memory_size=4, query=0.0)
    net, words, _, _ = made(config, 1, 300, None, seed=8)
    with torch.no_grad():
        net.C.fill_(1.0)
        net.T_C.zero_()
    state = net(words, None, Dropout(0.3, 0.0, 0.0, torch.Generator().manual_seed(1))).state
    expected = {round(n / 4 / 0.7, 6) for n in range(5)}  # the mean of four words, of which some are dropped
    assert {round(value, 4) for value in state.flatten().tolist()} == {round(value, 4) for value in expected}
    assert state.mean().item() == pytest.approx(1, abs=0.02)
    same = net(words, None, Dropout(0.3, 0.0, 0.0, torch.Generator().manual_seed(1))).state
    assert torch.equal(state, same)
    none = net(words, None, Dropout(0.0, 0.0, 0.0, torch.Generator())).state
    assert torch.equal(none, net(words).state)


@pytest.mark.parametrize(("tied", "names"), [(False, "A C T_A T_C H W"), (True, "A C T_A T_C H")])
def test_parameters(tied: bool, names: str) -> None:
    config = LMConfig(dim=40, linear=20, memory_size=60, tied=tied)
    net = LMNetwork(config, 50, torch.Generator().manual_seed(0), init_std=0.2)
    parameters: dict[str, Any] = dict(net.named_parameters())
    assert list(parameters) == names.split()
    for value in parameters.values():
        assert value.std().item() == pytest.approx(0.2, rel=0.1)
    assert (net.output_matrix is net.C) == tied
    assert not torch.equal(net.A, net.C)
    assert not torch.equal(net.T_A, net.T_C)
    again = LMNetwork(config, 50, torch.Generator().manual_seed(0), init_std=0.2)
    assert all(torch.equal(value, parameters[name]) for name, value in again.named_parameters())
