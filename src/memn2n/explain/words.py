"""Which of the previous words each hop looks at, as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from memn2n.lm.answers import NextWords


def words_table(next_words: NextWords, most: int = 20) -> Table:
    """One row a word, the oldest first, one column a hop.

    Args:
        next_words: what to show.
        most: how many words to show: those that a hop looks at most.
    """
    attention = next_words.attention  # (hops, words)
    shown = sorted(attention.max(0).argsort()[-most:].tolist())
    table = Table()
    table.add_column("words back", justify="right")
    table.add_column("word")
    for hop in range(len(attention)):
        table.add_column(f"hop {hop + 1}", no_wrap=True)
    for i in shown:
        cells = [Text(f"{weight:.2f}", "" if weight >= 0.05 else "dim") for weight in attention[:, i]]
        table.add_row(str(len(next_words.memory) - i), Text(next_words.memory[i]), *cells)
    if len(shown) < len(next_words.memory):
        table.caption = f"the {len(shown)} of {len(next_words.memory)} words that are looked at most"
    return table
