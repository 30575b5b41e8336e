"""Tables in HTML, as notebooks show them."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LABEL = "text-align:left;font-weight:normal"
CELL = "padding:.15em .5em;text-align:right;font-variant-numeric:tabular-nums"


def html_table(
    title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], remarks: Iterable[str] = ()
) -> str:  # fmt: skip
    """A ``figure`` element with a table of texts; all text is escaped.

    Args:
        title: the title above the table.
        heads: the heading of each column; without one, the table has no headings.
        rows: the cells of each row; the first one is the row's label.
        remarks: lines below the table.
    """
    head = "".join(
        f'<th scope="col" style="{CELL if i else LABEL}">{escape(text)}</th>' for i, text in enumerate(heads)
    )
    body = [
        f'<tr><th scope="row" style="{LABEL}">{escape(label)}</th>'
        + "".join(f'<td style="{CELL}">{escape(cell)}</td>' for cell in cells)
        + "</tr>"
        for label, *cells in rows
    ]
    return html_figure([
        f"<figcaption><b>{escape(title)}</b></figcaption>",
        *html_rows([head] if heads else [], body),
        *(f"<p>{escape(remark)}</p>" for remark in remarks),
    ])  # fmt: skip


def html_rows(heads: Iterable[str], body: Iterable[str]) -> list[str]:
    """The lines of a ``table`` element, from the cells of its head and its whole rows, both in HTML."""
    return ['<table style="border-collapse:collapse">', *(f"<thead><tr>{head}</tr></thead>" for head in heads),
            "<tbody>", *body, "</tbody>", "</table>"]  # fmt: skip


def html_figure(lines: Iterable[str]) -> str:
    """A ``figure`` element of the package around lines of HTML."""
    # Without these classes, notebooks typeset $...$ as formulas.
    html = "\n".join(['<figure class="memn2n tex2jax_ignore mathjax_ignore">', *lines, "</figure>", ""])
    return html.encode(errors="replace").decode()  # a text from a command line may contain lone surrogates
