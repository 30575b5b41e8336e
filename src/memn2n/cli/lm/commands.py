"""``memn2n lm``: eval, score, next, explain, generate."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from memn2n.cli.lm.port_options import PortCommand
from memn2n.cli.lm.train import show_evaluation, test_file, train
from memn2n.cli.options import Html, Json, Pdf, Png, ScoringPrecision, Svg, TextFolder, TextModel, TextName, stdin
from memn2n.errors import InputError
from memn2n.terminal import printable
from memn2n.words import EOS

app = typer.Typer(help="Language modelling: train on text, test, score, generate.", no_args_is_help=True)
app.command(cls=PortCommand, epilog="The TensorFlow port's options work too: docs/lm.md lists them.")(train)


@app.command("eval", cls=PortCommand)
def evaluate(
    model: TextModel,
    text: Annotated[Path | None, Argument(metavar="[FILE]", help="A text; by default --data-dir's test text.")] = None,
    data_dir: TextFolder = None,
    data_name: TextName = None,
    precision: ScoringPrecision = "fp32",
    as_json: Json = False,
) -> None:
    """Test a model: its perplexity on a text, which is split into words as the training text was."""
    of_folder = test_file(data_dir, data_name)
    path = text or of_folder
    if path is None or (text and of_folder):
        raise InputError("name one text: a file, or --data-dir and --data-name")

    from memn2n import MemoryLM

    lm = MemoryLM.load(model)
    show_evaluation(lm.evaluate(lm.read(path), precision=precision), as_json)


@app.command()
def score(
    model: TextModel,
    text: Annotated[Path, Argument(metavar="[FILE]", help="The text; - for standard input.")] = Path("-"),
    precision: ScoringPrecision = "fp32",
    jsonl: Annotated[bool, Option("--jsonl", help="Write one JSON object per word.")] = False,
) -> None:
    """Print each word's log-probability, given the words before it, in nats and in bits."""
    from memn2n import MemoryLM
    from memn2n.cli.show import SCORE_HEADING, score_line
    from memn2n.files.records import json_line

    lm = MemoryLM.load(model)
    corpus = lm.read(text) if str(text) != "-" else lm.read(stdin().buffer.read(), "<stdin>")
    scores = lm.score(corpus, precision=precision)
    if jsonl:
        for word in scores:
            sys.stdout.buffer.write(json_line(word.to_dict()))
        return
    for i, word in enumerate(scores):
        if i == 0:
            print(SCORE_HEADING)
        print(score_line(word))


@app.command("next")
@app.command("explain")
def next_words(
    model: TextModel,
    text: Annotated[str, Argument(help="The text before; by default the beginning of a sentence.")] = "",
    top: Annotated[int, Option(help="Number of words to print.")] = 10,
    png: Png = None,
    svg: Svg = None,
    pdf: Pdf = None,
    html: Html = None,
    as_json: Json = False,
) -> None:
    """Print, and draw, the most probable next words, and the attention of each hop to the words before."""
    from rich.console import Console

    from memn2n import MemoryLM
    from memn2n.cli.pictures import write_pictures
    from memn2n.explain.tables import words_table

    found = MemoryLM.load(model).next_words(text, top=top)
    if as_json:
        typer.echo(json.dumps(found.to_dict()))
    else:
        for word, probability in found.ranked:
            print(f"{probability:6.1%}  {printable(word)}")
        for remark in found.remarks:
            print(printable(remark))
        Console().print(words_table(found))
    write_pictures(found.attention_view(), html, png=png, svg=svg, pdf=pdf)


@app.command()
def generate(
    model: TextModel,
    prompt: Annotated[str, Argument(help="The text to continue; by default the beginning of a sentence.")] = "",
    words: Annotated[int, Option(help=f"Number of words, each {EOS} included.")] = 20,
    temperature: Annotated[
        float, Option(help="Below 1, probable words are drawn more often; 0: always the most probable word.")
    ] = 1.0,
    top_k: Annotated[int | None, Option(help="Draw only among the TOP_K most probable words.")] = None,
    seed: Annotated[int, Option(min=0, max=2**63 - 1, help="The same seed gives the same words.")] = 0,
    unknown: Annotated[bool, Option("--unknown", help="Allow <unk> to be drawn.")] = False,
    raw: Annotated[bool, Option("--raw", help=f"Print {EOS}, not a line end.")] = False,
) -> None:
    """Continue a text, word by word."""
    from memn2n import MemoryLM

    lm = MemoryLM.load(model)
    before = ""
    for word in lm.generate(prompt, words, temperature=temperature, top_k=top_k, seed=seed, unknown=unknown):
        ends = word == EOS and not raw
        print("\n" if ends else before + printable(word), end="", flush=True)
        before = "" if ends else " "
    if before:
        print()
