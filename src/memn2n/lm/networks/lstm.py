"""The LSTM of the paper's Table 2, over the same blocks of words as the memory network.

For a block of L words and the N words before it, where N is the memory size::

    h_0 = c_0 = 0                          before the first of the N + L - 1 words x_1, x_2, ..
    h_t, c_t = LSTM(A x_t, h_{t-1}, c_{t-1})
    a_t = softmax(W h_t)                   the word after x_t, for the block's L words

The first word of a block is predicted from N words and the last one from N + L - 1. The memory network always reads N.
(Hochreiter and Schmidhuber 1997; the paper cites its figure from Mikolov et al. 2014.)
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding

from memn2n.lm.config import LMConfig
from memn2n.lm.networks.memn2n import Dropout


class LSTMStates(NamedTuple):
    """The network's output for some positions; ``state`` is h."""

    state: Float[Tensor, "batch position dim"]


class LSTMNetwork(nn.Module):
    """A language model with one LSTM layer, trained and evaluated like ``LMNetwork``.

    Its parameters are A and W (vocabulary, d), and those of ``torch.nn.LSTM``, biases included.

    Args:
        config: only ``dim`` and ``memory_size`` have an effect.
        vocabulary: number of words.
        generator: source of the random initial parameters; by default PyTorch's global one.
        init_std: their standard deviation.
    """

    kind: ClassVar[str] = "lstm"
    """Kind of a saved model of this network."""

    def __init__(
        self, config: LMConfig, vocabulary: int, generator: torch.Generator | None = None, init_std: float = 0.05
    ) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary
        self.sparse = False  # whether the gradient of A is sparse
        self.A, self.W = (nn.Parameter(torch.empty(vocabulary, config.dim, dtype=torch.float32)) for _ in range(2))
        self.lstm = nn.LSTM(config.dim, config.dim, batch_first=True, dtype=torch.float32)
        with torch.no_grad():
            for value in self.parameters():
                value.normal_(0, init_std, generator=generator)

    @property
    def output_matrix(self) -> Float[Tensor, "vocabulary dim"]:
        """W."""
        return self.W

    def forward(
        self,
        words: Int[Tensor, "batch word"],
        missing: Int[Tensor, " batch"] | None = None,
        dropout: Dropout | None = None,
        precision: torch.dtype | None = None,  # noqa: ARG002 - the trainer passes it to every network
    ) -> LSTMStates:
        """Compute the states of L consecutive positions a row; the arguments are those of ``LMNetwork.forward``.

        ``precision`` has no effect on the recurrence, which uses the parameters' precision.
        """
        L = words.shape[1] - self.config.memory_size + 1
        E = embedding(words, self.A, sparse=self.sparse)  # (batch, word, d)
        if dropout is not None:
            E = dropout.embedded(E)
        if missing is None:
            h = self.lstm(E)[0][:, -L:]  # (batch, L, d)
        else:  # the text begins within these rows, so each one is read from its first word
            rows = zip(E, missing.tolist(), strict=True)
            h = torch.cat([self.lstm(row[None, first:])[0][:, -L:] for row, first in rows])
        factors = None if dropout is None else dropout.states(h, 1)[0]
        return LSTMStates(h if factors is None else h * factors)
