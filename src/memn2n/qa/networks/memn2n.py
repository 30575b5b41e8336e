"""The question answering network of the paper's sections 2 and 4.

For a question q and the sentences x_i of a story, with K hops::

    u_1     = B q                                the question, encoded as sentences are
    m_i     = A^k x_i + T_A^k(i)                 memory input of hop k
    c_i     = C^k x_i + T_C^k(i)                 memory output
    p       = softmax(u_k . m_i)                 (1)
    o_k     = sum_i p_i c_i                      (2)
    u_{k+1} = u_k + o_k                          (4); layer-wise tying: H u_k + o_k; then an optional ReLU
    a       = softmax(W u_{K+1})                 (3)

Seen as a recurrent network (layer-wise tying), the hops are its steps, u is its hidden state, and what is read from
memory is its input: a sentence plays the part that a word plays in an RNN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from memn2n.errors import ConfigError
from memn2n.qa.batch import Batch
from memn2n.qa.config import NetworkConfig
from memn2n.qa.networks.parts import attend, encode_sentences, official_position_weights, position_weights, read
from memn2n.qa.vocabulary import NULL, SPECIAL, UNKNOWN

_LARGEST = 10**8


@dataclass(frozen=True)
class DataShape:
    """What the network takes from its training data.

    Args:
        vocabulary: number of word ids, null and unknown included.
        longest_sentence: words of the longest sentence; J of encoding pe-official.
        slots: sentences of the longest story, at most the memory's size: the number of memory slots that exist
            for empty slots to keep attention, and of distinct times. A longer story met later shares the oldest time.
    """

    vocabulary: int
    longest_sentence: int
    slots: int

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> DataShape:
        """The shape from parsed JSON; raises ConfigError for anything but whole numbers above 0 under these names."""
        if set(values) != {"vocabulary", "longest_sentence", "slots"}:
            raise ConfigError("the data's shape must have vocabulary, longest_sentence and slots")
        for name, value in values.items():
            if type(value) is not int or not 1 <= value <= _LARGEST:
                raise ConfigError(f"{name} is {value!r}: it must be a whole number from 1 to {_LARGEST}")
        return cls(**values)


class QANetwork(nn.Module):
    """An end-to-end memory network that answers questions about stories.

    ``tables`` holds the embedding matrices, each (rows, d). With adjacent tying there are K + 1, and table k is both
    C^k and A^{k+1} (so B = table 0, W^T = table K); with layer-wise tying four: A, C, B and W, beside ``H`` (d, d).
    ``times`` holds T for each table that encodes memories, (slots, d); with ``temporal="word"`` they are the tables'
    last rows instead.

    Args:
        config: settings.
        shape: sizes taken from the data.
        generator: where the parameters' random start comes from; torch's global one by default.
        init_std: its standard deviation.
    """

    def __init__(
        self,
        config: NetworkConfig,
        shape: DataShape,
        generator: torch.Generator | None = None,
        init_std: float = 0.1,
    ) -> None:
        super().__init__()
        self.config = config
        self.shape = shape
        K = config.hops
        # which table is A and C of each hop, which one is B, and which one W transposed
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
        closed = torch.zeros(rows)  # -inf for what cannot be an answer
        closed[UNKNOWN] = -torch.inf
        if config.answer_softmax == "words":
            closed[NULL] = -torch.inf
            closed[shape.vocabulary :] = -torch.inf
        self.register_buffer("closed", closed, persistent=False)
        self.closed: Tensor
        self.zero_null()
        with torch.no_grad():
            for table in self.tables:
                table[UNKNOWN] = 0  # until trained, an unknown word adds nothing

    @torch.no_grad()
    def zero_null(self) -> None:
        """Set the null word's embeddings to zero; to be called after every update, which may have moved them."""
        for table in self.tables:
            table[NULL] = 0

    def forward(
        self, batch: Batch, linear: bool = False
    ) -> tuple[Float[Tensor, "batch row"], Float[Tensor, "hop batch slot"]]:
        """Logits of the answers, one a table row, and each hop's attention, latest sentence first.

        Args:
            batch: stories and questions.
            linear: leave out the softmax of the attention (linear start).
        """
        empty = self._empty_slots(batch.filled)
        memory = self._memories(batch)  # table -> (batch, slot, d)
        question = batch.question
        u = encode_sentences(question, self._position_weights(question), self.tables[self.table_B])  # (batch, d)
        attention = []
        for a, c in zip(self.table_A, self.table_C, strict=True):
            p = attend(u, memory[a], batch.filled, empty, linear)  # (1)
            o = read(p, memory[c])  # (2)
            u = o + (u if self.H is None else u @ self.H.T)  # (4)
            if self.config.relu:
                u = u.relu()
            attention.append(p)
        logits = u @ self.tables[self.table_W].T + self.closed  # (3), less its softmax
        return logits, torch.stack(attention)

    def best(self, logits: Float[Tensor, "batch row"]) -> Int[Tensor, " batch"]:
        """The most probable word's id."""
        return logits[:, SPECIAL : self.shape.vocabulary].argmax(1) + SPECIAL

    def words(self, logits: Float[Tensor, "batch row"]) -> Float[Tensor, "batch word"]:
        """Probabilities of the vocabulary's words as answers; column 0 is the word of id ``SPECIAL``."""
        return logits.softmax(1)[:, SPECIAL : self.shape.vocabulary]

    def _empty_slots(self, filled: Int[Tensor, " batch"]) -> Int[Tensor, " batch"]:
        if self.config.empty_slots == "mask":
            return torch.zeros_like(filled)
        return (self.shape.slots - filled).clamp(min=0)

    @property
    def _longest(self) -> int:
        """J of pe-official: the time word is one more word."""
        return self.shape.longest_sentence + (self.config.temporal == "word")

    def _position_weights(self, words: Int[Tensor, "sentence word"]) -> Float[Tensor, "sentence word dim"] | None:
        last, dtype = self.shape.longest_sentence, self.tables[0].dtype
        return position_weights(words, self.config.dim, self.config.encoding, self._longest, last, dtype)

    def _memories(self, batch: Batch) -> dict[int, Float[Tensor, "batch slot dim"]]:
        """The sentences as each table that encodes memories has them; what is the same for all is made once."""
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
        """The weight of a time word, which is the last word of its sentence; None where it weighs 1."""
        if self.config.temporal != "word" or self.config.encoding == "bow":
            return None
        table = self.tables[0]
        k = torch.arange(1, self.config.dim + 1, dtype=table.dtype, device=table.device)
        last = torch.full((1, 1), self._longest, dtype=table.dtype, device=table.device)
        return official_position_weights(k, last, self.config.dim, self._longest)
