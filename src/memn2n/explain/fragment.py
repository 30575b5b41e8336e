"""Attention as a fragment of HTML, to be put into a page: a table with shaded cells, without script or style sheet."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.explain.rows import Picture

_SHADE = "23,92,140"
_CELL = "padding:.15em .5em;text-align:right;font-variant-numeric:tabular-nums"


def attention_html(picture: Picture) -> str:
    """A ``figure`` of what was read with each hop's weights, and of what is ranked. All text is escaped."""
    heads = "".join(f'<th scope="col">hop {hop + 1}</th>' for hop in range(picture.hops))
    lines = [
        '<figure class="memn2n">',
        f"<figcaption><b>{escape(picture.title)}</b></figcaption>",
        '<table style="border-collapse:collapse">',
        f'<thead><tr><th scope="col" style="text-align:left">read</th>{heads}</tr></thead>',
        "<tbody>",
    ]
    head = '<th scope="row" style="text-align:left;font-weight:normal">'
    for row in picture.rows:
        not_read = f'<td colspan="{picture.hops}">not read</td>'
        cells = not_read if row.weights is None else "".join(map(_cell, row.weights))
        lines.append(f"<tr>{head}{escape(row.marked)}</th>{cells}</tr>")
    lines += ["</tbody>", "</table>", "<ol>"]
    for text, share in picture.ranked:
        lines.append(f'<li>{escape(text)} <progress max="1" value="{share:.4f}"></progress> {share:.1%}</li>')
    lines.append("</ol>")
    lines += [f"<p>{escape(remark)}</p>" for remark in picture.remarks]
    lines.append("</figure>")
    return "\n".join(lines) + "\n"


def _cell(weight: float) -> str:
    color = "#fff" if weight > 0.55 else "inherit"
    return f'<td style="{_CELL};background:rgba({_SHADE},{weight:.3f});color:{color}">{weight:.2f}</td>'
