"""What every picture of attention shows: a row a sentence or word, with its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from memn2n.qa.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    import numpy.typing as npt

    from memn2n.lm.answers import NextWords


class Row(NamedTuple):
    """A sentence or word.

    Args:
        text: as it stands in the story or text.
        weights: (hops) of the attention; None where it was not read.
        supporting: whether it is a supporting fact, as far as these are known.
    """

    text: str
    weights: npt.NDArray[np.float32] | None
    supporting: bool = False

    @property
    def marked(self) -> str:
        """The text, with a star before a supporting fact."""
        return f"* {self.text}" if self.supporting else self.text


class Picture(NamedTuple):
    """What a picture shows.

    Args:
        title: the question.
        rows: what was read, oldest first.
        hops: how many.
        ranked: (answer or word, probability), the most probable one first.
        remarks: lines that a reader should know.
    """

    title: str
    rows: list[Row]
    hops: int
    ranked: tuple[tuple[str, float], ...]
    remarks: list[str]


def picture_of(answer: Answer | NextWords, support: Collection[int] = ()) -> Picture:
    """What to show of an answer, or of what comes next.

    Args:
        answer: either.
        support: positions of supporting facts.
    """
    columns = answer.attention.T
    hops = len(answer.attention)
    if not isinstance(answer, Answer):
        rows = [Row(word, weights) for word, weights in zip(answer.memory, columns, strict=True)]
        return Picture("What comes next?", rows, hops, answer.ranked, answer.remarks)
    rows = [Row(sentence, None if position in answer.dropped else columns[position], position in support)
            for position, sentence in enumerate(answer.story)]  # fmt: skip
    remarks = [*answer.remarks, *(["* supporting fact"] if support else [])]
    return Picture(answer.question, rows, hops, answer.top, remarks)
