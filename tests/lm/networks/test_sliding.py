"""Sliding equals the plain windows, and its derivative equals the true one."""

import math
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy as torch_cross_entropy

from memn2n import LMConfig, read_corpus
from memn2n.lm.data.encoding import NumberedText
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.networks.output import cross_entropy
from memn2n.lm.networks.sliding import Hops, slide, softmax_backward
from tests.lm.networks.small_network import (
    Case,
    assert_near,
    gradients,
    made,
)

EXAMPLES = settings(max_examples=100, deadline=None, derandomize=True)
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


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


def assert_slides_as_windows(case: Case, tolerance: float) -> None:
    net, words, target, missing = case
    slid, plain = net(words, missing).state, net.windows(words, missing)
    assert_near(slid, plain, tolerance, "state")
    fast = cross_entropy(slid.flatten(0, 1), net.output_matrix, target.flatten(), net.output_matrix.dtype)
    slow = torch_cross_entropy(plain.flatten(0, 1) @ net.output_matrix.T, target.flatten(), reduction="sum")
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
    vocabulary = NumberedText(text).vocabulary()
    ids = torch.tensor(list(vocabulary.ids(islice(text.words(), 5000))))
    config = LMConfig()
    assert (config.hops, config.dim, config.memory_size) == (6, 150, 100), "the paper's shape"
    net = LMNetwork(config, len(vocabulary), torch.Generator().manual_seed(0))
    window = ids[at - 99 : at + 9] if at >= 99 else torch.cat([ids.new_zeros(99 - at), ids[: at + 9]])
    missing = None if at >= 99 else torch.tensor([99 - at])
    case = Case(net, window[None, :-1], window[None, 100:], missing)
    assert case.target[0].tolist() == ids[at + 1 : at + 9].tolist()
    assert_slides_as_windows(case, TOLERANCE[torch.float32])


def state_of(given: Sequence[Tensor], hops: Hops) -> Tensor:
    E_A, E_C, T_A, T_C, H = given
    return slide(E_A, E_C, T_A, T_C, H, hops)[0]


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
    """Inputs and gradients may be transposed or expanded views."""
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
    case.net.T_C.requires_grad_(False)
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
    return cross_entropy(
        state.flatten(0, 1), case.net.output_matrix, case.target.flatten(), case.net.output_matrix.dtype
    )


def test_pytorch_refuses_a_change_of_the_state_in_place() -> None:
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("slots", [1, 7, 100])
def test_the_derivative_of_the_softmax_is_autograds(dtype: torch.dtype, slots: int) -> None:
    """To the last bit, with slots that are masked too."""
    generator = torch.Generator().manual_seed(slots)
    scores, d_p = (torch.randn(3, 4, slots, generator=generator).mul_(3).to(dtype) for _ in range(2))
    scores[0, :, : slots - 1] = -math.inf
    p = scores.requires_grad_().softmax(2)
    (wanted,) = torch.autograd.grad(p, scores, d_p)
    assert torch.equal(softmax_backward(p.detach(), d_p), wanted)
