"""Attention as tables for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.table import Table
from rich.text import Text

from memn2n.attention_view import shown_of
from memn2n.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Collection

    from memn2n.lm.answers import NextWords
    from memn2n.qa.answers import Answer

_BAR_WIDTH = 6
_MAX_HOPS_WITH_BARS = 4  # with more hops, bars would leave too little width for the sentences
_MIN_SHARE = 0.005  # less probable answers are not listed
_MIN_WEIGHT = 0.05  # smaller weights are dimmed
_SHADE = (23, 92, 140)  # background of a weight of 1; white text on it is readable with any colour vision


def attention_table(answer: Answer, support: Collection[int] = ()) -> Table:
    """A table with a row for each sentence and a column for each hop; a cell has the weight, a bar and a shade.

    Args:
        answer: the answer to show.
        support: positions of the supporting facts in the story, from 0; they are marked with a star.
    """
    view = answer.attention_view(support)
    first, *others = [(f"{text}  {share:.1%}", share) for text, share in view.ranked]
    caption = [first[0], *(line for line, share in others if share >= _MIN_SHARE), *view.remarks]
    table = Table(
        title=_text(view.title, "bold"), title_justify="left",
        caption=_text("\n".join(caption)), caption_justify="left", caption_style="",
    )  # fmt: skip
    table.add_column("sentence", ratio=1)
    _add_hop_columns(table, view.hops)
    bar_width = _BAR_WIDTH if view.hops <= _MAX_HOPS_WITH_BARS else 0
    for row in view.rows:
        text = f"  {row.text}" if support and not row.supporting else row.marked
        if row.weights is None:
            table.add_row(_text(text, "dim"), *[Text("-", "dim")] * view.hops)
        else:
            table.add_row(_text(text), *(_weight(weight, bar_width) for weight in row.weights.tolist()))
    return table


def words_table(next_words: NextWords, most: int = 20) -> Table:
    """A table with a row for each previous word, oldest first, and a column for each hop.

    Args:
        next_words: the prediction to show.
        most: the largest number of words to show: those with the largest weight in any hop.
    """
    view = next_words.attention_view()
    shown = view.most_attended(most)
    table = Table()
    table.add_column("words back", justify="right")
    table.add_column("word")
    _add_hop_columns(table, view.hops)
    for position in shown:
        weights = next_words.attention[:, position].tolist()
        cells = [Text(f"{weight:.2f}", "" if weight >= _MIN_WEIGHT else "dim") for weight in weights]
        table.add_row(str(len(view.rows) - position), _text(view.rows[position].text), *cells)
    if len(shown) < len(view.rows):
        table.caption = shown_of(len(shown), len(view.rows), "words")
    return table


def _text(text: str, style: str = "") -> Text:
    """Text from outside, with which Rich would print control characters too."""
    return Text(printable(text), style)


def _add_hop_columns(table: Table, hops: int) -> None:
    for hop in range(hops):
        table.add_column(f"hop {hop + 1}", no_wrap=True)


def _weight(weight: float, bar_width: int) -> Text:
    shade = ",".join(str(round(channel * weight)) for channel in _SHADE)
    style = Style(color="white", bgcolor=f"rgb({shade})") if weight >= _MIN_WEIGHT else Style(dim=True)
    bar = f" {'█' * round(weight * bar_width):<{bar_width}}" if bar_width else ""
    return Text(f"{weight:.2f}{bar}", style)
