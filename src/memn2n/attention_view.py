"""The content that every display of attention shows (table, figure, HTML), and its HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from memn2n.html_table import CELL, LABEL, html_figure, html_rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

NOTEBOOK_ROWS = 20
"""A notebook shows at most this many sentences or words."""

# At a weight of 1 the cell is still light enough for dark text on a white page, and dark enough for light text on a
# black page. So the text keeps the colour of the page.
_SHADE, _OPACITY = "23,92,140", 0.6


class Row(NamedTuple):
    """A sentence or word, with its attention."""

    text: str
    weights: npt.NDArray[np.float32] | None  # (hops,) the weight that each hop gives it; None if it was not read
    supporting: bool = False  # whether it is marked as a supporting fact

    @property
    def marked(self) -> str:
        """The text, with a star before a supporting fact."""
        return f"* {self.text}" if self.supporting else self.text


class AttentionView(NamedTuple):
    """An answer or prediction with its attention, ready to be displayed."""

    title: str  # the question
    rows: list[Row]  # the sentences or words, oldest first
    hops: int  # the number of hops
    ranked: tuple[tuple[str, float], ...]  # (answer or word, probability), most probable first
    remarks: list[str]  # lines of text that the reader should see

    def most_attended(self, number: int) -> list[int]:
        """Positions of the ``number`` rows with the largest weight in any hop, in the order of the rows."""
        largest = [-1.0 if row.weights is None else max(row.weights.tolist(), default=0.0) for row in self.rows]
        by_weight = sorted(range(len(largest)), key=lambda position: (largest[position], position))
        return sorted(by_weight[max(0, len(by_weight) - number) :])

    def to_html(self, most: int | None = None) -> str:
        """A ``figure`` element: the ranked answers, and a table of the weights with shaded cells.

        All text is escaped. The element needs no script and no style sheet, and is readable on light and dark pages.

        Args:
            most: the largest number of rows to show, those with the largest weights; by default all rows.
        """
        shown = range(len(self.rows)) if most is None else self.most_attended(most)
        left_out = [shown_of(len(shown), len(self.rows), "rows")] if len(shown) < len(self.rows) else []
        heads = "".join(f'<th scope="col">hop {hop + 1}</th>' for hop in range(self.hops))
        return html_figure([
            f"<figcaption><b>{escape(self.title)}</b></figcaption>",
            "<ol>",
            *(f"<li>{escape(text)} {_bar(share)} {share:.1%}</li>" for text, share in self.ranked),
            "</ol>",
            *html_rows([f'<th scope="col" style="{LABEL}">memory</th>{heads}'],
                       (self._table_row(self.rows[position]) for position in shown)),
            *(f"<p>{escape(remark)}</p>" for remark in [*left_out, *self.remarks]),
        ])  # fmt: skip

    def _table_row(self, row: Row) -> str:
        not_read = f'<td colspan="{self.hops}">not read</td>'
        cells = not_read if row.weights is None else "".join(map(_cell, row.weights.tolist()))
        return f'<tr><th scope="row" style="{LABEL}">{escape(row.marked)}</th>{cells}</tr>'


def shown_of(shown: int, total: int, what: str) -> str:
    """A remark that not all rows are shown."""
    return f"{shown} of {total} {what}: those with the largest attention weights"


def _cell(weight: float) -> str:
    return f'<td style="{CELL};background:rgba({_SHADE},{_OPACITY * weight:.3f})">{weight:.2f}</td>'


def _bar(share: float) -> str:
    return f'<progress max="1" value="{share:.4f}"></progress>'
