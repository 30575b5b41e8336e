"""The end-to-end memory network in NumPy: answers only, where there is neither the engine nor PyTorch.

It computes what ``memn2n.qa.networks.memn2n`` computes, which explains the equations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from memn2n.qa.config import NetworkConfig
from memn2n.qa.vocabulary import NULL, UNKNOWN

if TYPE_CHECKING:
    from memn2n.qa.batch import Batch, Longs
    from memn2n.qa.parameters import Floats, Parameters


def forward(parameters: Parameters, batch: Batch[Longs]) -> tuple[Floats, Floats]:
    """Compute the probabilities of the answers (batch, answer) and the attention (hop, batch, slot)."""
    network = _Forward(parameters)
    attention, u = network.hops(batch)
    return network.answers(u, batch), attention


class _Forward:
    def __init__(self, parameters: Parameters) -> None:
        self.config = cast("NetworkConfig", parameters.config)
        self.shape, self.arrays = parameters.shape, parameters.arrays
        self.of_hop = self.config.tables
        self.longest = self.shape.longest_sentence + (self.config.temporal == "word")

    def hops(self, batch: Batch[Longs]) -> tuple[Floats, Floats]:
        """The attention (hop, batch, slot), and the state after the last hop (batch, d)."""
        config, arrays = self.config, self.arrays
        slots = 0 if config.empty_slots == "mask" else self.shape.slots
        empty = np.where(batch.filled == 0, 1, np.maximum(slots - batch.filled, 0))[:, None].astype(np.float32)
        present = np.arange(batch.memory.shape[1]) < batch.filled[:, None]  # (batch, slot)
        memory = {table: self._memory(batch, table) for table in self.of_hop.memory}
        u = self._encode(batch.question, self.of_hop.B)
        attention = []
        for k in range(config.hops):
            scores = _product("bd,bnd->bn", u, memory[self.of_hop.A[k]])
            scores = np.where(present, scores, -np.inf)
            most = np.maximum(scores.max(1, keepdims=True, initial=-np.inf), np.where(empty > 0, 0, -np.inf))
            weights = np.exp(scores - most)
            rest = empty * np.exp(np.minimum(-most, 0))  # empty slots have a score of 0
            p = weights / (weights.sum(1, keepdims=True) + rest)
            o = _product("bn,bnd->bd", p, memory[self.of_hop.C[k]])
            carried = _product("bd,ed->be", u, arrays["H"]) if "H" in arrays else u
            if config.gate:
                x = _product("bd,ed->be", u, arrays[f"gates.{k}"]) + arrays[f"gate_biases.{k}"]
                T = (1 + np.tanh(x / 2)) / 2  # sigmoid(x), without an overflow
                u = o * T + carried * (1 - T)
            else:
                u = o + carried
            u[:, config.linear_components :] = np.maximum(u[:, config.linear_components :], 0)
            attention.append(p)
        return np.stack(attention).astype(np.float32), u

    def answers(self, u: Floats, batch: Batch[Longs]) -> Floats:
        """The probabilities of the answers (batch, answer) for a last state."""
        W = self.of_hop.W
        if batch.candidates is None:
            logits = _product("bd,vd->bv", u, self.arrays[f"tables.{W}"])
            closed = [UNKNOWN]
            if self.config.answer_softmax == "words":
                closed += [NULL, *range(self.shape.vocabulary, logits.shape[1])]
            logits[:, closed] = -np.inf
        else:
            logits = _product("bd,vd->bv", u, self._encode(batch.candidates, W))
        weights = np.exp(logits - logits.max(1, keepdims=True))
        probabilities: Floats = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
        return probabilities[:, self.shape.answers]

    def _encode(self, words: Longs, table: int) -> Floats:
        """Sentences (sentence, word) as vectors (sentence, d)."""
        embedded = self.arrays[f"tables.{table}"][words]  # (sentence, word, d)
        d, encoding = self.config.dim, self.config.encoding
        if encoding == "bow":
            return cast("Floats", embedded.sum(1))
        k, j = np.arange(1, d + 1, dtype=np.float32), np.arange(1, words.shape[1] + 1, dtype=np.float32)[:, None]
        if encoding == "pe-official":
            weights = self._official_weights(k, np.minimum(j, self.shape.longest_sentence))
        else:
            J = np.maximum((words != NULL).sum(1), 1).astype(np.float32)[:, None, None]
            weights = (1 - j / J) - (k / d) * (1 - 2 * j / J)
        return cast("Floats", (embedded * weights).sum(1))

    def _official_weights(self, k: Floats, j: Floats) -> Floats:
        d, J = self.config.dim, self.longest
        weights: Floats = (1 + 4 * (k - (d + 1) / 2) * (j - (J + 1) / 2) / (d * J)).astype(np.float32)
        return weights

    def _memory(self, batch: Batch[Longs], table: int) -> Floats:
        """The memory vectors (batch, slot, d) by one table, with their times."""
        encoded = self._encode(batch.sentences, table)[batch.memory]
        if self.config.temporal == "none":
            return encoded
        if self.config.temporal == "add":
            T = self.arrays[f"times.{table}"]
        else:
            T = self.arrays[f"tables.{table}"][self.shape.vocabulary :]
            if self.config.encoding == "pe-official":
                k = np.arange(1, self.config.dim + 1, dtype=np.float32)
                T = T * self._official_weights(k, np.full((1, 1), self.longest, np.float32))
        return encoded + T[np.minimum(batch.time, self.shape.slots - 1)]


def _product(equation: str, a: Floats, b: Floats) -> Any:
    """A product by ``np.einsum``, without NumPy's warning of invalid values.

    Some BLAS kernels set the processor's flag for invalid values although all values are finite, because they compute
    with what lies beside an array in memory (numpy/numpy issue 24067).
    """
    with np.errstate(invalid="ignore"):
        return np.einsum(equation, a, b, optimize=True)
