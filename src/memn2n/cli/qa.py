"""``memn2n qa``: train, eval, ask, predict."""

from __future__ import annotations

import json
import re
import sys
from contextlib import suppress
from dataclasses import asdict, fields, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memn2n.config import (
    AnswerSoftmax,
    Clip,
    EmptySlots,
    Encoding,
    LinearStart,
    NetworkConfig,
    NoiseKind,
    Sampling,
    Select,
    Temporal,
    TrainingConfig,
    Tying,
    ValidationSplit,
    Variant,
)
from memn2n.config import (
    variant as settings_of,
)
from memn2n.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO, TextIO

    from memn2n import StoryQA
    from memn2n.data import Part
    from memn2n.stories import Example
    from memn2n.train.qa import Epoch
    from memn2n.train.restarts import Restart

app = typer.Typer(help="Question answering about stories.", no_args_is_help=True)

_NETWORK, _TRAINING = "Network (defaults: the variant's)", "Training (defaults: the variant's)"
_INTERRUPTED = 130
SELECTED_BY = {"train": "training", "validation": "validation"}

Model = Annotated[Path, typer.Argument(metavar="DIR", help="A model directory, as qa train writes it.")]
Tasks = Annotated[
    str | None, typer.Option(metavar="N|N,N|N-N", help="Tasks of a bAbI folder; by default all, jointly.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _net(help_: str) -> Any:
    return typer.Option(help=help_, rich_help_panel=_NETWORK)


def _train(help_: str) -> Any:
    return typer.Option(help=help_, rich_help_panel=_TRAINING)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="The run's folder: model, and metrics.jsonl.")],
    data: Annotated[
        Path | None,
        typer.Argument(help="A bAbI file or folder, or a JSONL file; without it, simulated stories of task 1."),
    ] = None,
    task: Tasks = None,
    valid: Annotated[Path | None, typer.Option(help="Validation data; by default a share of DATA is held out.")] = None,
    test: Annotated[Path | None, typer.Option(help="Test data; by default the test files of DATA's folder.")] = None,
    variant: Annotated[
        Variant, typer.Option(help="Settings of the official code, or of the paper's text.")
    ] = "official",
    lowercase: Annotated[bool, typer.Option(help="Whether upper and lower case are the same.")] = True,
    as_json: Json = False,
    dim: Annotated[int | None, _net("Size of embeddings and state.")] = None,
    hops: Annotated[int | None, _net("How many times the memory is read.")] = None,
    encoding: Annotated[Encoding | None, _net("Sentences as sums of words, or weighted by position.")] = None,
    temporal: Annotated[Temporal | None, _net("How the order of sentences is known.")] = None,
    tying: Annotated[Tying | None, _net("Which matrices the hops share.")] = None,
    relu: Annotated[bool | None, _net("A ReLU on the state after each hop.")] = None,
    empty_slots: Annotated[EmptySlots | None, _net("Whether empty memory slots keep attention.")] = None,
    answer_softmax: Annotated[AnswerSoftmax | None, _net("What competes to be the answer.")] = None,
    memory_size: Annotated[int | None, _net("Sentences that the memory holds at most.")] = None,
    epochs: Annotated[int | None, _train("Epochs after the linear start.")] = None,
    learning_rate: Annotated[float | None, _train("First rate; 0.01, or 0.005 with a linear start.")] = None,
    decay_every: Annotated[int | None, _train("The rate is halved every so many epochs.")] = None,
    batch_size: Annotated[int | None, _train("Questions in a batch.")] = None,
    clip_norm: Annotated[float | None, _train("Largest norm of a matrix's gradient.")] = None,
    clip: Annotated[Clip | None, _train("Which norm.")] = None,
    linear_start: Annotated[LinearStart | None, _train("Training first without the attention's softmax.")] = None,
    linear_start_epochs: Annotated[int | None, _train("How long, or how long at most.")] = None,
    linear_start_patience: Annotated[int | None, _train("Epochs without progress that end it.")] = None,
    noise: Annotated[NoiseKind | None, _train("Random noise in time.")] = None,
    noise_rate: Annotated[float | None, _train("How much of it.")] = None,
    unknown_rate: Annotated[float | None, _train("Share of words replaced by the unknown word.")] = None,
    sampling: Annotated[Sampling | None, _train("How the batches of an epoch are drawn.")] = None,
    validation: Annotated[float | None, _train("Share of the questions held out for validation.")] = None,
    validation_split: Annotated[ValidationSplit | None, _train("Which ones are held out.")] = None,
    restarts: Annotated[int | None, _train("Networks trained, of which one is kept.")] = None,
    select: Annotated[Select | None, _train("By which loss it is chosen.")] = None,
    init_std: Annotated[float | None, _train("Spread of the random start.")] = None,
    seed: Annotated[int | None, _train("The same seed gives the same model.")] = None,
) -> None:
    """Train a model on stories. Ctrl-C keeps the best one so far."""
    given = {name: value for name, value in locals().items() if value is not None}
    network, training = settings_of(variant)
    network = replace(network, **{f.name: given[f.name] for f in fields(NetworkConfig) if f.name in given})
    training = replace(training, **{f.name: given[f.name] for f in fields(TrainingConfig) if f.name in given})

    from memn2n import StoryQA
    from memn2n.checkpoint import prepare
    from memn2n.cli.progress import TrainingProgress
    from memn2n.train.metrics import MetricsLog

    train_examples, valid_examples, test_examples = _read_parts(data, task, valid, test, training)
    folder = prepare(out)
    try:
        with MetricsLog(folder) as metrics:
            with TrainingProgress(training) as progress:

                def on_event(event: Epoch | Restart) -> None:
                    metrics(event)
                    progress(event)

                qa = StoryQA.fit(train_examples, valid_examples, network=network, training=training,
                                 lowercase=lowercase, on_event=on_event)  # fmt: skip
            qa.save(folder)
            metrics.keep()
    except KeyboardInterrupt:
        print("memn2n: interrupted before the first epoch was done; nothing was saved", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        with suppress(OSError):
            folder.rmdir()  # where nothing was written to it
    _report(qa, test_examples, folder, as_json)
    if qa.interrupted:
        print(f"memn2n: interrupted; the best model so far is in {folder}", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED)


@app.command("eval")
def evaluate(
    model: Model,
    data: Annotated[Path, typer.Argument(help="A bAbI file, a folder of them (its test files), or a JSONL file.")],
    task: Tasks = None,
    as_json: Json = False,
) -> None:
    """Test a model: error and attention recall for each task."""
    from memn2n import StoryQA
    from memn2n.cli.show import show_evaluation
    from memn2n.data import read_stories

    qa = StoryQA.load(model)
    evaluation = qa.evaluate(read_stories(data, "test", _tasks(task)))
    if as_json:
        typer.echo(json.dumps(evaluation.to_dict()))
    else:
        show_evaluation(evaluation)


@app.command()
def ask(
    model: Model,
    story: Annotated[Path | None, typer.Option(help="A text file with a sentence a line, to begin with.")] = None,
    as_json: Json = False,
) -> None:
    """Talk with a model: a line that ends in "?" is a question, any other one goes on with the story.

    :reset begins a new story, :why shows the attention of the last answer, :story shows the story, :quit leaves.
    """
    from memn2n import StoryQA
    from memn2n.cli.talk import talk
    from memn2n.data.lines import iter_lines

    begin = [] if story is None else [text.strip() for _, text in iter_lines(story) if text.strip()]
    if not talk(StoryQA.load(model), begin, sys.stdin, as_json=as_json):
        raise typer.Exit(InputError.exit_status)


@app.command()
def predict(
    model: Model,
    data: Annotated[Path, typer.Argument(help="JSONL with story and question a line; - for standard input.")] = Path(
        "-"
    ),
    out: Annotated[Path | None, typer.Option(help="Write here, all or nothing; by default to standard output.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many answers to give with their probabilities.")] = 5,
) -> None:
    """Answer questions from JSONL to JSONL: each object comes back with the prediction's keys added."""
    from memn2n import StoryQA

    qa = StoryQA.load(model)
    if str(data) == "-":
        predicted = _predict(qa, sys.stdin.buffer, "<stdin>", top, at_once=1)  # a program may wait for each answer
    else:
        predicted = _predict(qa, data, None, top, at_once=256)
    if out is None:
        _write(predicted, sys.stdout)
        return
    partial = out.with_name(out.name + ".partial")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            _write(predicted, file)
        partial.replace(out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)


def _predict(
    qa: StoryQA, source: Path | BinaryIO, name: str | None, top: int, *, at_once: int
) -> Iterator[dict[str, Any]]:
    """The records of a JSONL source with their predictions."""
    from memn2n.data.jsonl import iter_records, question_of

    records = iter_records(source, name)
    while some := list(islice(records, at_once)):
        questions = [question_of(record, where, number) for where, number, record in some]
        for (_, _, record), answer in zip(some, qa.answer_many(questions, top=top), strict=True):
            yield record | answer.to_dict()


def _write(records: Iterable[dict[str, Any]], file: TextIO) -> None:
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
        file.flush()


def _read_parts(
    data: Path | None, task: str | None, valid: Path | None, test: Path | None, training: TrainingConfig
) -> tuple[list[Example], list[Example] | None, list[Example] | None]:
    """Training, validation and test examples; None for a part that is neither given nor in the data's folder."""
    from memn2n.data import read_stories
    from memn2n.data.babi import available
    from memn2n.simulator import simulate

    tasks = _tasks(task)
    if data is None:
        if tasks and len(tasks) > 1:
            raise InputError("stories are simulated of one task at a time; give one --task")
        train, simulated = simulate(tasks[0] if tasks else 1, seed=training.seed)
    else:
        train = read_stories(data, "train", tasks)

    def read(path: Path | None, part: Part) -> list[Example] | None:
        if path is not None:
            return read_stories(path, part, tasks if path.is_dir() else None)
        if data is None:
            return simulated if part == "test" else None
        if not data.is_dir():
            return None
        beside = available(data, part).keys() & {int(example.task) for example in train}
        return read_stories(data, part, beside) if beside else None

    return train, read(valid, "valid"), read(test, "test")


def _tasks(text: str | None) -> list[int] | None:
    """Task numbers of "3", "1,2,5-8" or "all"."""
    if text is None or text == "all":
        return None
    tasks: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,4})\s*(?:-\s*([0-9]{1,4})\s*)?", part)
        if match is None:
            raise InputError(f'--task is {text!r}: give a number, or a list such as 1,2,5-8, or "all"')
        tasks.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return tasks


def _report(qa: StoryQA, test: list[Example] | None, folder: Path, as_json: bool) -> None:
    from memn2n.cli.show import show_evaluation

    evaluation = None if test is None else qa.evaluate(test)
    if as_json:
        restarts = [asdict(restart) for restart in qa.restarts]
        result = {"model": str(folder), "interrupted": qa.interrupted, "restarts": restarts}
        typer.echo(json.dumps(result | {"test": evaluation and evaluation.to_dict()}))
        return
    kept = next(restart for restart in qa.restarts if restart.kept)
    typer.echo(f"kept restart {kept.restart + 1} of {len(qa.restarts)} by its {SELECTED_BY[qa.training.select]} loss")
    if evaluation is not None:
        show_evaluation(evaluation)
    typer.echo(f"saved in {folder}")
