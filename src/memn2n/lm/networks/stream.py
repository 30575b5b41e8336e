"""Prediction word by word: the memory keeps its embedded words, so that each is embedded once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from memn2n.lm.networks.memn2n import LMNetwork


class Step(NamedTuple):
    """A prediction of the next word.

    Args:
        log_probability: of each word of the vocabulary, in nats.
        attention: of each hop, over the words in memory, oldest first.
    """

    log_probability: Float[Tensor, " vocabulary"]
    attention: Float[Tensor, "hop slot"]


class Stream:
    """A text that grows word by word.

    A prediction takes O(hops x memory x d) operations, and O(vocabulary x d) for the output.

    Args:
        network: its parameters must not change while the stream is in use.
    """

    def __init__(self, network: LMNetwork) -> None:
        N, d = network.config.memory_size, network.config.dim
        self._network = network
        self._E_A = network.A.new_zeros(N, d)  # a ring buffer: word number i is in row i modulo N
        self._E_C = network.A.new_zeros(N, d)
        self._words = 0

    @torch.no_grad()
    def push(self, word: int) -> None:
        """Put a word into memory; if it is full, the word replaces the oldest one."""
        row = self._words % len(self._E_A)
        self._E_A[row] = self._network.A[word]
        self._E_C[row] = self._network.C[word]
        self._words += 1

    @torch.no_grad()
    def next(self) -> Step:
        """Predict the next word.

        Raises:
            ValueError: if there is no word in memory.
        """
        if not self._words:
            raise ValueError("there is no word in memory")
        network, N = self._network, len(self._E_A)
        n = min(self._words, N)
        age = (self._words - 1 - torch.arange(n, device=self._E_A.device)) % N  # of each row; the latest word has age 0
        E_A, E_C = self._E_A[:n], self._E_C[:n]
        u, attention = network.query(), []
        for _ in range(network.config.hops):
            p = (E_A @ u + (network.T_A @ u)[age]).softmax(0)  # (1)
            by_age = torch.zeros_like(network.T_C[:, 0]).index_copy_(0, age, p)
            u = network.activate(network.H @ u + p @ E_C + by_age @ network.T_C)  # (2), (4)
            attention.append(by_age[:n].flip(0))
        return Step((network.output_matrix @ u).log_softmax(0), torch.stack(attention))  # (3)
