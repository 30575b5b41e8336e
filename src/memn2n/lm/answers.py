"""Answers of a language model: predictions, scores and evaluations."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from memn2n.attention_view import NOTEBOOK_ROWS, AttentionView, Row
from memn2n.html_table import html_table
from memn2n.terminal import listed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def perplexity(loss: float) -> float:
    """Return exp(loss) of a mean loss in nats a word; a loss above 700 counts as 700, since floats end at exp(709)."""
    return math.exp(min(loss, 700.0))


@dataclass(frozen=True)
class LMEvaluation:
    """How well a model predicts a text."""

    words: int  # that are predicted, ``<eos>`` included
    unknown: float  # share of the text's words that are ``<unk>``; a text with more of them is easier to predict
    loss: float  # mean cross-entropy, in nats a word

    @property
    def perplexity(self) -> float:
        """exp(loss)."""
        return perplexity(self.loss)

    def _repr_html_(self) -> str:
        """The figures, as a notebook shows them."""
        row = f"{self.perplexity:.5g}", f"{self.loss:.4f}", f"{self.words:,}", f"{self.unknown:.1%}"
        return html_table("Evaluation", ("perplexity", "nats per word", "words", "unknown"), [row])

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self) | {"perplexity": self.perplexity}


@dataclass(frozen=True)
class WordScore:
    """The score of one word of a text."""

    word: str  # as it is in the text
    log_probability: float | None  # given the words before it, in nats; None for the first word
    unknown: bool  # whether the model knows it as ``<unk>`` only

    @property
    def bits(self) -> float | None:
        """``log_probability`` in bits."""
        return None if self.log_probability is None else self.log_probability / math.log(2)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"word": self.word, "log_probability": self.log_probability, "bits": self.bits, "unknown": self.unknown}


@dataclass(frozen=True, eq=False)
class NextWords:
    """The most probable next words, and the attention that led to them."""

    memory: tuple[str, ...]  # the words in memory, oldest first
    ranked: tuple[tuple[str, float], ...]  # (word, probability), most probable first
    attention: npt.NDArray[np.float32]  # (hops, words in memory), oldest word first; each row sums to 1
    unknown_words: tuple[str, ...]  # words of the text that the model does not know

    @property
    def text(self) -> str:
        """The most probable word."""
        return self.ranked[0][0]

    @property
    def remarks(self) -> list[str]:
        """Remarks for the reader: at most one line, about unknown words."""
        return [f"never seen in training: {listed(self.unknown_words)}"] if self.unknown_words else []

    def attention_view(self) -> AttentionView:
        """The ranked next words, and the words in memory with their attention, for a table, figure or HTML."""
        rows = [Row(word, weights) for word, weights in zip(self.memory, self.attention.T, strict=True)]
        return AttentionView("Next word", rows, len(self.attention), self.ranked, self.remarks)

    def _repr_html_(self) -> str:
        """The next words and their attention, as a notebook shows them."""
        return self.attention_view().to_html(NOTEBOOK_ROWS)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"memory": list(self.memory), "next": [{"word": word, "probability": p} for word, p in self.ranked],
                "attention": self.attention.tolist(), "unknown_words": list(self.unknown_words)}  # fmt: skip
