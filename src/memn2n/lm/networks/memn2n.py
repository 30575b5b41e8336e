"""The language model of the paper's section 5: a memory network whose memory is the previous words.

For the N words x_1 .. x_N before a position, oldest first, with K hops and layer-wise tying::

    u_1     = (q, .., q)                         a constant query
    m_i     = A x_i + T_A(N - i)                 memory input: word and time; the latest word has time 0
    c_i     = C x_i + T_C(N - i)                 memory output
    p       = softmax(u_k . m_i)                 (1)  attention
    o_k     = sum_i p_i c_i                      (2)
    u_{k+1} = f(H u_k + o_k)                     (4)  f: ReLU on all but the first ``linear`` components
    a       = softmax(W u_{K+1})                 (3)  the next word, after the last hop

Seen as a recurrent network, the hops are its steps, u is its hidden state, and the memory output is its input.

``LMNetwork.windows`` computes the hops as they are written here: each position has a memory of its own.
``LMNetwork.forward`` computes the same for L consecutive positions, and embeds L + N words rather than L x N: the score
is u . A x_i + u . T_A(N - i), and both terms are dense products (sliding.py). A test compares the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding

from memn2n.lm.config import KIND, LMConfig
from memn2n.lm.networks.sliding import Hops, slide

if TYPE_CHECKING:
    from collections.abc import Mapping


class States(NamedTuple):
    """The network's output for some positions.

    Args:
        state: u after the last hop.
        attention: p of each hop, oldest word first.
    """

    state: Float[Tensor, "batch position dim"]
    attention: Float[Tensor, "hop batch position slot"]


@dataclass(frozen=True)
class Dropout:
    """Sets random components to zero and scales up the others, so that the expected value does not change."""

    embedding: float  # share of the components of embedded words that are dropped
    hop: float  # the same for the state after each hop but the last
    state: float  # the same for the state after the last hop
    generator: torch.Generator  # on the network's device

    def embedded(self, E: Float[Tensor, "batch word dim"]) -> Float[Tensor, "batch word dim"]:
        """Drop components of embedded words."""
        factors = self._factors(E, self.embedding)
        return E if factors is None else E * factors

    def states(self, like: Float[Tensor, "batch position dim"], hops: int) -> tuple[Tensor | None, ...]:
        """Draw the factors that the state after each hop is multiplied by; None where nothing is dropped.

        Args:
            like: a tensor of the state's shape, type and device.
            hops: number of hops K.
        """
        return (*(self._factors(like, self.hop) for _ in range(hops - 1)), self._factors(like, self.state))

    def _factors(self, like: Tensor, rate: float) -> Tensor | None:
        """0 for each dropped component and 1 / (1 - rate) for the others; None if the rate is 0."""
        dropped = round(rate * 2**16)  # of 2**16: drawing random bits is ten times faster than drawing random reals
        if not dropped:
            return None
        bits = torch.empty(-(-like.numel() // 4), dtype=torch.int64, device=like.device)
        bits.random_(-(2**63), None, generator=self.generator)
        drawn = bits.view(torch.int16)[: like.numel()].view(like.shape)  # -2**15 to 2**15 - 1
        return (drawn >= dropped - 2**15).to(like.dtype).mul_(2**16 / (2**16 - dropped))


class LMNetwork(nn.Module):
    """An end-to-end memory network that predicts the next word.

    Its parameters have the paper's names: A, C and W (vocabulary, d), T_A and T_C (N, d) and H (d, d). With ``tied``
    output, W is None and C is the output matrix.

    Args:
        config: settings.
        vocabulary: number of words.
        generator: source of the random initial parameters; by default PyTorch's global one.
        init_std: their standard deviation.
    """

    kind: ClassVar[str] = KIND
    """Kind of a saved model of this network."""

    def __init__(
        self, config: LMConfig, vocabulary: int, generator: torch.Generator | None = None, init_std: float = 0.05
    ) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.sparse = False  # whether the gradients of A and C are sparse
        d, N = config.dim, config.memory_size

        def random(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=generator, dtype=torch.float32) * init_std)

        self.A, self.C = random(vocabulary, d), random(vocabulary, d)
        self.T_A, self.T_C = random(N, d), random(N, d)
        self.H = random(d, d)
        self.W = None if config.tied else random(vocabulary, d)

    @property
    def output_matrix(self) -> Float[Tensor, "vocabulary dim"]:
        """W, or C with tied output."""
        return self.C if self.W is None else self.W

    def windows(
        self, words: Int[Tensor, "batch word"], missing: Int[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "batch position dim"]:
        """Compute the states of ``forward`` by the equations: the reference that ``forward`` is tested against."""
        N, L = self.config.memory_size, words.shape[1] - self.config.memory_size + 1
        x = words.unfold(1, N, 1)  # (batch, L, N)
        m = embedding(x, self.A) + self.T_A.flip(0)  # (batch, L, N, d)
        c = embedding(x, self.C) + self.T_C.flip(0)  # (batch, L, N, d)
        u = self.A.new_full((len(words), L, self.config.dim), self.config.query)
        for _ in range(self.config.hops):
            scores = torch.einsum("bld,blnd->bln", u, m)
            if missing is not None:
                scores = scores.masked_fill(_empty_slots(missing, L, N), -math.inf)
            p = scores.softmax(2)  # (1)
            o = torch.einsum("bln,blnd->bld", p, c)  # (2)
            u = u @ self.H.T + o  # (4)
            linear = self.config.linear_components
            u = torch.cat([u[..., :linear], u[..., linear:].relu()], -1)
        return u

    def forward(
        self,
        words: Int[Tensor, "batch word"],
        missing: Int[Tensor, " batch"] | None = None,
        dropout: Dropout | None = None,
        precision: torch.dtype | None = None,
    ) -> States:
        """Compute the states of L consecutive positions a row. Position l reads words l .. l + N - 1 to predict l + N.

        Args:
            words: ids of the N + L - 1 words that the positions read.
            missing: number of ids at the start of each row that stand before the beginning of the text, at most N - 1.
                The network ignores them. None means that every row is complete.
            dropout: in training.
            precision: of the products, such as bfloat16; by default that of the parameters.
        """
        config = self.config
        N, L = config.memory_size, words.shape[1] - config.memory_size + 1
        E_A, E_C = (embedding(words, table, sparse=self.sparse) for table in (self.A, self.C))  # (batch, word, d)
        factors: tuple[Tensor | None, ...] = (None,) * config.hops
        if dropout is not None:
            E_A, E_C = dropout.embedded(E_A), dropout.embedded(E_C)
            factors = dropout.states(E_A[:, :L], config.hops)
        empty = None if missing is None else _empty_slots(missing, L, N)
        H: Tensor = self.H
        hops = Hops(config.hops, config.query, config.linear_components, empty, factors)
        T_A, T_C = self.T_A.flip(0), self.T_C.flip(0)  # (N, d), oldest first
        if precision is not None:
            E_A, E_C, T_A, T_C, H = (x.to(precision) for x in (E_A, E_C, T_A, T_C, H))
        state, attention = slide(E_A, E_C, T_A, T_C, H, hops)
        return States(state.to(self.A.dtype), attention)


def own_computation(network: nn.Module) -> str:
    """Why a network may compute something else than ``LMNetwork`` with the same parameters; "" if it does not."""
    if type(network) is not LMNetwork:
        return f"its class is {type(network).__name__}"  # torch.nn.utils.parametrize changes the class too
    if "forward" in vars(network):
        return "its forward was replaced"
    if network._forward_hooks or network._forward_pre_hooks:
        return "it has forward hooks"
    return ""


V = TypeVar("V")
_RENAMED = {"B": "C", "T_B": "T_C", "own_W": "W"}


def current_names(tensors: Mapping[str, V]) -> dict[str, V]:
    """Rename parameters of models and checkpoints that memn2n wrote when it called C, T_C and W by other names."""

    def current(name: str) -> str:
        prefix, dot, parameter = name.rpartition(".")  # a checkpoint also has exp_avg.B, for example
        return prefix + dot + _RENAMED.get(parameter, parameter)

    return {current(name): tensor for name, tensor in tensors.items()}


def _empty_slots(missing: Int[Tensor, " batch"], positions: int, slots: int) -> Tensor:
    """Mark the slots of each position that stand before the beginning of the text: (batch, position, slot)."""
    position = torch.arange(positions, device=missing.device)[:, None]
    slot = torch.arange(slots, device=missing.device)
    return position + slot < missing[:, None, None]
