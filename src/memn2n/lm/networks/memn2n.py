"""The language model of the paper's section 5: a memory network whose memory is the previous words.

For the N words x_1 .. x_N before a position, oldest first, with K hops and layer-wise tying::

    u_1     = (q, .., q)                         a constant query
    m_i     = A x_i + T_A(N - i)                 memory input: word and time, the latest word having time 0
    c_i     = B x_i + T_B(N - i)                 memory output
    p       = softmax(u_k . m_i)                 (1)
    o_k     = sum_i p_i c_i                      (2)
    u_{k+1} = f(H u_k + o_k)                     (4); f: ReLU on all but the first ``linear`` components
    a       = softmax(W u_{K+1})                 (3)

Seen as a recurrent network, the hops are its steps, u is its hidden state, and what is read from memory is its input.

``LMNetwork.windows`` is this, written down plainly: every position has a window of its own. ``LMNetwork.forward`` is
the same for L consecutive positions at the cost of L + N embedded words rather than L x N: the score splits into
u . A x_i + u . T_A(N - i), and both parts are dense products (nn/sliding.py). A test holds the two equal.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding

from memn2n.lm.config import LMConfig
from memn2n.lm.networks.sliding import Hops, slide


class States(NamedTuple):
    """What the network makes of some positions.

    Args:
        state: u after the last hop.
        attention: p of each hop, oldest word first.
    """

    state: Float[Tensor, "batch position dim"]
    attention: Float[Tensor, "hop batch position slot"]


class Dropout:
    """Sets random components to zero and scales the others up, so that their mean stays.

    Args:
        embedding: share of the components of embedded words.
        hop: of the state after each hop but the last.
        state: of the state after the last hop.
        generator: where the randomness comes from; it must be on the network's device.
    """

    def __init__(self, embedding: float, hop: float, state: float, generator: torch.Generator) -> None:
        self._embedding = embedding
        self._hop = hop
        self._state = state
        self._generator = generator

    def embedded(self, E: Float[Tensor, "batch word dim"]) -> Float[Tensor, "batch word dim"]:
        """Embedded words with some components dropped."""
        kept = self._kept(E, self._embedding)
        return E if kept is None else E * kept

    def states(self, like: Float[Tensor, "batch position dim"], hops: int) -> tuple[Tensor | None, ...]:
        """For each hop a factor for each component of the state after it, None where all are kept.

        Args:
            like: of the shape of a state.
            hops: K.
        """
        return (*(self._kept(like, self._hop) for _ in range(hops - 1)), self._kept(like, self._state))

    def _kept(self, like: Tensor, rate: float) -> Tensor | None:
        """0 where a component is dropped, otherwise what makes up for it; None where none is."""
        dropped = round(rate * 2**16)  # of 2**16: random bits are made ten times sooner than random reals are compared
        if not dropped:
            return None
        bits = torch.empty(-(-like.numel() // 4), dtype=torch.int64, device=like.device)
        bits.random_(-(2**63), None, generator=self._generator)
        drawn = bits.view(torch.int16)[: like.numel()].view(like.shape)  # -2**15 to 2**15 - 1
        return (drawn >= dropped - 2**15).to(like.dtype).mul_(2**16 / (2**16 - dropped))


class LMNetwork(nn.Module):
    """An end-to-end memory network that predicts the next word.

    Its parameters are A, B and W (vocabulary, d), T_A and T_B (N, d) and H (d, d); with ``tied`` output W is B.

    Args:
        config: settings.
        vocabulary: number of words.
        generator: where the parameters' random start comes from; torch's global one by default.
        init_std: its standard deviation.
    """

    def __init__(
        self, config: LMConfig, vocabulary: int, generator: torch.Generator | None = None, init_std: float = 0.05
    ) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.sparse = False
        d, N = config.dim, config.memory_size

        def start(*size: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(size, generator=generator) * init_std)

        self.A, self.B = start(vocabulary, d), start(vocabulary, d)
        self.T_A, self.T_B = start(N, d), start(N, d)
        self.H = start(d, d)
        self.own_W = None if config.tied else start(vocabulary, d)

    @property
    def W(self) -> Float[Tensor, "vocabulary dim"]:
        """The output matrix."""
        return self.B if self.own_W is None else self.own_W

    def windows(
        self, words: Int[Tensor, "batch word"], missing: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch position dim"]:
        """The reference: ``forward``'s states, with one memory a position and nothing shared."""
        N, L = self.config.memory_size, words.shape[1] - self.config.memory_size + 1
        x = words.unfold(1, N, 1)  # (batch, L, N)
        m = embedding(x, self.A) + self.T_A.flip(0)  # (batch, L, N, d)
        c = embedding(x, self.B) + self.T_B.flip(0)  # (batch, L, N, d)
        u = self.query().expand(len(words), L, -1)  # (batch, L, d)
        for _ in range(self.config.hops):
            scores = torch.einsum("bld,blnd->bln", u, m)
            if missing is not None:
                scores = scores.masked_fill(_absent(missing, L, N), -math.inf)
            p = scores.softmax(2)  # (1)
            o = torch.einsum("bln,blnd->bld", p, c)  # (2)
            u = self.activate(u @ self.H.T + o)  # (4)
        return u

    def forward(
        self,
        words: Int[Tensor, "batch word"],
        missing: Int[Tensor, " batch"] | None = None,
        dropout: Dropout | None = None,
        precision: torch.dtype | None = None,
    ) -> States:
        """States for L consecutive positions a row; position l looks at words l .. l + N - 1, its word is l + N.

        Args:
            words: ids of the N + L - 1 words that the positions look at.
            missing: how many of a row's first words do not exist, the text having begun later; at most N - 1, so
                that every position has a word to look at. What stands there is of no effect. None: all exist.
            dropout: in training.
            precision: of the products, such as bfloat16; that of the parameters by default.
        """
        config = self.config
        N, L = config.memory_size, words.shape[1] - config.memory_size + 1
        E_A, E_B = (embedding(words, table, sparse=self.sparse) for table in (self.A, self.B))  # (batch, word, d)
        kept: tuple[Tensor | None, ...] = (None,) * config.hops
        if dropout is not None:
            E_A, E_B = dropout.embedded(E_A), dropout.embedded(E_B)
            kept = dropout.states(E_A[:, :L], config.hops)
        hidden = None if missing is None else _absent(missing, L, N)
        H: Tensor = self.H
        hops = Hops(config.hops, config.query, config.linear_components, hidden, kept)
        T_A, T_B = self.T_A.flip(0), self.T_B.flip(0)  # (N, d), oldest first
        if precision is not None:
            E_A, E_B, T_A, T_B, H = (x.to(precision) for x in (E_A, E_B, T_A, T_B, H))
        state, attention = slide(E_A, E_B, T_A, T_B, H, hops)
        return States(state.to(self.A.dtype), attention)

    def query(self) -> Float[Tensor, " dim"]:
        """The constant first state."""
        return torch.full((self.config.dim,), self.config.query, dtype=self.A.dtype, device=self.A.device)

    def activate(self, u: Float[Tensor, "*position dim"]) -> Float[Tensor, "*position dim"]:
        """ReLU on all but the first ``linear`` components."""
        linear = self.config.linear_components
        if linear == self.config.dim:
            return u
        return u.relu() if linear == 0 else torch.cat([u[..., :linear], u[..., linear:].relu()], -1)


def _absent(missing: Int[Tensor, " batch"], positions: int, slots: int) -> Tensor:
    """Which slots of each position hold no word, the text having begun later: (batch, position, slot)."""
    position = torch.arange(positions, device=missing.device)[:, None]
    slot = torch.arange(slots, device=missing.device)
    return position + slot < missing[:, None, None]
