"""The attention of an answer as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.style import Style
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Collection

    from memn2n.answers import Answer

_BAR_WIDTH = 6
_SHADE = (23, 92, 140)  # background of a weight of 1; readable under white, whatever colours an eye can tell apart


def attention_table(answer: Answer, support: Collection[int] = ()) -> Table:
    """One row a sentence, one column a hop: the weight as a number, a bar and a shade.

    Args:
        answer: what to show.
        support: positions of annotated supporting facts; they are marked with a star.
    """
    caption = [f"{answer.text}  {answer.probability:.1%}"]
    if answer.dropped:
        caption.append(
            f"the memory holds {len(answer.story) - len(answer.dropped)} sentences; older ones were not read"
        )
    if answer.unknown_words:
        caption.append(f"never seen in training: {', '.join(answer.unknown_words)}")
    if support:
        caption.append("* supporting fact")
    table = Table(title=escape(answer.question), caption=escape("\n".join(caption)), title_justify="left",
                  caption_justify="left")  # fmt: skip
    table.add_column("sentence", ratio=1)
    for hop in range(len(answer.attention)):
        table.add_column(f"hop {hop + 1}", no_wrap=True)
    for position, sentence in enumerate(answer.story):
        mark = "* " if position in support else "  " if support else ""
        dropped = position in answer.dropped
        cells = [Text("not read", "dim") if dropped else _weight(float(w)) for w in answer.attention[:, position]]
        table.add_row(Text(mark + sentence, "dim" if dropped else ""), *cells)
    return table


def _weight(weight: float) -> Text:
    shade = ",".join(str(round(channel * weight)) for channel in _SHADE)
    style = Style(color="white", bgcolor=f"rgb({shade})") if weight >= 0.05 else Style(dim=True)
    bar = "█" * round(weight * _BAR_WIDTH)
    return Text(f"{weight:.2f} {bar:<{_BAR_WIDTH}}", style)
