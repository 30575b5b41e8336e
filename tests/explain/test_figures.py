"""Attention and training curves as figures, and the commands that draw them."""

from __future__ import annotations

import html
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from memn2n.attention_view import AttentionView
from memn2n.errors import ConfigError, DataError, InputError
from memn2n.explain.curves import curves_figure
from memn2n.explain.figure import attention_figure, save_figure
from memn2n.lm.answers import NextWords
from memn2n.qa.answers import Answer
from tests.cli.conftest import CLI, cli

__all__ = ["cli"]

STORY = ("Ann went out.", "<b>Bob</b> paid $5 & $6.", "Cy slept " + "very " * 30 + "long.")
ANSWER = Answer(
    STORY, "Who <i>paid</i>?", "Bob & co", 0.9, (("Bob & co", 0.9), ("Ann", 0.1)),
    np.array([[0, 0.75, 0.25], [0, 0.1, 0.9]], np.float32), dropped=(0,), unknown_words=("paid",),
)  # fmt: skip
WORDS = NextWords(
    ("the", "cat", "sat"), (("on", 0.6), ("down", 0.2)), np.array([[0.5, 0.25, 0.25]], np.float32), ("cat",)
)


def texts(svg: bytes) -> str:
    """The text of a figure: matplotlib writes it in comments beside the outlines of the letters."""
    return html.unescape(" ".join(re.findall(r"<!-- (.*?) -->", svg.decode(), re.DOTALL)))


def drawn(view: AttentionView, kind: str = "svg") -> bytes:
    content = io.BytesIO()
    attention_figure(view).savefig(content, format=kind, bbox_inches="tight")
    return content.getvalue()


def test_a_figure_shows_everything_about_an_answer() -> None:
    shown = texts(drawn(ANSWER.attention_view(support=[1])))
    for part in ("Who <i>paid</i>?", "* <b>Bob</b> paid", "0.75", "hop 2", "Bob & co", "90.0%", "* supporting fact",
                 "the memory holds 2 sentences; older ones (1) were not read", "never seen in training"):  # fmt: skip
        assert part in shown, part
    assert "0.00" not in shown, "a sentence that was not read has no weight"


def test_lone_surrogates_are_drawn_as_question_marks() -> None:
    assert "Where is ??" in texts(drawn(AttentionView("Where is \udcff?", WORDS.attention_view().rows, 1, (), [])))


def test_larger_weights_are_darker_in_grey() -> None:
    weights = np.linspace(0, 1, 6, dtype=np.float32)[:, None]
    ramp = Answer(("x",), "?", "a", 1.0, (("a", 1.0),), weights)
    figure = attention_figure(ramp.attention_view())
    mesh = figure.axes[0].collections[0]
    figure.canvas.draw()
    red, green, blue = mesh.get_facecolors()[:, :3].T  # type: ignore[attr-defined]
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    assert (np.diff(grey) < -0.05).all()


def test_a_figure_is_as_tall_as_its_story() -> None:
    def height(sentences: int) -> int:
        story = tuple(f"Sentence {i}." for i in range(sentences))
        answer = Answer(story, "?", "a", 1.0, (("a", 1.0),), np.full((3, sentences), 1 / sentences, np.float32))
        return Image.open(io.BytesIO(drawn(answer.attention_view(), "png"))).height

    assert height(50) > 3.5 * height(10)


def test_file_formats(tmp_path: Path) -> None:
    figure = attention_figure(WORDS.attention_view())
    for name, begin in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")):
        save_figure(figure, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begin)
    save_figure(figure, tmp_path / "no-ending", "png")
    assert (tmp_path / "no-ending").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(InputError, match="the name of a figure's file must end in one of png, svg, pdf"):
        save_figure(figure, tmp_path / "a.gif")
    with pytest.raises(DataError, match="cannot be written"):
        save_figure(figure, tmp_path / "none" / "a.png")


def test_next_words_as_a_figure() -> None:
    shown = texts(drawn(WORDS.attention_view()))
    assert "Next word" in shown
    assert "0.50" in shown


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r"figures need matplotlib: pip install 'memn2n\[figures\]'"):
        attention_figure(ANSWER.attention_view())


def test_commands_that_explain(cli: CLI, model: Path, tmp_path: Path) -> None:
    story = tmp_path / "story.txt"
    story.write_text("Mary moved to the bathroom.\n\nJohn went to the hallway.\n")
    ask = ["qa", "explain", "--story", story, "--question", "Where is Mary?"]
    files = [f"--{kind}={tmp_path / f'a.{kind}'}" for kind in ("png", "svg", "pdf", "html")]
    shown = cli(*ask, model, "--support", 1, *files)
    assert (shown.status, shown.err) == (0, "")
    assert "bathroom" in shown.out
    assert "* Mary moved to the bathroom." in shown.out
    assert all((tmp_path / f"a.{kind}").stat().st_size for kind in ("png", "svg", "pdf", "html"))
    assert "bathroom" in cli(*ask).out, "by the shipped model"
    story.write_text("1 Mary moved to the bathroom.\n2 Where is Mary?\tbathroom\t1\n")
    assert cli(*ask, model).err.startswith(f"memn2n: {story}:2: this is not a story: give one sentence per line")
    story.write_text("Mary moved to the bathroom.\nJohn went to the hallway.\n")
    refused = cli(*ask, model, "--support", "1,3")
    assert (refused.status, refused.err) == (2, "memn2n: --support is '1,3': the story has the sentences 1 to 2\n")


def test_training_curves(cli: CLI, tmp_path: Path) -> None:
    qa = tmp_path / "qa"
    sizes = ("--epochs", 3, "--linear-start-epochs", 2, "--restarts", 2, "--dim", 4)
    cli("qa", "train", *sizes, "--variant", "official", "--out", qa)
    loss, error = curves_figure(qa).axes
    lines = [line for line in loss.lines if len(line.get_xdata())]  # type: ignore[arg-type]
    assert [len(line.get_xdata()) for line in lines] == [5] * 4  # type: ignore[arg-type]
    metrics = [json.loads(line) for line in (qa / "metrics.jsonl").read_text().splitlines()]
    first = [record["valid"]["error"] for record in metrics if record["event"] == "epoch" and record["restart"] == 0]
    alphas = [line.get_alpha() for line in lines]
    assert sorted(alphas) == [0.4, 0.4, 1, 1], "of two restarts, one was kept"  # type: ignore[type-var]
    assert list(error.lines[1].get_ydata()) == first  # type: ignore[arg-type]
    lm = tmp_path / "lm"
    lm.mkdir()
    epoch = {"event": "epoch", "epoch": 1, "train": {"loss": 5.0, "perplexity": 148.4}, "valid": None}
    older = {"epoch": 1, "train": 5.0, "valid": None, "train_perplexity": 148.4, "valid_perplexity": None}
    for line in (older, epoch):
        (lm / "metrics.jsonl").write_text(json.dumps(line) + "\n")
        assert list(curves_figure(lm).axes[0].lines[0].get_ydata()) == [148.4]  # type: ignore[arg-type]
    assert cli("plot", lm, "--png", tmp_path / "lm.png").status == 0
    assert (tmp_path / "lm.png").read_bytes().startswith(b"\x89PNG")


def test_folders_without_metrics(cli: CLI, tmp_path: Path) -> None:
    assert "there is no metrics.jsonl here" in cli("plot", tmp_path, "--png", tmp_path / "a.png").err
    assert "no file is given: name one with --png, --svg or --pdf" in cli("plot", tmp_path).err
    (tmp_path / "metrics.jsonl").write_text('{"event": "epoch"}\n')
    assert "these are not the metrics of a training" in cli("plot", tmp_path, "--png", tmp_path / "a.png").err
    assert not (tmp_path / "a.png").exists()
