"""Attention as a figure by matplotlib (the extra ``figures``), and its file: PNG, SVG or PDF."""

from __future__ import annotations

import io
import textwrap
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError, InputError
from memn2n.files.lines import write_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from memn2n.attention_view import AttentionView

FIGURE_FORMATS = ("png", "svg", "pdf")

_COLORS = "Blues"  # from white to dark blue, so that a print in grey shows the same order
_LINE = 0.2  # height of a line of text, in inches
_WIDTH = 60  # characters in a line of text
_HOP = 0.62  # width of a hop's column, in inches
_GAP = 1.4  # width of the gap between the columns and the bars, in inches
_BARS = 1.8  # width of the bars, in inches
_BAR = 1.5  # height of a bar and the space around it, in lines
_DARK = 0.55  # numbers above this weight are white


def attention_figure(view: AttentionView) -> Figure:
    """The sentences or words with the weight that each hop gives them, and bars of the most probable answers.

    Raises:
        ConfigError: if matplotlib is not installed.
    """
    texts = [textwrap.fill(row.marked, _WIDTH) for row in view.rows]
    edges = [0, *accumulate(text.count("\n") + 1 for text in texts)]  # in lines of text, from the top
    middles = [(begin + end) / 2 for begin, end in pairwise(edges)]
    lines = max(float(edges[-1]), _BAR * len(view.ranked))
    width, height = view.hops * _HOP + _GAP + _BARS, lines * _LINE
    figure = new_figure(width, height)
    weights = figure.add_axes((0, 1 - edges[-1] / lines, view.hops * _HOP / width, edges[-1] / lines))
    shades = [[0.0] * view.hops if row.weights is None else row.weights.tolist() for row in view.rows]
    hops = range(view.hops)
    weights.pcolormesh(range(view.hops + 1), edges, shades, cmap=_COLORS, vmin=0, vmax=1, edgecolors="0.8",
                       linewidth=0.5)  # fmt: skip
    for middle, row in zip(middles, view.rows, strict=True):
        for hop in hops:
            weight = 0.0 if row.weights is None else float(row.weights[hop])
            weights.text(hop + 0.5, middle, "-" if row.weights is None else f"{weight:.2f}", ha="center", va="center",
                         fontsize=7, color="white" if weight > _DARK else "0.25")  # fmt: skip
    weights.set_yticks(middles, [_escaped(text) for text in texts], fontsize=8)
    weights.set_xticks([hop + 0.5 for hop in hops], [f"hop {hop + 1}" for hop in hops], fontsize=8)
    weights.xaxis.tick_top()
    weights.tick_params(length=0)
    weights.set_ylim(edges[-1], 0)
    _bars(figure.add_axes((1 - _BARS / width, 0, _BARS / width, 1)), view.ranked, lines)
    title = _escaped(textwrap.fill(view.title, _WIDTH))
    figure.text(0, 1 + 2 * _LINE / height, title, fontsize=11, fontweight="bold")
    remarks = _escaped("\n".join(textwrap.fill(remark, 2 * _WIDTH) for remark in view.remarks))
    figure.text(0, -_LINE / height, remarks, fontsize=7, va="top")
    return figure


def save_figure(figure: Figure, path: str | Path, file_format: str | None = None) -> None:
    """Write a figure to a file, completely or not at all. An existing file is replaced.

    The format is "png", "svg" or "pdf", by default the ending of the file's name.

    Raises:
        InputError: if the format is none of these.
        DataError: if the file cannot be written.
    """
    kind = file_format or Path(path).suffix.lower().removeprefix(".")
    if kind not in FIGURE_FORMATS:
        raise InputError(f"{path}: the name of a figure's file must end in one of {', '.join(FIGURE_FORMATS)}")
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150, bbox_inches="tight")
    write_lines(path, [content.getvalue()])


def new_figure(width: float, height: float) -> Figure:
    """An empty figure that needs no display; width and height in inches.

    Raises:
        ConfigError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("figures need matplotlib: pip install 'memn2n[figures]'") from None
    return Figure(figsize=(width, height))


def _bars(axes: Axes, ranked: Sequence[tuple[str, float]], lines: float) -> None:
    """Draw bars with their names, from the top of axes that are ``lines`` lines of text high."""
    places = [_BAR * (i + 0.5) for i in range(len(ranked))]
    axes.barh(places, [share for _, share in ranked], height=0.9, color="0.55")
    for place, (text, share) in zip(places, ranked, strict=True):
        axes.text(-0.04, place, _escaped(textwrap.shorten(text, 24)), ha="right", va="center", fontsize=8)
        axes.text(share + 0.03, place, f"{share:.1%}", va="center", fontsize=7)
    axes.set_xlim(0, 1.3)
    axes.set_ylim(lines, 0)
    axes.axis("off")


def _escaped(text: str) -> str:
    """The text as matplotlib can draw it: dollar signs would begin a formula, and lone surrogates have no glyph."""
    return text.replace("$", r"\$").encode(errors="replace").decode()
