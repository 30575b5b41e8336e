"""The end-to-end memory network for question answering (sections 2 and 4 of the paper).

For a question q and the sentences x_i of a story, with K hops::

    u_1     = B q                      first state: the question, encoded like a sentence
    m_i     = A^k x_i + T_A^k(i)       memory inputs of hop k
    c_i     = C^k x_i + T_C^k(i)       memory outputs of hop k
    p       = softmax(u_k . m_i)       (1) attention
    o_k     = sum_i p_i c_i            (2) reading
    u_{k+1} = u_k + o_k                (4) next state; H u_k + o_k with layer-wise tying; then an optional ReLU
    a       = softmax(W u_{K+1})       (3) answer

``QANetwork.hop`` computes (1), (2) and (4).

With layer-wise tying this is a recurrent network: each hop is a step, u is the hidden state, and o is the step's input.
A sentence in memory plays the part that a word plays in other RNNs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memn2n.qa.batch import Batch
from memn2n.qa.config import NetworkConfig
from memn2n.qa.networks.parts import attend, encode_sentences, official_position_weights, position_weights, read
from memn2n.qa.vocabulary import NULL, SPECIAL, UNKNOWN
from memn2n.settings import Range, Settings

_SIZES = Range(1, 10**8)


@dataclass(frozen=True)
class DataShape(Settings):
    """The sizes that the network takes from its training data."""

    vocabulary: Annotated[int, _SIZES]
    """Number of word ids, null and unknown included."""
    longest_sentence: Annotated[int, _SIZES]
    """Number of words of the longest sentence; J of encoding pe-official."""
    slots: Annotated[int, _SIZES]
    """Number of memory slots, which is also the number of times: the sentences of the longest story, at most
    ``memory_size``. In a longer story, the oldest sentences share the last time."""


class QANetwork(nn.Module):
    """An end-to-end memory network that answers questions about stories.

    ``tables`` has the embedding matrices, each (rows, d). With adjacent tying there are K + 1 of them: table k is both
    C^k and A^{k+1}, so that B is table 0 and W^T is table K. With layer-wise tying there are four, A, C, B and W, and
    ``H`` (d, d). ``times`` has T for each table that encodes memories, (slots, d). With ``temporal="word"`` the last
    rows of the tables take the place of ``times``.

    Args:
        config: the network's settings.
        shape: the sizes taken from the training data.
        generator: source of the random initial parameters; by default torch's global generator.
        init_std: standard deviation of the initial parameters.
    """

    def __init__(
        self, config: NetworkConfig, shape: DataShape, generator: torch.Generator | None = None, init_std: float = 0.1
    ) -> None:
        super().__init__()
        self.config = config
        self.shape = shape
        K = config.hops
        # the index of each hop's A and C, of B, and of W transposed
        if config.tying == "adjacent":
            n_tables = K + 1
            self.table_A, self.table_C, self.table_B, self.table_W = list(range(K)), list(range(1, K + 1)), 0, K
        else:
            n_tables = 4
            self.table_A, self.table_C, self.table_B, self.table_W = [0] * K, [1] * K, 2, 3
        self.memory_tables = sorted({*self.table_A, *self.table_C})
        rows = shape.vocabulary + (shape.slots if config.temporal == "word" else 0)

        def start(*size: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(size, generator=generator) * init_std)

        self.tables = nn.ParameterList(start(rows, config.dim) for _ in range(n_tables))
        n_times = len(self.memory_tables) if config.temporal == "add" else 0
        self.times = nn.ParameterList(start(shape.slots, config.dim) for _ in range(n_times))
        self.H = start(config.dim, config.dim) if config.tying == "layerwise" else None
        closed = torch.zeros(rows)  # added to the logits: -inf for rows that do not compete
        closed[UNKNOWN] = -torch.inf
        if config.answer_softmax == "words":
            closed[NULL] = -torch.inf
            closed[shape.vocabulary :] = -torch.inf
        self.register_buffer("closed", closed, persistent=False)
        self.closed: Tensor
        self.zero_null()
        with torch.no_grad():
            for table in self.tables:
                table[UNKNOWN] = 0  # an unknown word adds nothing until its embedding is trained

    @torch.no_grad()
    def zero_null(self) -> None:
        """Set the null word's embeddings to zero. Call this after every update of the parameters."""
        for table in self.tables:
            table[NULL] = 0

    def forward(
        self, batch: Batch, linear: bool = False
    ) -> tuple[Float[Tensor, "batch row"], Float[Tensor, "hop batch slot"]]:
        """Compute the logits of the answers and each hop's attention.

        Args:
            batch: stories and questions.
            linear: leave out the softmax of the attention (linear start, section 4.1).

        Returns:
            The logits, one for each table row, -inf for rows that do not compete; and the attention, latest sentence
            first.
        """
        slots = 0 if self.config.empty_slots == "mask" else self.shape.slots
        empty = (slots - batch.filled).clamp(min=0)
        memory = self._memories(batch)  # table -> (batch, slot, d)
        question = batch.question
        u = encode_sentences(question, self._position_weights(question), self.tables[self.table_B])  # (batch, d)
        attention = []
        for a, c in zip(self.table_A, self.table_C, strict=True):
            u, p = self.hop(u, memory[a], memory[c], batch.filled, empty, linear)
            attention.append(p)
        logits = u @ self.tables[self.table_W].T + self.closed  # (3) without its softmax
        return logits, torch.stack(attention)

    def hop(
        self,
        u: Float[Tensor, "batch dim"],
        m: Float[Tensor, "batch slot dim"],
        c: Float[Tensor, "batch slot dim"],
        filled: Int[Tensor, " batch"],
        empty: Int[Tensor, " batch"],
        linear: bool,
    ) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch slot"]]:
        """One hop: equations 1, 2 and 4. Returns the next state and the attention.

        ``m`` are the memory inputs, ``c`` the memory outputs; ``attend`` explains the other arguments.
        """
        p = attend(u, m, filled, empty, linear)  # (1)
        o = read(p, c)  # (2)
        u = o + (u if self.H is None else u @ self.H.T)  # (4)
        return (u.relu() if self.config.relu else u), p

    def best(self, logits: Float[Tensor, "batch row"]) -> Int[Tensor, " batch"]:
        """Id of the most probable word."""
        return logits[:, SPECIAL : self.shape.vocabulary].argmax(1) + SPECIAL

    def words(self, logits: Float[Tensor, "batch row"]) -> Float[Tensor, "batch word"]:
        """Probabilities of the words as answers; column 0 is the word of id ``SPECIAL``."""
        return logits.softmax(1)[:, SPECIAL : self.shape.vocabulary]

    @property
    def _longest(self) -> int:
        """J of encoding pe-official. A time word is one more word of the sentence."""
        return self.shape.longest_sentence + (self.config.temporal == "word")

    def _position_weights(self, words: Int[Tensor, "sentence word"]) -> Float[Tensor, "sentence word dim"] | None:
        return position_weights(words, dim=self.config.dim, encoding=self.config.encoding, longest=self._longest,
                                last=self.shape.longest_sentence, dtype=self.tables[0].dtype)  # fmt: skip

    def _memories(self, batch: Batch) -> dict[int, Float[Tensor, "batch slot dim"]]:
        """The memory vectors by each table that encodes memories, including their times (m_i and c_i)."""
        weights = self._position_weights(batch.sentences)  # (distinct, word, d)
        time = batch.time.clamp(max=self.shape.slots - 1)
        time_weight = self._time_weight()
        memories = {}
        for table in self.memory_tables:
            encoded = encode_sentences(batch.sentences, weights, self.tables[table])  # (distinct, d)
            memories[table] = nn.functional.embedding(batch.memory, encoded)  # (batch, slot, d)
            if self.config.temporal != "none":
                T = self.times[table] if self.config.temporal == "add" else self.tables[table][self.shape.vocabulary :]
                T = T if time_weight is None else T * time_weight  # (slots, d)
                memories[table] = memories[table] + nn.functional.embedding(time, T)
        return memories

    def _time_weight(self) -> Float[Tensor, "1 dim"] | None:
        """The position weight of a time word, the last word of its sentence; None if the weight is 1."""
        if self.config.temporal != "word" or self.config.encoding == "bow":
            return None
        table = self.tables[0]
        k = torch.arange(1, self.config.dim + 1, dtype=table.dtype, device=table.device)
        last = torch.full((1, 1), self._longest, dtype=table.dtype, device=table.device)
        return official_position_weights(k, last, self.config.dim, self._longest)
