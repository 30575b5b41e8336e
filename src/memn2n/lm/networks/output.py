"""The last equation of the network, a = softmax(W u), and its loss, in blocks of words.

The logits of a batch (words x vocabulary) are its largest array by far. Here they exist for one block of words at a
time, and their gradient overwrites them, so that memory does not grow with the batch.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

_BLOCK_BYTES = 20 * 2**20  # of the logits of a block
LEAST_ROWS = 256  # of a block, even if they take more bytes: each block reads W and its gradient once
_COLUMNS = 8  # a float32 product is a third faster if its result has a multiple of 8 columns
_TINY = 1e-38


def cross_entropy(
    state: Float[Tensor, "word dim"],
    W: Float[Tensor, "vocabulary dim"],
    target: Int[Tensor, " word"],
    precision: torch.dtype,
) -> Float[Tensor, ""]:
    """Sum the losses -log softmax(W u)[target] of some words, in nats; a word's loss is at most 87 (float32's range).

    The gradient is computed together with the loss, so this cannot be differentiated twice.

    Args:
        state: u of each word.
        W: output matrix.
        target: ids of the words.
        precision: of the products; bfloat16 for speed.
    """
    return _CrossEntropy.apply(state, W, target, precision)  # type: ignore[no-any-return, no-untyped-call]


@torch.no_grad()
def log_probability(
    state: Float[Tensor, "word dim"],
    W: Float[Tensor, "vocabulary dim"],
    target: Int[Tensor, " word"],
    precision: torch.dtype,
) -> Float[Tensor, " word"]:
    """Return the log-probability of each target, in nats; the arguments are those of ``cross_entropy``."""
    found = torch.empty(len(state), dtype=W.dtype, device=W.device)
    table = W.to(precision)
    logits = _workspace(state, W, precision)
    for block in _blocks(state, logits):
        z = torch.mm(state[block].to(precision), table.T, out=logits[: len(state[block])])  # (block, vocabulary)
        torch.log_softmax(z, 1, out=z)
        found[block] = z.gather(1, target[block, None])[:, 0].to(W.dtype)
    return found


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, state: Tensor, W: Tensor, target: Tensor, precision: torch.dtype) -> Tensor:
        d_state = torch.empty_like(state)
        d = state.shape[1]
        odd = -d % _COLUMNS
        d_W = torch.zeros(0, dtype=W.dtype)  # (vocabulary, d + odd), computed by the first block
        loss = torch.zeros((), dtype=W.dtype, device=W.device)
        table = W.to(precision)
        logits = _workspace(state, W, precision)
        for block in _blocks(state, logits):
            u = state[block].to(precision)
            z = torch.mm(u, table.T, out=logits[: len(u)])  # (block, vocabulary)
            p = torch.softmax(z, 1, out=z)
            at = (torch.arange(len(u), device=u.device), target[block])
            p_target = p[at].to(W.dtype)
            loss -= p_target.clamp(min=_TINY).log().sum()
            p[at] = (p_target - 1).to(precision)  # from here on, p is the gradient of the logits
            d_state[block] = p @ table
            u = pad(u, (0, odd))
            if block.start == 0:
                d_W = (p.T @ u).to(W.dtype)
            elif precision == W.dtype:
                d_W.addmm_(p.T, u)
            else:
                d_W += p.T @ u
        ctx.gradients = d_state, d_W[:, :d].contiguous() if len(state) else torch.zeros_like(W)
        return loss

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        d_state, d_W = ctx.gradients
        del ctx.gradients
        return d_state.mul_(gradient), d_W.mul_(gradient), None, None


def _workspace(state: Tensor, W: Tensor, precision: torch.dtype) -> Tensor:
    rows = max(1, min(len(state), max(LEAST_ROWS, _BLOCK_BYTES // (len(W) * precision.itemsize))))
    return torch.empty(rows, len(W), dtype=precision, device=W.device)


def _blocks(state: Tensor, workspace: Tensor) -> list[slice]:
    return [slice(at, at + len(workspace)) for at in range(0, len(state), len(workspace))]
