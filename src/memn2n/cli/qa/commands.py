"""``memn2n qa``: train, eval, ask, info, explain, predict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from memn2n.cli.options import (
    FamilyCommand,
    Html,
    Json,
    OptionalStoryModel,
    Pdf,
    Png,
    Renamings,
    StoryModel,
    Svg,
    Tasks,
    parse_tasks,
    stdin,
)
from memn2n.cli.qa.symmetries import symmetries
from memn2n.cli.qa.train import train
from memn2n.errors import DataError, InputError
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from typing import BinaryIO

    from memn2n import StoryQA

app = typer.Typer(help="Question answering about stories.", no_args_is_help=True)
app.command(cls=FamilyCommand)(train)
app.command()(symmetries)


@app.command("eval")
def evaluate(
    model: StoryModel,
    data: Annotated[Path, Argument(help="A bAbI file, a folder of them (its test files), or a JSONL file.")],
    task: Tasks = None,
    renamings: Renamings = 1,
    as_json: Json = False,
) -> None:
    """Test a model: error and attention recall for each task."""
    from memn2n.cli.show import show_evaluation
    from memn2n.qa.data import read_stories

    qa = _load(model)
    evaluation = qa.evaluate(read_stories(data, "test", parse_tasks(task, "--task")), renamings=renamings)
    if as_json:
        typer.echo(json.dumps(evaluation.to_dict()))
    else:
        show_evaluation(evaluation)


@app.command()
def ask(
    model: OptionalStoryModel = None,
    story: Annotated[Path | None, Option(help="A text file with one sentence per line, to begin the story.")] = None,
    renamings: Renamings = 1,
    as_json: Json = False,
) -> None:
    """Talk with a model: a line that ends in "?" is a question, any other line is the story's next sentence.

    :reset begins a new story, :why shows the attention of the last answer, :story shows the story, :quit ends.
    """
    from memn2n.cli.qa.talk import talk

    begin = [] if story is None else _sentences(story)
    if not talk(_load(model), begin, stdin(), renamings=renamings, as_json=as_json):
        raise typer.Exit(InputError.exit_status)


@app.command()
def info(model: StoryModel, as_json: Json = False) -> None:
    """Show a model: its network, size, training, and exchangeable words."""
    qa = _load(model)
    if as_json:
        typer.echo(json.dumps(qa.summary() | {"symmetries": qa.symmetries.to_dict()}, ensure_ascii=False))
        return
    for name, value in qa.summary().items():
        typer.echo(f"{name:<18} {value}")


@app.command()
def explain(
    story: Annotated[Path, Option(help="A text file with one sentence per line.")],
    question: Annotated[str, Option(help="The question about the story.")],
    model: OptionalStoryModel = None,
    support: Annotated[str | None, Option(metavar="N|N,N", help="Supporting sentences to mark, from 1.")] = None,
    png: Png = None,
    svg: Svg = None,
    pdf: Pdf = None,
    html: Html = None,
) -> None:
    """Answer a question, and show the attention of each hop: on the terminal, and as pictures."""
    from rich.console import Console

    from memn2n.cli.pictures import write_pictures
    from memn2n.explain.tables import attention_table

    sentences = _sentences(story)
    facts = [number - 1 for number in parse_tasks(support, "--support") or ()]
    if any(not 0 <= fact < len(sentences) for fact in facts):
        raise InputError(f"--support is {quoted(support)}: the story has the sentences 1 to {len(sentences)}")
    answer = _load(model).answer(sentences, question)
    Console().print(attention_table(answer, facts))
    write_pictures(answer.attention_view(facts), html, png=png, svg=svg, pdf=pdf)


@app.command()
def predict(
    model: StoryModel,
    data: Annotated[Path, Argument(help="A JSONL file of stories with questions; - for standard input.")] = Path("-"),
    out: Annotated[Path | None, Option(help="A file, written at the end; by default, standard output.")] = None,
    top: Annotated[int, Option(min=1, help="Number of answers to list with their probabilities.")] = 5,
    renamings: Renamings = 1,
) -> None:
    """Answer questions from JSONL to JSONL: each object is written with the prediction added."""
    from memn2n.files.records import json_line, write_records

    qa = _load(model)
    if str(data) == "-":
        # the writer may wait for each answer
        predicted = _predict(qa, stdin().buffer, "<stdin>", top, renamings, at_once=1)
    else:
        predicted = _predict(qa, data, str(data), top, renamings, at_once=256)
    if out is not None:
        write_records(out, predicted)
        return
    for record in predicted:
        sys.stdout.buffer.write(json_line(record))
        sys.stdout.buffer.flush()


def _predict(
    qa: StoryQA, source: Path | BinaryIO, name: str, top: int, renamings: int, *, at_once: int
) -> Iterator[dict[str, Any]]:
    """Yield the records of a JSONL source with their predictions, answered ``at_once`` at a time."""
    from memn2n.files.records import iter_records
    from memn2n.qa.data.jsonl import question_of, values_of

    records = iter_records(source, name)
    while batch := list(islice(records, at_once)):
        questions = [(*question_of(record, where, number), values_of(record, where, number))
                     for where, number, record in batch]  # fmt: skip
        answers = qa.answer_many(questions, top=top, renamings=renamings)
        for (_, _, record), answer in zip(batch, answers, strict=True):
            yield record | answer.to_dict()


def _sentences(story: Path) -> list[str]:
    """Read a story from a text file; raises DataError for a bAbI file, which has questions and answers in it."""
    from memn2n.files.lines import iter_lines

    sentences = []
    for number, text in iter_lines(story):
        if "\t" in text.strip():
            raise DataError(
                story, number, "this is not a story: give one sentence per line, without tabs, questions or answers"
            )
        if text.strip():
            sentences.append(text.strip())
    return sentences


def _load(model: Path | None) -> StoryQA:
    from memn2n.qa.pretrained import load_qa

    return load_qa(model)
