"""``memn2n plot``, and the pictures that ``qa explain`` and ``lm explain`` write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from memn2n.cli.options import Pdf, Png, Svg
from memn2n.errors import InputError

if TYPE_CHECKING:
    from memn2n.attention_view import AttentionView


def write_pictures(view: AttentionView, html: Path | None, **figures: Path | None) -> None:
    """Write a view to the files that are given; ``figures`` are files by format."""
    from memn2n.explain.figure import attention_figure, save_figure
    from memn2n.files.lines import write_lines

    files = {kind: path for kind, path in figures.items() if path is not None}
    if files:
        figure = attention_figure(view)
        for kind, path in files.items():
            save_figure(figure, path, kind)
    if html is not None:
        write_lines(html, [view.to_html().encode()])


def plot(
    run: Annotated[Path, Argument(metavar="RUN", help="The folder of a training run.")],
    png: Png = None,
    svg: Svg = None,
    pdf: Pdf = None,
) -> None:
    """Draw a training, epoch by epoch: loss and error of each restart, or a language model's perplexity."""
    from memn2n.explain.curves import curves_figure
    from memn2n.explain.figure import save_figure

    files = {kind: path for kind, path in (("png", png), ("svg", svg), ("pdf", pdf)) if path is not None}
    if not files:
        raise InputError("no file is given: name one with --png, --svg or --pdf")
    figure = curves_figure(run)
    for kind, path in files.items():
        save_figure(figure, path, kind)
