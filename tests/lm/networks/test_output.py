"""The output layer in blocks against PyTorch's own softmax and loss."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy as torch_cross_entropy

from memn2n.lm.networks import output
from memn2n.lm.networks.output import cross_entropy, log_probability
from tests.lm.largest_tensor import LargestTensor


def made(words: int, vocabulary: int, dim: int, seed: int, scale: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    state = torch.randn(words, dim, generator=generator).mul_(scale)
    W = torch.randn(vocabulary, dim, generator=generator)
    return state, W, torch.randint(vocabulary, (words,), generator=generator)


def differentiate(loss: Tensor, state: Tensor, W: Tensor, by: float = 1.0) -> tuple[Tensor, Tensor]:
    d_state, d_W = torch.autograd.grad(loss * by, (state, W))
    return d_state, d_W


@pytest.fixture(autouse=True)
def short_blocks() -> Iterator[None]:
    """Allow blocks of a few rows; otherwise each of these texts would be one block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "LEAST_ROWS", 1)
        yield


@given(
    words=st.integers(1, 30), vocabulary=st.integers(1, 12), dim=st.integers(1, 6), rows=st.integers(1, 40),
    seed=st.integers(0, 2**32), double=st.booleans(), by=st.sampled_from([1.0, -0.3, 5.0]),
)  # fmt: skip
@settings(max_examples=60, deadline=None, derandomize=True)
def test_it_is_torchs_cross_entropy(
    words: int, vocabulary: int, dim: int, rows: int, seed: int, double: bool, by: float
) -> None:
    """With one block, and with several of which the last is shorter."""
    dtype = torch.float64 if double else torch.float32
    state, W, target = made(words, vocabulary, dim, seed)
    state, W = (x.to(dtype).requires_grad_() for x in (state, W))
    wanted = torch_cross_entropy(state @ W.T, target, reduction="sum")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(output, "_BLOCK_BYTES", rows * vocabulary * dtype.itemsize)
        found = cross_entropy(state, W, target, dtype)
        log_p = log_probability(state, W, target, dtype)
    near: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12} if double else {"rtol": 1e-5, "atol": 1e-5}
    torch.testing.assert_close(found, wanted, **near)
    torch.testing.assert_close(-log_p.sum(), wanted.detach(), **near)
    torch.testing.assert_close(log_p, (state @ W.T).log_softmax(1).detach()[torch.arange(words), target], **near)
    assert not log_p.requires_grad
    for one, two in zip(differentiate(found, state, W, by), differentiate(wanted, state, W, by), strict=True):
        torch.testing.assert_close(one, two, **near)


def test_states_of_any_layout() -> None:
    """Such as views of other tensors, and one state expanded to many."""
    state, W, target = made(12, 9, 4, seed=1)
    for odd in (state.T.contiguous().T, state[:1].expand(12, 4)):
        given_state, given_W = odd.requires_grad_(), W.clone().T.contiguous().T.requires_grad_()
        found = differentiate(cross_entropy(given_state, given_W, target, torch.float32), given_state, given_W)
        plain = odd.detach().clone().requires_grad_()
        loss = torch_cross_entropy(plain @ given_W.T, target, reduction="sum")
        for one, two in zip(found, differentiate(loss, plain, given_W), strict=True):
            torch.testing.assert_close(one, two)


def test_no_word_has_no_loss() -> None:
    state, W, target = made(0, 5, 3, seed=1)
    state, W = state.requires_grad_(), W.requires_grad_()
    loss = cross_entropy(state, W, target, torch.float32)
    assert loss.item() == 0
    d_state, d_W = differentiate(loss, state, W)
    assert d_state.shape == (0, 3)
    assert not d_W.any()
    assert log_probability(state, W, target, torch.float32).shape == (0,)


def test_bfloat16_is_near_float32() -> None:
    state, W, target = made(200, 300, 16, seed=2, scale=0.3)
    state, W = state.requires_grad_(), W.requires_grad_()
    loss = {precision: cross_entropy(state, W, target, precision) for precision in (torch.float32, torch.bfloat16)}
    assert loss[torch.bfloat16].dtype == torch.float32
    assert loss[torch.bfloat16].item() == pytest.approx(loss[torch.float32].item(), rel=2e-3)
    assert loss[torch.bfloat16].item() != loss[torch.float32].item()
    wanted, found = (differentiate(x, state, W) for x in loss.values())
    for one, two in zip(found, wanted, strict=True):
        assert one.dtype == torch.float32
        assert (one - two).norm() < 0.02 * two.norm()
    low, high = (log_probability(state, W, target, precision) for precision in (torch.bfloat16, torch.float32))
    assert low.dtype == torch.float32
    assert (low - high).abs().max() < 0.1
    assert (low - high).mean().abs() < 0.005


def test_memory_does_not_grow_with_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary, dim = 1000, 2
    monkeypatch.setattr(output, "_BLOCK_BYTES", 40 * vocabulary * 4)
    largest = []
    for words in (40, 100, 1000):
        state, W, target = made(words, vocabulary, dim, seed=3)
        state, W = state.requires_grad_(), W.requires_grad_()
        with LargestTensor() as seen:
            cross_entropy(state, W, target, torch.float32).backward()  # type: ignore[no-untyped-call]
            log_probability(state, W, target, torch.float32)
        largest.append(seen.bytes)
    assert largest == [40 * vocabulary * 4] * 3


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_blocks_of_a_large_vocabulary_are_not_too_short(
    precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "LEAST_ROWS", 17)
    monkeypatch.setattr(output, "_BLOCK_BYTES", 10)
    state, W, target = made(20, 500, 2, seed=3)
    with LargestTensor() as seen:
        loss = cross_entropy(state, W, target, precision)
    assert seen.bytes == 17 * 500 * precision.itemsize  # more than W and its gradient take
    wanted = torch_cross_entropy(state @ W.T, target, reduction="sum")
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-5 if precision == torch.float32 else 5e-3)


def test_a_vocabulary_larger_than_a_block_has_blocks_of_one_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "_BLOCK_BYTES", 10)
    state, W, target = made(3, 100, 2, seed=3)
    wanted = torch_cross_entropy(state @ W.T, target, reduction="sum")
    torch.testing.assert_close(cross_entropy(state, W, target, torch.float32), wanted)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_huge_logits(precision: torch.dtype) -> None:
    """A loss beyond float32's range is cut at 87 nats; it and its gradient are finite."""
    state = torch.tensor([[1000.0], [1000.0], [-1000.0]], requires_grad=True)
    W = torch.tensor([[100.0], [-100.0], [0.0]], requires_grad=True)
    target = torch.tensor([0, 1, 1])
    loss = cross_entropy(state, W, target, precision)
    assert 85 < loss.item() < 90, "the second word alone is wrong"
    d_state, d_W = differentiate(loss, state, W)
    assert d_state.isfinite().all()
    assert d_state.flatten().tolist() == pytest.approx([0, 200, 0], rel=0.01)  # towards the target's row
    assert d_W.isfinite().all()
    log_p = log_probability(state, W, target, precision)
    assert log_p.tolist() == pytest.approx([0, -200_000, 0], rel=0.01)


def test_a_logit_that_is_not_finite_makes_the_loss_not_finite() -> None:
    state, W, target = made(3, 4, 2, seed=1)
    state[1, 0] = float("nan")
    assert cross_entropy(state, W, target, torch.float32).isnan()
    assert log_probability(state, W, target, torch.float32).isnan().tolist() == [False, True, False]
    state[1, 0] = float("inf")
    assert not cross_entropy(state, W, target, torch.float32).isfinite()


def test_arguments_are_not_changed() -> None:
    given = made(5, 6, 3, seed=4)
    before = [x.clone() for x in given]
    state, W, target = given
    log_probability(state, W, target, torch.float32)
    cross_entropy(state.requires_grad_(), W.requires_grad_(), target, torch.float32).backward()  # type: ignore[no-untyped-call]
    assert all(torch.equal(one.detach(), two) for one, two in zip(given, before, strict=True))
