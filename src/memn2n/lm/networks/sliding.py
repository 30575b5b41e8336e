"""All hops of L consecutive positions at once, without a window being gathered.

Position l looks at the N words before it, which are columns l .. l + N - 1 of the L + N - 1 words that the positions
look at together. So a hop's scores are the diagonals of one dense product, and what it reads is another; a strided view
of the (position, word) matrix gives the diagonals. The derivative is written by hand: autograd would need many more
operations, which are so small that their number counts. ``LMNetwork.windows`` is the same written plainly.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Hops(NamedTuple):
    """How the hops are made.

    Args:
        number: K.
        query: every component of the first state.
        linear: how many components of the state stay linear.
        hidden: (batch, position, slot) slots that hold no word, None where all do.
        kept: of each hop, (batch, position, d) factors of the state after it, for dropout; None for none.
    """

    number: int
    query: float
    linear: int
    hidden: Bool[Tensor, "batch position slot"] | None
    kept: tuple[Tensor | None, ...]


def slide(
    E_A: Float[Tensor, "batch word dim"],
    E_B: Float[Tensor, "batch word dim"],
    T_A: Float[Tensor, "slot dim"],
    T_B: Float[Tensor, "slot dim"],
    H: Float[Tensor, "dim dim"],
    hops: Hops,
) -> tuple[Float[Tensor, "batch position dim"], Float[Tensor, "hop batch position slot"]]:
    """States after the last hop, and each hop's attention, which takes no gradient.

    Args:
        E_A: the words that the positions look at, as memory inputs, oldest first.
        E_B: the same as memory outputs.
        T_A: times as memory inputs, oldest first.
        T_B: the same as memory outputs.
        H: the state's own way from hop to hop.
        hops: how.
    """
    return _Slide.apply(E_A, E_B, T_A, T_B, H, hops)  # type: ignore[no-any-return, no-untyped-call]


class _Slide(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, E_A: Tensor, E_B: Tensor, T_A: Tensor, T_B: Tensor, H: Tensor, hops: Hops
    ) -> tuple[Tensor, Tensor]:
        b, M, d = E_A.shape
        N = len(T_A)
        L = M - N + 1
        q = E_A.new_full((d,), hops.query)
        attention = E_A.new_empty(hops.number, b, L, N)
        states = E_A.new_empty(hops.number, b * L, d)  # after each hop
        wide, band = _wide(E_A, N)
        for hop, (p, u_next) in enumerate(zip(attention, states, strict=True)):
            if hop == 0:  # all positions ask the same of a word
                scores = (E_A @ q).unfold(1, N, 1) + T_A @ q  # (b, L, N)
                own = H @ q  # (d)
            else:
                u = states[hop - 1]  # (b L, d)
                scores = (u @ T_A.T).view(b, L, N)
                scores += _diagonals(u.view(b, L, d) @ E_A.transpose(1, 2), N)
                own = u @ H.T  # (b L, d)
            if hops.hidden is not None:
                scores.masked_fill_(hops.hidden, -math.inf)
            torch.softmax(scores, 2, out=p)  # (1)
            band.copy_(p)
            torch.add((wide @ E_B).view(b * L, d), own, out=u_next)
            u_next.addmm_(p.view(b * L, N), T_B)  # (2), (4)
            u_next[:, hops.linear :].relu_()
            if (kept := hops.kept[hop]) is not None:
                u_next *= kept.view(b * L, d)
        ctx.hops = hops
        ctx.save_for_backward(E_A, E_B, T_A, T_B, H, attention, states)
        ctx.mark_non_differentiable(attention)
        ctx.set_materialize_grads(False)  # or a gradient of zeros would be made for the attention, as large as it is
        return states[-1].view(b, L, d), attention

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, d_state: Tensor | None, _: None) -> tuple[Tensor | None, ...]:
        if d_state is None:
            return (None,) * 6
        E_A, E_B, T_A, T_B, H, attention, states = ctx.saved_tensors
        hops: Hops = ctx.hops
        b, _, d = E_A.shape
        N = len(T_A)
        L = attention.shape[2]
        q = E_A.new_full((d,), hops.query)
        d_E_A, d_E_B, d_T_A, d_T_B, d_H = (torch.zeros_like(x) for x in (E_A, E_B, T_A, T_B, H))
        wide, band = _wide(E_A, N)
        g = d_state.reshape(b * L, d).clone()  # the gradient of the state after the hop
        for hop in reversed(range(hops.number)):
            p = attention[hop]
            if (kept := hops.kept[hop]) is not None:
                g *= kept.view(b * L, d)
            g[:, hops.linear :] *= states[hop][:, hops.linear :] > 0
            blocks = g.view(b, L, d)
            d_T_B.addmm_(p.view(b * L, N).T, g)
            band.copy_(p)
            d_E_B.baddbmm_(wide.transpose(1, 2), blocks)
            d_p = (g @ T_B.T).view(b, L, N)
            d_p += _diagonals(blocks @ E_B.transpose(1, 2), N)
            d_scores = torch._softmax_backward_data(d_p, p, 2, p.dtype)
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
        return d_E_A, d_E_B, d_T_A, d_T_B, d_H, None


def _wide(E: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """A matrix of zeros, (batch, position, word), and the view of it that is the positions' windows."""
    b, M, _ = E.shape
    wide = E.new_zeros(b, M - size + 1, M)
    return wide, _diagonals(wide, size)


def _diagonals(matrix: Tensor, size: int) -> Tensor:
    """(batch, position, word) -> (batch, position, slot): slot j of position l is word l + j."""
    b, L, M = matrix.shape
    return matrix.as_strided((b, L, size), (L * M, M + 1, 1))
