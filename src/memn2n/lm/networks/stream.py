"""One word after the other: the memory's embedded words are kept as they slide, none is embedded twice."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from memn2n.lm.networks.memn2n import LMNetwork


class Step(NamedTuple):
    """What comes next.

    Args:
        log_probability: of every word, in nats.
        attention: each hop's, over the words in memory, oldest first.
    """

    log_probability: Float[Tensor, " vocabulary"]
    attention: Float[Tensor, "hop slot"]


class Stream:
    """A text that grows by a word at a time; a word costs O(hops x memory x d), beside the output's O(vocabulary x d).

    Args:
        network: must not be trained meanwhile.
    """

    def __init__(self, network: LMNetwork) -> None:
        N, d = network.config.memory_size, network.config.dim
        self._network = network
        self._E_A = network.A.new_zeros(N, d)  # a ring: word number i is in row i modulo N
        self._E_B = network.A.new_zeros(N, d)
        self._words = 0

    @torch.no_grad()
    def push(self, word: int) -> None:
        """Put a word into memory; of a full one, the oldest leaves."""
        row = self._words % len(self._E_A)
        self._E_A[row] = self._network.A[word]
        self._E_B[row] = self._network.B[word]
        self._words += 1

    @torch.no_grad()
    def next(self) -> Step:
        """The probabilities of the next word.

        Raises:
            ValueError: if there is no word in memory.
        """
        if not self._words:
            raise ValueError("there is no word in memory")
        network, N = self._network, len(self._E_A)
        n = min(self._words, N)
        age = (self._words - 1 - torch.arange(n, device=self._E_A.device)) % N  # of each row: 0 is the latest
        E_A, E_B = self._E_A[:n], self._E_B[:n]
        u, attention = network.query(), []
        for _ in range(network.config.hops):
            p = (E_A @ u + (network.T_A @ u)[age]).softmax(0)  # (1)
            by_age = torch.zeros_like(network.T_B[:, 0]).index_copy_(0, age, p)
            u = network.activate(network.H @ u + p @ E_B + by_age @ network.T_B)  # (2), (4)
            attention.append(by_age[:n].flip(0))
        return Step((network.W @ u).log_softmax(0), torch.stack(attention))  # (3)
