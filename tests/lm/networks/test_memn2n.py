"""The language model's network: sliding equals the plain windows, both equal a transcription of the equations."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy as torch_cross_entropy

from memn2n import LMConfig, read_corpus
from memn2n.lm.data.corpus import build_vocabulary
from memn2n.lm.networks.memn2n import Dropout, LMNetwork
from memn2n.lm.networks.output import cross_entropy
from memn2n.lm.networks.sliding import Hops, slide

Array = npt.NDArray[np.float64]
EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}
WORDS = 23


class Case(NamedTuple):
    net: LMNetwork
    words: Tensor
    target: Tensor
    missing: Tensor | None


@st.composite
def cases(draw: st.DrawFn, dtype: torch.dtype) -> Case:
    dim = draw(st.integers(1, 8))
    config = LMConfig(
        dim=dim,
        linear=draw(st.sampled_from([0, dim]) | st.integers(0, dim)),
        hops=draw(st.integers(1, 7)),
        memory_size=draw(st.integers(1, 20)),
        query=draw(st.sampled_from([0.1, 0.0, -0.7])),
        tied=draw(st.booleans()),
    )
    batch, block = draw(st.integers(1, 4)), draw(st.integers(1, 20))
    missing = draw(st.none() | st.lists(st.integers(0, config.memory_size - 1), min_size=batch, max_size=batch))
    case = made(config, batch, block, missing, draw(st.integers(0, 2**32)), dtype)
    case.net.sparse = draw(st.booleans())
    return case


def made(
    config: LMConfig, batch: int, block: int, missing: list[int] | None, seed: int, dtype: torch.dtype = torch.float64
) -> Case:
    generator = torch.Generator().manual_seed(seed)
    net = LMNetwork(config, WORDS, generator, init_std=0.3).to(dtype)
    ids = torch.randint(WORDS, (batch, config.memory_size + block), generator=generator)
    return Case(
        net, ids[:, :-1], ids[:, config.memory_size :], None if missing is None else torch.tensor(missing)
    )  # fmt: skip


def gradients(net: LMNetwork, loss: Tensor) -> dict[str, Tensor]:
    net.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    found = {}
    for name, value in net.named_parameters():
        assert value.grad is not None, name
        found[name] = value.grad.to_dense() if value.grad.is_sparse else value.grad.clone()
    return found


def assert_near(found: Tensor, wanted: Tensor, tolerance: float, what: str = "", scale: float = 0.01) -> None:
    """Equal relative to the largest component, or to ``scale`` where all are smaller."""
    assert found.shape == wanted.shape
    off = (found - wanted).abs().max().item()
    assert off <= tolerance * max(wanted.abs().max().item(), scale), f"{what}: {off}"


def assert_slides_as_windows(case: Case, tolerance: float) -> None:
    net, words, target, missing = case
    slid, plain = net(words, missing).state, net.windows(words, missing)
    assert_near(slid, plain, tolerance, "state")
    fast = cross_entropy(slid.flatten(0, 1), net.W, target.flatten(), net.W.dtype)
    slow = torch_cross_entropy(plain.flatten(0, 1) @ net.W.T, target.flatten(), reduction="sum")
    assert_near(fast, slow, tolerance, "loss")
    found, wanted = gradients(net, fast), gradients(net, slow)
    scale = 0.1 * max(value.abs().max().item() for value in wanted.values())  # float32: some nearly cancel out
    for name in wanted:
        assert_near(found[name], wanted[name], tolerance, name, scale)


@given(cases(torch.float64))
@EXAMPLES
def test_sliding_equals_windows(case: Case) -> None:
    assert_slides_as_windows(case, TOLERANCE[torch.float64])


@given(cases(torch.float32))
@EXAMPLES
def test_sliding_equals_windows_in_float32(case: Case) -> None:
    assert_slides_as_windows(case, TOLERANCE[torch.float32])


@pytest.mark.parametrize("at", [0, 50, 4000], ids=["begin", "part of a memory", "full memory"])
def test_sliding_equals_windows_on_real_text(real_data: Path, at: int) -> None:
    path = real_data / "ptb" / "ptb.valid.txt"
    if not path.is_file():
        pytest.skip(f"Penn Treebank is not there: {path}")
    text = read_corpus(path)
    vocabulary = build_vocabulary(text)
    ids = torch.tensor(list(vocabulary.ids(islice(text.words(), 5000))))
    config = LMConfig()
    assert (config.hops, config.dim, config.memory_size) == (6, 150, 100), "the paper's shape"
    net = LMNetwork(config, len(vocabulary), torch.Generator().manual_seed(0))
    window = ids[at - 99 : at + 9] if at >= 99 else torch.cat([ids.new_zeros(99 - at), ids[: at + 9]])
    missing = None if at >= 99 else torch.tensor([99 - at])
    case = Case(net, window[None, :-1], window[None, 100:], missing)
    assert case.target[0].tolist() == ids[at + 1 : at + 9].tolist()
    assert_slides_as_windows(case, TOLERANCE[torch.float32])


def transcription(net: LMNetwork, words: list[int], kept: Array | None = None) -> tuple[Array, Array]:
    """Equations 1 to 4 for one position, in plain loops; returns log-probabilities and attention.

    Args:
        net: the parameters.
        words: what the memory holds, oldest first; fewer than N at the beginning of a text.
        kept: (hops, d) factors of dropout.
    """
    config = net.config
    A, B, W, T_A, T_B, H = (x.detach().numpy() for x in (net.A, net.B, net.W, net.T_A, net.T_B, net.H))
    n = len(words)
    m = [A[word] + T_A[n - 1 - i] for i, word in enumerate(words)]  # the latest word has time 0
    c = [B[word] + T_B[n - 1 - i] for i, word in enumerate(words)]
    u = np.full(config.dim, config.query)
    attention = np.zeros((config.hops, n))
    for hop in range(config.hops):
        scores = np.exp([u @ m_i for m_i in m])
        attention[hop] = scores / scores.sum()  # (1)
        o = sum(p_i * c_i for p_i, c_i in zip(attention[hop], c, strict=True))  # (2)
        u = H @ u + o  # (4)
        for k in range(config.linear_components, config.dim):
            u[k] = max(u[k], 0.0)
        if kept is not None:
            u = u * kept[hop]
    logits = W @ u
    return logits - np.log(np.exp(logits).sum()), attention  # (3)


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
                    found = (net.W @ state[row, position]).log_softmax(0).detach().numpy()
                    np.testing.assert_allclose(found, log_p, rtol=1e-12)
                looked = states.attention[:, row, position].numpy()
                np.testing.assert_allclose(looked[:, first - position :], attention, rtol=1e-12)
                assert not looked[:, : first - position].any()


def test_what_stands_in_missing_slots_has_no_influence() -> None:
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


def state_of(given: Sequence[Tensor], hops: Hops) -> Tensor:
    E_A, E_B, T_A, T_B, H = given
    return slide(E_A, E_B, T_A, T_B, H, hops)[0]


def inputs(b: int, L: int, N: int, d: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(b * 1000 + L * 100 + N * 10 + d)
    shapes = ((b, L + N - 1, d), (b, L + N - 1, d), (N, d), (N, d), (d, d))
    return [torch.randn(shape, generator=generator, dtype=torch.float64).mul_(0.7) for shape in shapes]


@pytest.mark.parametrize("linear", [0, 1, 3])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("more", ["", "hidden", "kept", "hidden kept"])
def test_the_derivative_written_by_hand(linear: int, number: int, more: str) -> None:
    b, L, N, d = 2, 3, 3, 3
    hidden = torch.arange(L)[:, None] + torch.arange(N) < torch.tensor([2, 0])[:, None, None]
    generator = torch.Generator().manual_seed(1)
    kept = torch.empty(number, b, L, d, dtype=torch.float64).bernoulli_(0.6, generator=generator) / 0.6
    factors = tuple(kept) if "kept" in more else (None,) * number
    hops = Hops(number, 0.3, linear, hidden if "hidden" in more else None, factors)
    given = tuple(x.requires_grad_() for x in inputs(b, L, N, d))
    assert torch.autograd.gradcheck(lambda *x: state_of(x, hops), given)


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 5, 3, 2), (3, 1, 4, 2), (2, 4, 1, 3)])
def test_it_slides_over_inputs_of_any_layout(shape: tuple[int, int, int, int]) -> None:
    """Transposed and expanded inputs, an expanded gradient: all of them views."""
    hops = Hops(3, 0.2, 1, None, (None,) * 3)
    plain = [x.requires_grad_() for x in inputs(*shape)]
    odd = [x.detach().transpose(0, -1).contiguous().transpose(0, -1).requires_grad_() for x in plain]
    state = state_of(plain, hops)
    ones = torch.ones_like(state)
    wanted, expanded = (
        torch.autograd.grad(state, plain, by, retain_graph=True) for by in (ones, ones[:1, :1, :1].expand_as(state))
    )
    for found in (expanded, torch.autograd.grad(state_of(odd, hops).sum(), odd)):
        for one, two in zip(found, wanted, strict=True):
            assert_near(one, two, 1e-12)
    rows = [x.detach()[:1].expand(2, -1, -1) for x in plain[:2]]
    assert torch.equal(state_of([*rows, *plain[2:]], hops), state_of([*(x.clone() for x in rows), *plain[2:]], hops))


def test_what_takes_no_gradient_gets_none_and_changes_no_other() -> None:
    case = made(LMConfig(dim=5, linear=2, hops=3, memory_size=4), 2, 3, None, seed=2)
    wanted = gradients(case.net, cross_entropy_of(case))
    case.net.H.requires_grad_(False)
    case.net.T_B.requires_grad_(False)
    case.net.zero_grad(set_to_none=True)
    cross_entropy_of(case).backward()  # type: ignore[no-untyped-call]
    for name, value in case.net.named_parameters():
        if value.requires_grad:
            assert value.grad is not None
            assert torch.equal(value.grad, wanted[name])
        else:
            assert value.grad is None


def cross_entropy_of(case: Case) -> Tensor:
    state = case.net(case.words, case.missing).state
    return cross_entropy(state.flatten(0, 1), case.net.W, case.target.flatten(), case.net.W.dtype)


def test_the_state_cannot_be_changed_behind_the_derivatives_back() -> None:
    net, words, _, _ = made(LMConfig(dim=4, linear=2, hops=2, memory_size=3), 2, 3, None, seed=1)
    state = net(words).state
    with pytest.raises(RuntimeError, match="view and is being modified inplace"):
        state.mul_(2).sum().backward()


def test_attention_takes_no_gradient() -> None:
    net, words, _, _ = made(LMConfig(dim=4, linear=2, hops=2, memory_size=3), 2, 3, None, seed=1)
    states = net(words)
    assert states.state.requires_grad
    assert not states.attention.requires_grad
    np.testing.assert_allclose(states.attention.sum(3).numpy(), 1, rtol=1e-12)


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


def gradients_of_state(net: LMNetwork, state: Tensor) -> dict[str, Tensor]:
    names = ("A", "B", "T_A", "T_B", "H")
    return dict(zip(names, torch.autograd.grad(state.sin().sum(), [getattr(net, name) for name in names]), strict=True))


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
        found = (net.W @ state[row, position]).log_softmax(0).detach().numpy()
        np.testing.assert_allclose(found, log_p, rtol=1e-12)


def test_dropout_of_embedded_words() -> None:
    config = LMConfig(dim=50, linear=50, hops=1, memory_size=4, query=0.0)
    net, words, _, _ = made(config, 1, 300, None, seed=8)
    with torch.no_grad():
        net.B.fill_(1.0)
        net.T_B.zero_()
    state = net(words, None, Dropout(0.3, 0.0, 0.0, torch.Generator().manual_seed(1))).state
    expected = {round(n / 4 / 0.7, 6) for n in range(5)}  # the mean of four words, of which some are dropped
    assert {round(value, 4) for value in state.flatten().tolist()} == {round(value, 4) for value in expected}
    assert state.mean().item() == pytest.approx(1, abs=0.02)
    same = net(words, None, Dropout(0.3, 0.0, 0.0, torch.Generator().manual_seed(1))).state
    assert torch.equal(state, same)
    none = net(words, None, Dropout(0.0, 0.0, 0.0, torch.Generator())).state
    assert torch.equal(none, net(words).state)


@pytest.mark.parametrize(("tied", "names"), [(False, "A B T_A T_B H own_W"), (True, "A B T_A T_B H")])
def test_parameters(tied: bool, names: str) -> None:
    config = LMConfig(dim=40, linear=20, memory_size=60, tied=tied)
    net = LMNetwork(config, 50, torch.Generator().manual_seed(0), init_std=0.2)
    parameters: dict[str, Any] = dict(net.named_parameters())
    assert list(parameters) == names.split()
    for value in parameters.values():
        assert value.std().item() == pytest.approx(0.2, rel=0.1)
    assert (net.W is net.B) == tied
    assert not torch.equal(net.A, net.B)
    assert not torch.equal(net.T_A, net.T_B)
    again = LMNetwork(config, 50, torch.Generator().manual_seed(0), init_std=0.2)
    assert all(torch.equal(value, parameters[name]) for name, value in again.named_parameters())
