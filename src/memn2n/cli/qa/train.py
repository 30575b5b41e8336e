"""``memn2n qa train``."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from memn2n.cli.options import INTERRUPTED, Json, Tasks
from memn2n.cli.task_numbers import parse_tasks
from memn2n.qa.config import (
    AnswerSoftmax,
    Backend,
    Clip,
    EmptySlots,
    Encoding,
    LinearStart,
    NetworkConfig,
    NoiseKind,
    Optimizer,
    Sampling,
    Select,
    Temporal,
    TrainingConfig,
    Tying,
    ValidationSplit,
    Variant,
)
from memn2n.qa.config import variant as settings_of

if TYPE_CHECKING:
    from memn2n import StoryQA
    from memn2n.qa.data import Part
    from memn2n.qa.stories import Example
    from memn2n.qa.training.problem import Restart
    from memn2n.qa.training.schedule import Epoch

_SELECTED_BY = {"train": "training", "validation": "validation"}


def _net(name: str, help_: str) -> Any:
    """Option for a setting of the network; without it, it is the variant's, the official one's being shown."""
    return typer.Option(help=help_, show_default=_shown(getattr(NetworkConfig(), name)))


def _train(name: str, help_: str) -> Any:
    return typer.Option(help=help_, show_default=_shown(getattr(TrainingConfig(), name)))


def _shown(value: object) -> str | bool:
    return False if value is None else str(value).lower()


def train(
    out: Annotated[Path, typer.Option(help="The run's folder: model, and metrics.jsonl.")],
    data: Annotated[
        Path | None,
        typer.Argument(
            help="A bAbI file or folder, or a JSONL file; without it, simulated stories, by default of task 1."
        ),
    ] = None,
    task: Tasks = None,
    valid: Annotated[
        Path | None, typer.Option(help="Validation data; by default DATA's own (qa1_valid.txt), or a share of it.")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="Test data; by default the test files of DATA, where it is a folder.")
    ] = None,
    variant: Annotated[
        Variant, typer.Option(help="Settings of the official code, or of the paper's text.")
    ] = "official",
    lowercase: Annotated[bool, typer.Option(help="Whether upper and lower case are the same.")] = True,
    as_json: Json = False,
    dim: Annotated[int | None, _net("dim", "Size of embeddings and state.")] = None,
    hops: Annotated[int | None, _net("hops", "How many times the memory is read.")] = None,
    encoding: Annotated[
        Encoding | None, _net("encoding", "Sentences as sums of words, or weighted by position.")
    ] = None,
    temporal: Annotated[Temporal | None, _net("temporal", "How the order of sentences is known.")] = None,
    tying: Annotated[Tying | None, _net("tying", "Which matrices the hops share.")] = None,
    relu: Annotated[bool | None, _net("relu", "A ReLU on the state after each hop.")] = None,
    empty_slots: Annotated[EmptySlots | None, _net("empty_slots", "Whether empty memory slots keep attention.")] = None,
    answer_softmax: Annotated[AnswerSoftmax | None, _net("answer_softmax", "What competes to be the answer.")] = None,
    memory_size: Annotated[int | None, _net("memory_size", "Sentences that the memory holds at most.")] = None,
    epochs: Annotated[int | None, _train("epochs", "Epochs after the linear start.")] = None,
    learning_rate: Annotated[
        float | None, _train("learning_rate", "First rate; 0.01, or 0.005 with a linear start.")
    ] = None,
    decay_every: Annotated[int | None, _train("decay_every", "The rate is halved every so many epochs.")] = None,
    batch_size: Annotated[int | None, _train("batch_size", "Questions in a batch.")] = None,
    clip_norm: Annotated[float | None, _train("clip_norm", "Largest norm of a matrix's gradient.")] = None,
    clip: Annotated[Clip | None, _train("clip", "Which norm.")] = None,
    optimizer: Annotated[Optimizer | None, _train("optimizer", "How the parameters follow the gradient.")] = None,
    linear_start: Annotated[
        LinearStart | None, _train("linear_start", "Training first without the attention's softmax.")
    ] = None,
    linear_start_epochs: Annotated[int | None, _train("linear_start_epochs", "How long, or how long at most.")] = None,
    linear_start_patience: Annotated[
        int | None, _train("linear_start_patience", "Epochs without progress that end it.")
    ] = None,
    noise: Annotated[NoiseKind | None, _train("noise", "Random noise in time.")] = None,
    noise_rate: Annotated[float | None, _train("noise_rate", "How much of it.")] = None,
    unknown_rate: Annotated[
        float | None, _train("unknown_rate", "Share of words replaced by the unknown word.")
    ] = None,
    sampling: Annotated[Sampling | None, _train("sampling", "How the batches of an epoch are drawn.")] = None,
    validation: Annotated[float | None, _train("validation", "Share of the questions held out for validation.")] = None,
    validation_split: Annotated[ValidationSplit | None, _train("validation_split", "Which ones are held out.")] = None,
    restarts: Annotated[int | None, _train("restarts", "Networks trained.")] = None,
    select: Annotated[Select | None, _train("select", "Which is kept: by which loss, or all.")] = None,
    init_std: Annotated[float | None, _train("init_std", "Spread of the random start.")] = None,
    seed: Annotated[int | None, _train("seed", "The same seed gives the same model.")] = None,
    backend: Annotated[Backend, typer.Option(help="What trains: the native engine, or PyTorch.")] = "auto",
    device: Annotated[str, typer.Option(help="Where PyTorch trains, such as cuda.")] = "cpu",
    threads: Annotated[
        int | None, typer.Option(help="Restarts trained at a time by the engine; by default one a core.")
    ] = None,
) -> None:
    """Train a model on stories. Ctrl-C keeps the best one so far."""
    given = {name: value for name, value in locals().items() if value is not None}
    network, training = settings_of(variant)
    network = replace(network, **{f.name: given[f.name] for f in fields(NetworkConfig) if f.name in given})
    training = replace(training, **{f.name: given[f.name] for f in fields(TrainingConfig) if f.name in given})

    from memn2n import StoryQA
    from memn2n.cli.qa.progress import TrainingProgress
    from memn2n.files.model_folder import prepare
    from memn2n.qa.training.metrics import MetricsLog

    train_examples, valid_examples, test_examples = _read_parts(data, task, valid, test, training)
    new = not out.exists()
    folder = prepare(out)
    try:
        with MetricsLog(folder) as metrics:
            with TrainingProgress(training) as progress:

                def on_event(event: Epoch | Restart) -> None:
                    metrics(event)
                    progress(event)

                qa = StoryQA.fit(train_examples, valid_examples, network=network, training=training,
                                 lowercase=lowercase, backend=backend, device=device, threads=threads,
                                 on_event=on_event)  # fmt: skip
            with _ctrl_c_ignored():  # what is trained is saved, however often it is pressed
                qa.save(folder)
                metrics.keep()
    except KeyboardInterrupt:
        print("memn2n: interrupted before there was a network to keep; nothing was saved", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    finally:
        if new:
            with suppress(OSError):
                folder.rmdir()  # where nothing was written to it
    _report(qa, test_examples, folder, as_json)
    if qa.interrupted:
        print(f"memn2n: interrupted; the best model so far is in {folder}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _read_parts(
    data: Path | None, task: str | None, valid: Path | None, test: Path | None, training: TrainingConfig
) -> tuple[list[Example], list[Example] | None, list[Example] | None]:
    """Training, validation and test examples; None for a part that is neither given nor in the data's folder."""
    from memn2n.qa.data import read_stories
    from memn2n.qa.data.babi import available
    from memn2n.simulator import SKILLS, simulate

    tasks = parse_tasks(task, "--task")
    if data is None:
        train, simulated = simulate(SKILLS if task == "all" else tasks or 1, seed=training.seed)
    else:
        train = read_stories(data, "train", tasks)

    def read(path: Path | None, part: Part) -> list[Example] | None:
        if path is not None:
            return read_stories(path, part, tasks if path.is_dir() else None)
        if data is None:
            return simulated if part == "test" else None
        if not data.is_dir():
            return None
        trained = {int(example.task) for example in train}
        beside = available(data, part).keys() & trained
        if part == "valid" and beside != trained:
            return None  # validated on all tasks or, by a share of the training data, on all tasks
        return read_stories(data, part, beside) if beside else None

    return train, read(valid, "valid"), read(test, "test")


def _report(qa: StoryQA, test: list[Example] | None, folder: Path, as_json: bool) -> None:
    from memn2n.cli.show import show_evaluation

    evaluation = None if test is None else qa.evaluate(test)
    if as_json:
        restarts = [asdict(restart) for restart in qa.restarts]
        result = {"model": str(folder), "interrupted": qa.interrupted, "restarts": restarts}
        typer.echo(json.dumps(result | {"test": evaluation and evaluation.to_dict()}))
        return
    kept = [restart.restart + 1 for restart in qa.restarts if restart.kept]
    if qa.training.select == "ensemble":
        typer.echo(f"kept an ensemble of {len(kept)} of {len(qa.restarts)} restarts")
    else:
        loss = _SELECTED_BY[qa.training.select]
        typer.echo(f"kept restart {kept[0]} of {len(qa.restarts)} by its {loss} loss")
    if evaluation is not None:
        show_evaluation(evaluation)
    typer.echo(f"saved in {folder}")
