"""The LSTM that the paper's Table 2 compares with, over the same blocks of words as the memory network.

For a block of L words, with the N words before it (N being the memory's size)::

    h_0 = c_0 = 0                          before the first of the N + L - 1 words x_1, x_2, ..
    h_t, c_t = LSTM(A x_t, h_{t-1}, c_{t-1})
    a_t = softmax(W h_t)                   the word after x_t, for the block's L words

So a word is predicted from N words or more: from N at the block's beginning, from N + L - 1 at its end. The memory
network always reads N. (Hochreiter and Schmidhuber 1997; the paper takes its figure from Mikolov et al. 2014.)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding

from memn2n.lm.config import LMConfig
from memn2n.lm.networks.memn2n import Dropout


class LSTMStates(NamedTuple):
    """What the network makes of some positions; ``state`` is h."""

    state: Float[Tensor, "batch position dim"]


class LSTMNetwork(nn.Module):
    """A language model of one layer of LSTM, which is trained and measured as an ``LMNetwork`` is.

    Its parameters are A and W (vocabulary, d), and those of ``torch.nn.LSTM``, biases included.

    Args:
        config: ``dim`` and ``memory_size``; the other settings are the memory network's alone.
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
        self.A, self.W = (nn.Parameter(torch.empty(vocabulary, config.dim)) for _ in range(2))
        self.lstm = nn.LSTM(config.dim, config.dim, batch_first=True)
        with torch.no_grad():
            for value in self.parameters():
                value.normal_(0, init_std, generator=generator)

    def forward(
        self,
        words: Int[Tensor, "batch word"],
        missing: Int[Tensor, " batch"] | None = None,
        dropout: Dropout | None = None,
        precision: torch.dtype | None = None,  # noqa: ARG002 - for the trainer, which passes it to every network
    ) -> LSTMStates:
        """States for L consecutive positions a row; arguments as of ``LMNetwork.forward``.

        The recurrence is computed in the parameters' precision, whatever ``precision`` is.
        """
        L = words.shape[1] - self.config.memory_size + 1
        E = embedding(words, self.A, sparse=self.sparse)  # (batch, word, d)
        if dropout is not None:
            E = dropout.embedded(E)
        if missing is None:
            h = self.lstm(E)[0][:, -L:]  # (batch, L, d)
        else:  # the text begins within these rows: each is read from its first word on
            rows = zip(E, missing.tolist(), strict=True)
            h = torch.cat([self.lstm(row[None, first:])[0][:, -L:] for row, first in rows])
        kept = None if dropout is None else dropout.states(h, 1)[0]
        return LSTMStates(h if kept is None else h * kept)
