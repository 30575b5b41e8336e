"""All hops of L consecutive positions at once, without one memory a position.

Position l reads columns l .. l + N - 1 of the L + N - 1 words that all positions read together. So the scores of a hop
are diagonals of one dense product, and the memory output is a second one. A strided view of the (position, word) matrix
gives the diagonals. The derivative is written by hand, because autograd would run many more operations, which are so
small that their number matters. ``LMNetwork.windows`` computes the same by the equations.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Hops(NamedTuple):
    """Settings and masks of the hops.

    Args:
        number: K.
        query: every component of the first state.
        linear: number of components of the state that have no ReLU.
        empty: (batch, position, slot) slots without a word; None if there are none.
        factors: for each hop, the (batch, position, d) dropout factors of the state after it, or None.
    """

    number: int
    query: float
    linear: int
    empty: Bool[Tensor, "batch position slot"] | None
    factors: tuple[Tensor | None, ...]


def slide(
    E_A: Float[Tensor, "batch word dim"],
    E_C: Float[Tensor, "batch word dim"],
    T_A: Float[Tensor, "slot dim"],
    T_C: Float[Tensor, "slot dim"],
    H: Float[Tensor, "dim dim"],
    hops: Hops,
) -> tuple[Float[Tensor, "batch position dim"], Float[Tensor, "hop batch position slot"]]:
    """Compute the hops of L positions.

    Args:
        E_A: the N + L - 1 words that the positions read, embedded by A, oldest first.
        E_C: the same words, embedded by C.
        T_A: times of the N slots for memory inputs, oldest first.
        T_C: the same for memory outputs.
        H: the linear map from a hop's state to the next one's.
        hops: settings and masks.

    Returns:
        The states after the last hop, and each hop's attention, which has no gradient.
    """
    return _Slide.apply(E_A, E_C, T_A, T_C, H, hops)  # type: ignore[no-any-return, no-untyped-call]


class _Slide(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, E_A: Tensor, E_C: Tensor, T_A: Tensor, T_C: Tensor, H: Tensor, hops: Hops
    ) -> tuple[Tensor, Tensor]:
        b, M, d = E_A.shape
        N = len(T_A)
        L = M - N + 1
        q = E_A.new_full((d,), hops.query)
        attention = E_A.new_empty(hops.number, b, L, N)
        states = E_A.new_empty(hops.number, b * L, d)  # after each hop
        wide, band = _wide(E_A, N)
        for hop, (p, u_next) in enumerate(zip(attention, states, strict=True)):
            if hop == 0:  # the query is the same at all positions
                scores = (E_A @ q).unfold(1, N, 1) + T_A @ q  # (b, L, N)
                own = H @ q  # (d)
            else:
                u = states[hop - 1]  # (b L, d)
                scores = (u @ T_A.T).view(b, L, N)
                scores += _diagonals(u.view(b, L, d) @ E_A.transpose(1, 2), N)
                own = u @ H.T  # (b L, d)
            if hops.empty is not None:
                scores.masked_fill_(hops.empty, -math.inf)
            torch.softmax(scores, 2, out=p)  # (1)
            band.copy_(p)
            torch.add((wide @ E_C).view(b * L, d), own, out=u_next)
            u_next.addmm_(p.view(b * L, N), T_C)  # (2), (4)
            u_next[:, hops.linear :].relu_()
            if (factors := hops.factors[hop]) is not None:
                u_next *= factors.view(b * L, d)
        ctx.hops = hops
        ctx.save_for_backward(E_A, E_C, T_A, T_C, H, attention, states)
        ctx.mark_non_differentiable(attention)
        ctx.set_materialize_grads(False)  # otherwise PyTorch allocates zeros as gradients of the attention
        return states[-1].view(b, L, d), attention

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_state: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
        if d_state is None:
            return (None,) * 6
        E_A, E_C, T_A, T_C, H, attention, states = ctx.saved_tensors
        hops: Hops = ctx.hops
        b, _, d = E_A.shape
        N = len(T_A)
        L = attention.shape[2]
        q = E_A.new_full((d,), hops.query)
        d_E_A, d_E_C, d_T_A, d_T_C, d_H = (torch.zeros_like(x) for x in (E_A, E_C, T_A, T_C, H))
        wide, band = _wide(E_A, N)
        g = d_state.reshape(b * L, d).clone()  # the gradient of the state after the hop
        for hop in reversed(range(hops.number)):
            p = attention[hop]
            if (factors := hops.factors[hop]) is not None:
                g *= factors.view(b * L, d)
            g[:, hops.linear :] *= states[hop][:, hops.linear :] > 0
            blocks = g.view(b, L, d)
            d_T_C.addmm_(p.view(b * L, N).T, g)
            band.copy_(p)
            d_E_C.baddbmm_(wide.transpose(1, 2), blocks)
            d_p = (g @ T_C.T).view(b, L, N)
            d_p += _diagonals(blocks @ E_C.transpose(1, 2), N)
            d_scores = softmax_backward(p, d_p)
            band.copy_(d_scores)
            if hop == 0:
                d_E_A += wide.sum(1)[:, :, None] * q
                d_T_A += d_scores.sum((0, 1))[:, None] * q
                d_H += g.sum(0)[:, None] * q
            else:
                u, d_s = states[hop - 1], d_scores.view(b * L, N)
                d_E_A.baddbmm_(wide.transpose(1, 2), u.view(b, L, d))
                d_T_A.addmm_(d_s.T, u)
                d_H.addmm_(g.T, u)
                g = (g @ H).addmm_(d_s, T_A)
                g.view(b, L, d).baddbmm_(wide, E_A)
        return d_E_A, d_E_C, d_T_A, d_T_C, d_H, None


def softmax_backward(p: Tensor, d_p: Tensor) -> Tensor:
    """Return the gradient of scores whose softmax over the last dimension is p, from the gradient d_p of p.

    This is the operator that autograd runs itself. The formula p (d_p - sum(p d_p)) in public operations gives other
    last digits, and a step takes 3% longer. ``torch.autograd.grad`` within a backward pass takes 0.6 ms a hop, 8% of a
    step. A test compares this function with autograd, in case a version of PyTorch changes the operator.
    """
    return torch.ops.aten._softmax_backward_data(d_p, p, -1, p.dtype)  # type: ignore[no-any-return]


def _wide(E: Tensor, slots: int) -> tuple[Tensor, Tensor]:
    """Return a (batch, position, word) tensor of zeros, and the view of it that holds each position's slots."""
    b, M, _ = E.shape
    wide = E.new_zeros(b, M - slots + 1, M)
    return wide, _diagonals(wide, slots)


def _diagonals(matrix: Tensor, slots: int) -> Tensor:
    """View (batch, position, word) as (batch, position, slot): slot j of position l is word l + j."""
    b, L, M = matrix.shape
    return matrix.as_strided((b, L, slots), (L * M, M + 1, 1))
