"""The end-to-end memory network for question answering (sections 2 and 4 of the paper).

For a question q and the sentences x_i of a story, with K hops::

    u_1     = B q                      first state: the question, encoded like a sentence
    m_i     = A^k x_i + T_A^k(i)       memory inputs of hop k
    c_i     = C^k x_i + T_C^k(i)       memory outputs of hop k
    p       = softmax(u_k . m_i)       (1) attention
    o_k     = sum_i p_i c_i            (2) reading
    u_{k+1} = u_k + o_k                (4) next state; H u_k + o_k if there is H; then an optional ReLU
    a       = softmax(W u_{K+1})       (3) answer

``QANetwork.hop`` computes (1), (2) and (4). The gated network (Liu and Perez, Gated End-to-End Memory Networks, 2016)
has another (4)::

    T       = sigmoid(G_k u_k + b_k)   gate, one for each component
    u_{k+1} = u_k (1 - T) + o_k T      H u_k in the place of the first u_k if there is H

With layer-wise tying this is a recurrent network: each hop is a step, u is the hidden state, and o is the step's input.
A sentence in memory plays the part that a word plays in other RNNs.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memn2n.qa.batch import Batch
from memn2n.qa.config import DataShape, NetworkConfig
from memn2n.qa.networks import SOFTMAX, Loss, Stage
from memn2n.qa.networks.parts import (
    attend,
    encode_sentences,
    loss_of,
    official_position_weights,
    position_weights,
    read,
)
from memn2n.qa.vocabulary import NULL, UNKNOWN


class QANetwork(nn.Module):
    """An end-to-end memory network that answers questions about stories.

    ``NetworkConfig.parameters`` explains the parameters, and ``NetworkConfig.tables`` which hop uses which table. With
    ``temporal="word"`` the last rows of the tables take the place of ``times``.

    Args:
        config: the network's settings.
        shape: the sizes taken from the training data.
        tensors: the parameters by name; the network uses their memory.
    """

    def __init__(self, config: NetworkConfig, shape: DataShape, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.config = config
        self.shape = shape
        self.of_hop = config.tables

        def named(prefix: str) -> nn.ParameterList:
            return nn.ParameterList(tensor for name, tensor in tensors.items() if name.startswith(f"{prefix}."))

        self.tables = named("tables")
        self.times = named("times")
        self.gates = named("gates")
        self.gate_biases = named("gate_biases")
        self.H = nn.Parameter(tensors["H"]) if "H" in tensors else None
        rows = len(tensors["tables.0"])
        # Added to the logits: -inf for rows that do not compete.
        closed = torch.zeros(rows, dtype=torch.float32, device=tensors["tables.0"].device)
        closed[UNKNOWN] = -torch.inf
        if config.answer_softmax == "words":
            closed[NULL] = -torch.inf
            closed[shape.vocabulary :] = -torch.inf
        self.register_buffer("closed", closed, persistent=False)
        self.closed: Tensor

    def forward(
        self, batch: Batch[Tensor], stage: Stage = SOFTMAX
    ) -> tuple[Float[Tensor, "batch row"], Float[Tensor, "hop batch slot"]]:
        """Compute the logits of the answers and each hop's attention.

        Args:
            batch: stories and questions.
            stage: whether the softmax of the attention is left out.

        Returns:
            The logits; and the attention, latest sentence first. There is a logit for each candidate or, without
            candidates, for each row of a table, -inf for rows that do not compete.
        """
        slots = 0 if self.config.empty_slots == "mask" else self.shape.slots
        empty = (slots - batch.filled).clamp(min=0)
        memory = self._memories(batch)  # table -> (batch, slot, d)
        u = self._encode(batch.question, self.of_hop.B)  # (batch, d)
        attention = []
        for k in range(self.config.hops):
            m, c = memory[self.of_hop.A[k]], memory[self.of_hop.C[k]]
            u, p = self.hop(k, u, m, c, batch.filled, empty, stage.linear)
            attention.append(p)
        if batch.candidates is None:
            logits = u @ self.tables[self.of_hop.W].T + self.closed  # (3) without its softmax
        else:
            logits = u @ self._encode(batch.candidates, self.of_hop.W).T
        return logits, torch.stack(attention)

    def loss(self, batch: Batch[Tensor], stage: Stage = SOFTMAX) -> Loss:
        """The cross-entropy of the right answers, and the supervision of the attention; see ``parts.loss_of``."""
        logits, attention = self(batch, stage)
        return loss_of(logits, attention, batch, stage, self.shape)

    def hop(
        self,
        k: int,
        u: Float[Tensor, "batch dim"],
        m: Float[Tensor, "batch slot dim"],
        c: Float[Tensor, "batch slot dim"],
        filled: Int[Tensor, " batch"],
        empty: Int[Tensor, " batch"],
        linear: bool,
    ) -> tuple[Float[Tensor, "batch dim"], Float[Tensor, "batch slot"]]:
        """Hop k, from 0: equations 1, 2 and 4. Returns the next state and the attention.

        ``m`` are the memory inputs, ``c`` the memory outputs; ``attend`` explains the other arguments.
        """
        p = attend(u, m, filled, empty, linear)  # (1)
        o = read(p, c)  # (2)
        carried = u if self.H is None else u @ self.H.T
        if self.config.gate:
            T = torch.sigmoid(u @ self.gates[k].T + self.gate_biases[k])
            u = o * T + carried * (1 - T)
        else:
            u = o + carried  # (4)
        if self.config.relu:
            first = self.config.linear_components
            u = torch.cat([u[:, :first], u[:, first:].relu()], 1)
        return u, p

    @property
    def _longest(self) -> int:
        """J of encoding pe-official. A time word is one more word of the sentence."""
        return self.shape.longest_sentence + (self.config.temporal == "word")

    def _position_weights(self, words: Int[Tensor, "sentence word"]) -> Float[Tensor, "sentence word dim"] | None:
        return position_weights(words, dim=self.config.dim, encoding=self.config.encoding, longest=self._longest,
                                last=self.shape.longest_sentence, dtype=self.tables[0].dtype)  # fmt: skip

    def _encode(self, words: Int[Tensor, "sentence word"], table: int) -> Float[Tensor, "sentence dim"]:
        return encode_sentences(words, self._position_weights(words), self.tables[table])

    def _memories(self, batch: Batch[Tensor]) -> dict[int, Float[Tensor, "batch slot dim"]]:
        """The memory vectors by each table that encodes memories, including their times (m_i and c_i)."""
        weights = self._position_weights(batch.sentences)  # (distinct, word, d)
        time = batch.time.clamp(max=self.shape.slots - 1)
        time_weight = self._time_weight()
        memories = {}
        for i in self.of_hop.memory:
            table = self.tables[i]
            encoded = encode_sentences(batch.sentences, weights, table)  # (distinct, d)
            memories[i] = nn.functional.embedding(batch.memory, encoded)  # (batch, slot, d)
            if self.config.temporal != "none":
                T = self.times[i] if self.config.temporal == "add" else table[self.shape.vocabulary :]
                T = T if time_weight is None else T * time_weight  # (slots, d)
                memories[i] = memories[i] + nn.functional.embedding(time, T)
        return memories

    def _time_weight(self) -> Float[Tensor, "1 dim"] | None:
        """The position weight of a time word, the last word of its sentence; None if the weight is 1."""
        if self.config.temporal != "word" or self.config.encoding == "bow":
            return None
        table = self.tables[0]
        k = torch.arange(1, self.config.dim + 1, dtype=table.dtype, device=table.device)
        last = torch.full((1, 1), self._longest, dtype=table.dtype, device=table.device)
        return official_position_weights(k, last, self.config.dim, self._longest)
