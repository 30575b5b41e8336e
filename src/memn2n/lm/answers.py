"""What a language model says, and how well it predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memn2n.attention_view import NOTEBOOK_ROWS, AttentionView, Row

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def perplexity(loss: float) -> float:
    """exp(loss), for a mean loss in nats a word; of a loss above 700 as of 700, near the largest number there is."""
    return math.exp(min(loss, 700.0))


@dataclass(frozen=True)
class LMEvaluation:
    """How well a model predicts a text.

    Args:
        words: how many words were predicted, ``<eos>`` included.
        unknown: share of the text's words that are ``<unk>``, 0 to 1; the more, the easier the text.
        loss: mean cross-entropy, in nats a word.
    """

    words: int
    unknown: float
    loss: float

    @property
    def perplexity(self) -> float:
        """exp(loss)."""
        return perplexity(self.loss)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"words": self.words, "unknown": self.unknown, "loss": self.loss, "perplexity": self.perplexity}


@dataclass(frozen=True)
class WordScore:
    """One word of a text.

    Args:
        word: as it stands in the text.
        log_probability: given the words before it, in nats; None for the first one.
        unknown: whether it is ``<unk>`` to the model.
    """

    word: str
    log_probability: float | None
    unknown: bool

    @property
    def bits(self) -> float | None:
        """The same in bits."""
        return None if self.log_probability is None else self.log_probability / math.log(2)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"word": self.word, "log_probability": self.log_probability, "bits": self.bits, "unknown": self.unknown}


@dataclass(frozen=True, eq=False)
class NextWords:
    """What may come next, and why.

    Args:
        memory: the words that were read, oldest first.
        ranked: (word, probability), the most probable one first.
        attention: (hops, words in memory) of each hop, oldest word first; a row sums to 1.
        unknown_words: words of the text that the model does not know.
    """

    memory: tuple[str, ...]
    ranked: tuple[tuple[str, float], ...]
    attention: npt.NDArray[np.float32]
    unknown_words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The most probable word."""
        return self.ranked[0][0]

    @property
    def remarks(self) -> list[str]:
        """What a reader should know: a line on unknown words."""
        return [f"never seen in training: {', '.join(self.unknown_words)}"] if self.unknown_words else []

    def attention_view(self) -> AttentionView:
        """The ranked next words, and the words in memory with their attention, for a table, figure or HTML."""
        rows = [Row(word, weights) for word, weights in zip(self.memory, self.attention.T, strict=True)]
        return AttentionView("Next word", rows, len(self.attention), self.ranked, self.remarks)

    def _repr_html_(self) -> str:
        """The next words and their attention, as a notebook shows them."""
        return self.attention_view().to_html(NOTEBOOK_ROWS)

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"memory": list(self.memory), "next": [{"word": word, "probability": p} for word, p in self.ranked],
                "attention": self.attention.tolist(), "unknown_words": list(self.unknown_words)}  # fmt: skip
