"""Prediction word by word."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.machine import own_torch_state


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

    A prediction calls the network itself, so that hooks and a subclass's ``forward`` have their effect.

    Args:
        network: on any device; its attention covers the words in memory.
    """

    def __init__(self, network: LMNetwork) -> None:
        self._network = network
        self._words: deque[int] = deque(maxlen=network.config.memory_size)

    def push(self, word: int) -> None:
        """Put a word into memory; if it is full, the word replaces the oldest one."""
        self._words.append(word)

    @own_torch_state(grad=False)
    def next(self) -> Step:
        """Predict the next word.

        Raises:
            ValueError: if there is no word in memory.
        """
        n = len(self._words)
        if not n:
            raise ValueError("there is no word in memory")
        network = self._network
        W = network.output_matrix
        lacking = network.config.memory_size - n
        words = torch.tensor([[0] * lacking + list(self._words)], dtype=torch.int64, device=W.device)
        missing = torch.tensor([lacking], dtype=torch.int64, device=W.device) if lacking else None
        states = network(words, missing)
        return Step((W @ states.state[0, 0]).log_softmax(0), states.attention[:, 0, 0, lacking:])
