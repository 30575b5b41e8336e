"""The attention of an answer as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from rich.table import Table
from rich.text import Text

from memn2n.explain.rows import picture_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from memn2n.qa.answers import Answer

_BAR_WIDTH = 6
_SHOWN = 0.005  # the least probability of another answer that is told
_HOPS_WITH_BARS = 4  # more of them leave no room for the sentences
_SHADE = (23, 92, 140)  # background of a weight of 1; readable under white, whatever colours an eye can tell apart


def attention_table(answer: Answer, support: Collection[int] = ()) -> Table:
    """One row a sentence, one column a hop: the weight as a number, a bar and a shade.

    Args:
        answer: what to show.
        support: positions of annotated supporting facts; they are marked with a star.
    """
    picture = picture_of(answer, support)
    first, *others = [(f"{text}  {share:.1%}", share) for text, share in picture.ranked]
    caption = [first[0], *(line for line, share in others if share >= _SHOWN), *picture.remarks]
    table = Table(
        title=Text(picture.title, "bold"), title_justify="left",
        caption=Text("\n".join(caption)), caption_justify="left", caption_style="",
    )  # fmt: skip
    table.add_column("sentence", ratio=1)
    for hop in range(picture.hops):
        table.add_column(f"hop {hop + 1}", no_wrap=True)
    bar_width = _BAR_WIDTH if picture.hops <= _HOPS_WITH_BARS else 0
    for row in picture.rows:
        text = f"  {row.text}" if support and not row.supporting else row.marked
        if row.weights is None:
            table.add_row(Text(text, "dim"), *[Text("-", "dim")] * picture.hops)
        else:
            table.add_row(Text(text), *(_weight(float(weight), bar_width) for weight in row.weights))
    return table


def _weight(weight: float, bar_width: int) -> Text:
    shade = ",".join(str(round(channel * weight)) for channel in _SHADE)
    style = Style(color="white", bgcolor=f"rgb({shade})") if weight >= 0.05 else Style(dim=True)
    bar = f" {'█' * round(weight * bar_width):<{bar_width}}" if bar_width else ""
    return Text(f"{weight:.2f}{bar}", style)
