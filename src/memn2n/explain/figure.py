"""Attention as a figure: PNG, SVG or PDF, by matplotlib (extra ``figures``)."""

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

    from memn2n.explain.rows import Picture

FORMATS = ("png", "svg", "pdf")

_COLORS = "Blues"  # from white to dark blue: in grey from light to dark
_LINE = 0.2  # inches
_WIDTH = 60  # characters of a line
_HOP, _GAP, _BARS = 0.62, 1.4, 1.8  # inches
_BAR = 1.5  # lines
_DARK = 0.55  # the weight from which on numbers are white


def attention_figure(picture: Picture) -> Figure:
    """What was read with each hop's weight beside it, and bars of what is ranked.

    Raises:
        ConfigError: if matplotlib is not installed.
    """
    texts = [textwrap.fill(row.marked, _WIDTH) for row in picture.rows]
    edges = [0, *accumulate(text.count("\n") + 1 for text in texts)]  # in lines of text, from the top
    middles = [(begin + end) / 2 for begin, end in pairwise(edges)]
    lines = max(float(edges[-1]), _BAR * len(picture.ranked))
    width, height = picture.hops * _HOP + _GAP + _BARS, lines * _LINE
    figure = new_figure(width, height)
    weights = figure.add_axes((0, 1 - edges[-1] / lines, picture.hops * _HOP / width, edges[-1] / lines))
    shades = [[0.0] * picture.hops if row.weights is None else row.weights.tolist() for row in picture.rows]
    hops = range(picture.hops)
    weights.pcolormesh(range(picture.hops + 1), edges, shades, cmap=_COLORS, vmin=0, vmax=1, edgecolors="0.8",
                       linewidth=0.5)  # fmt: skip
    for middle, row in zip(middles, picture.rows, strict=True):
        for hop in hops:
            weight = 0.0 if row.weights is None else float(row.weights[hop])
            weights.text(hop + 0.5, middle, "-" if row.weights is None else f"{weight:.2f}", ha="center", va="center",
                         fontsize=7, color="white" if weight > _DARK else "0.25")  # fmt: skip
    weights.set_yticks(middles, [_plain(text) for text in texts], fontsize=8)
    weights.set_xticks([hop + 0.5 for hop in hops], [f"hop {hop + 1}" for hop in hops], fontsize=8)
    weights.xaxis.tick_top()
    weights.tick_params(length=0)
    weights.set_ylim(edges[-1], 0)
    _bars(figure.add_axes((1 - _BARS / width, 0, _BARS / width, 1)), picture.ranked, lines)
    title = _plain(textwrap.fill(picture.title, _WIDTH))
    figure.text(0, 1 + 2 * _LINE / height, title, fontsize=11, fontweight="bold")
    remarks = _plain("\n".join(textwrap.fill(remark, 2 * _WIDTH) for remark in picture.remarks))
    figure.text(0, -_LINE / height, remarks, fontsize=7, va="top")
    return figure


def save_figure(figure: Figure, path: str | Path, file_format: str | None = None) -> None:
    """Write a figure, whole or not at all.

    Args:
        figure: what to write.
        path: the file; an earlier one is replaced.
        file_format: "png", "svg" or "pdf"; by default what the file's name ends in.

    Raises:
        InputError: for another format.
        DataError: if the file cannot be written.
    """
    kind = file_format or Path(path).suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise InputError(f"{path}: a figure is one of {', '.join(FORMATS)}; let the name end in it")
    content = io.BytesIO()
    figure.savefig(content, format=kind, dpi=150, bbox_inches="tight")
    write_lines(path, [content.getvalue()])


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of some inches, which needs no screen.

    Raises:
        ConfigError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("figures need matplotlib: pip install 'memn2n[figures]'") from None
    return Figure(figsize=(width, height))


def _bars(axes: Axes, ranked: Sequence[tuple[str, float]], lines: float) -> None:
    """Bars with their names, from the top of so many lines of text."""
    places = [_BAR * (i + 0.5) for i in range(len(ranked))]
    axes.barh(places, [share for _, share in ranked], height=0.9, color="0.55")
    for place, (text, share) in zip(places, ranked, strict=True):
        axes.text(-0.04, place, _plain(textwrap.shorten(text, 24)), ha="right", va="center", fontsize=8)
        axes.text(share + 0.03, place, f"{share:.1%}", va="center", fontsize=7)
    axes.set_xlim(0, 1.3)
    axes.set_ylim(lines, 0)
    axes.axis("off")


def _plain(text: str) -> str:
    """A text in which no dollar sign begins a formula."""
    return text.replace("$", r"\$")
