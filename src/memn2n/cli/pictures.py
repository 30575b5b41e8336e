"""The files of pictures, as options of ``qa explain`` and ``lm explain``; ``memn2n plot``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from memn2n.errors import InputError

if TYPE_CHECKING:
    from memn2n.explain.rows import Picture

Png = Annotated[Path | None, typer.Option(help="Draw it to this file; needs memn2n[figures].")]
Svg = Annotated[Path | None, typer.Option(help="The same as SVG.")]
Pdf = Annotated[Path | None, typer.Option(help="The same as PDF.")]
Html = Annotated[Path | None, typer.Option(help="Write it as a fragment of HTML.")]


def write_pictures(picture: Picture, html: Path | None, **figures: Path | None) -> None:
    """Write what was asked for; ``figures`` are files by their format."""
    from memn2n.explain.figure import attention_figure, save_figure
    from memn2n.explain.fragment import attention_html
    from memn2n.files.lines import write_lines

    files = {kind: path for kind, path in figures.items() if path is not None}
    if files:
        figure = attention_figure(picture)
        for kind, path in files.items():
            save_figure(figure, path, kind)
    if html is not None:
        write_lines(html, [attention_html(picture).encode()])


def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a training.")],
    png: Png = None,
    svg: Svg = None,
    pdf: Pdf = None,
) -> None:
    """Draw the course of a training: loss and error of each restart, or a language model's perplexity."""
    from memn2n.explain.curves import curves_figure
    from memn2n.explain.figure import save_figure

    files = {kind: path for kind, path in (("png", png), ("svg", svg), ("pdf", pdf)) if path is not None}
    if not files:
        raise InputError("there is nothing to draw to: name a file with --png, --svg or --pdf")
    figure = curves_figure(run)
    for kind, path in files.items():
        save_figure(figure, path, kind)
