"""``memn2n lm train``."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from memn2n.cli.ending import StoppedError
from memn2n.cli.options import Json, TextFolder, TextName, settings_options
from memn2n.errors import ConfigError, InputError, Setting, TrainingError
from memn2n.files.lines import plain_or_gz
from memn2n.lm.config import LMConfig, LMTraining, LMVariant, lm_variant
from memn2n.lm.vocabulary import Lines, Tokens

if TYPE_CHECKING:
    from memn2n import Corpus, LMEvaluation, MemoryLM
    from memn2n.lm.training.checkpoints import Checkpoint
    from memn2n.lm.training.progress import LMEpoch, LMStep

_DEFAULT_OUT = Path("runs/lm")
_DEFAULT_NAME = "ptb"  # as in the TensorFlow port


@settings_options(LMConfig, LMTraining)
def train(
    text: Annotated[Path | None, Option("--train", help="Training text; by default, Python's reference.")] = None,
    valid: Annotated[Path | None, Option(help="Validation text; by default the end of the training text.")] = None,
    test: Annotated[Path | None, Option(help="Test text.")] = None,
    data_dir: TextFolder = None,
    data_name: TextName = None,
    out: Annotated[
        Path, Option(help="Folder for model, checkpoint and metrics.jsonl; an earlier run there is replaced.")
    ] = _DEFAULT_OUT,
    resume: Annotated[bool, Option("--resume", help="Continue the training in the folder --out.")] = False,
    is_test: Annotated[bool, Option("--is-test/--no-is-test", hidden=True, help="Test the model in --out.")] = False,
    tokens: Annotated[
        Tokens | None,
        Option(
            help="How text is split: at whitespace only, or into words and punctuation.",
            show_default="space; for Python's text: words",
        ),
    ] = None,
    lines: Annotated[
        Lines | None,
        Option(
            help="What a line is: a sentence, or part of a paragraph.",
            show_default="sentences; for Python's text: running",
        ),
    ] = None,
    lowercase: Annotated[bool, Option("--lowercase", help="Treat upper and lower case as the same.")] = False,
    min_count: Annotated[int, Option(help="Words that are rarer in the training text are unknown words.")] = 1,
    max_words: Annotated[int | None, Option(help="Largest vocabulary; rarer words are unknown words.")] = None,
    variant: Annotated[
        LMVariant | None,
        Option(
            help="Defaults of the settings: chosen by validation, the paper's, or the TensorFlow port's.",
            show_default="modern",
        ),
    ] = None,
    *,
    settings: dict[str, Any],
    device: Annotated[str, Option(help="Where to train, such as cuda.")] = "cpu",
    threads: Annotated[int | None, Option(help="Threads of PyTorch.", show_default="one per core")] = None,
    show: Annotated[bool, Option(help="Show the progress within an epoch.")] = True,
    tensorboard: Annotated[Path | None, Option(help="TensorBoard's folder; needs memn2n[tensorboard].")] = None,
    as_json: Json = False,
) -> None:
    """Train a model on text. Ctrl-C, SIGTERM or SIGHUP saves a checkpoint, from which --resume continues."""
    network, training = lm_variant(variant or "modern")
    network, training = network.changed(settings), training.changed(settings)

    from memn2n import MemoryLM
    from memn2n.files.model_folder import has_model, hold_folder
    from memn2n.lm.data.corpus import split_files
    from memn2n.lm.training.checkpoints import load_checkpoint

    if is_test:  # as in the TensorFlow port
        tested = test or test_file(data_dir, data_name)
        if tested is None:
            raise InputError("--is-test needs a test text: give --data-dir and --data-name, or --test")
        model = MemoryLM.load(out)
        show_evaluation(model.evaluate(model.read(tested)), as_json)
        return
    test_file(data_dir, data_name)  # refuses a name without a folder
    if data_dir is not None:
        if text is not None:
            raise InputError("--train and --data-dir both name the training text; give one of them")
        text, *found = split_files(data_dir, data_name or _DEFAULT_NAME)
        valid, test = valid or found[0], test or found[1]
    corpus, (held_out, test_corpus) = _read_texts(text, valid, test, tokens=tokens, lines=lines, lowercase=lowercase)

    def fit(on_event: Callable[[LMStep | LMEpoch], None]) -> MemoryLM:
        return MemoryLM.fit(corpus, held_out, network=network, training=training, min_count=min_count,
                            max_words=max_words, folder=out, resume=resume, device=device, threads=threads,
                            on_event=on_event)  # fmt: skip

    with hold_folder(out):
        checkpoint = None
        if resume:
            checkpoint = load_checkpoint(out)
            wanted = network.resolved() | asdict(training) if variant else settings
            _check_same(wanted, checkpoint, out)
            if "epochs" not in settings:
                training = checkpoint.training
        replaced = not resume and has_model(out)
        model = _train(fit, out, training.epochs, checkpoint, show=show, tensorboard=tensorboard)
    _report(model, None if model.interrupted else test_corpus, out, as_json, replaced=replaced)
    if model.interrupted:
        raise StoppedError(_resumable(out))


def test_file(data_dir: Path | None, data_name: str | None) -> Path | None:
    """The test text of --data-dir; raises InputError for a name without a folder."""
    if data_name is not None and data_dir is None:
        raise InputError("--data-name needs --data-dir, the folder of NAME.train.txt")
    return None if data_dir is None else plain_or_gz(data_dir / f"{data_name or _DEFAULT_NAME}.test.txt")


def show_evaluation(evaluation: LMEvaluation, as_json: bool) -> None:
    """Print how well a text was predicted."""
    from memn2n.cli.show import lm_evaluation_line

    typer.echo(json.dumps(evaluation.to_dict()) if as_json else lm_evaluation_line(evaluation))


def _read_texts(
    train: Path | None, *others: Path | None, tokens: Tokens | None, lines: Lines | None, lowercase: bool
) -> tuple[Corpus, list[Corpus | None]]:
    """Read a training text, and the validation and test text; without ``train``, they come with Python by default."""
    from memn2n import carried_text, read_corpus

    if train is None:
        corpus, *default = (
            replace(text, tokens=tokens or text.tokens, lines=lines or text.lines, lowercase=lowercase)
            for text in carried_text()
        )
    else:
        corpus = read_corpus(train, tokens=tokens or "space", lines=lines or "sentences", lowercase=lowercase)
        default = []
    return corpus, [
        read_corpus(path, tokens=corpus.tokens, lines=corpus.lines, lowercase=lowercase) if path else text
        for path, text in zip_longest(others, default)
    ]


def _check_same(wanted: dict[str, Any], checkpoint: Checkpoint, folder: Path) -> None:
    """Refuse settings that differ from those of a training to resume; only the number of epochs may change."""
    own = checkpoint.network.resolved() | asdict(checkpoint.training)
    for name, value in wanted.items():
        if name != "epochs" and value != own[name]:
            raise ConfigError(Setting(name), f" is {value}, but {own[name]} in the training that {folder} has; resume "
                              "with that, or train without --resume")  # fmt: skip


def _train(
    fit: Callable[[Callable[[LMStep | LMEpoch], None]], MemoryLM],
    out: Path,
    epochs: int,
    checkpoint: Checkpoint | None,
    *,
    show: bool,
    tensorboard: Path | None,
) -> MemoryLM:
    """Train while showing progress and writing metrics."""
    from memn2n.lm.training.display import LMProgress
    from memn2n.lm.training.metrics import LMMetricsLog, LMTensorBoardLog

    history = checkpoint.progress.history if checkpoint else []
    begun = checkpoint is not None
    metrics = LMMetricsLog(out, history)
    try:
        with ExitStack() as logs:
            listeners: list[Callable[[LMStep | LMEpoch], None]] = [metrics]
            if tensorboard is not None:
                listeners.append(logs.enter_context(LMTensorBoardLog(tensorboard, len(history))))
            listeners.append(logs.enter_context(LMProgress(epochs, show)))

            def on_event(event: LMStep | LMEpoch) -> None:
                nonlocal begun
                begun = True
                for listener in listeners:
                    listener(event)

            model = fit(on_event)
        metrics.publish()  # resuming a finished training has no events
    except KeyboardInterrupt:
        raise StoppedError(_resumable(out) if begun else " before the training began; nothing was saved") from None
    except TrainingError as error:
        kept = f"; the best model before that is in {out}" if metrics.lines else ""
        raise TrainingError(*error.parts, kept) from error
    return model


def _report(model: MemoryLM, test: Corpus | None, folder: Path, as_json: bool, *, replaced: bool) -> None:
    """Print the perplexity of the kept epoch and of the test text, and how long the training took."""
    from memn2n.cli.show import lm_evaluation_line, saved_line
    from memn2n.lm.training.metrics import epoch_record

    kept = epoch_record(next(epoch for epoch in reversed(model.history) if epoch.best))
    evaluation = None if test is None else model.evaluate(test)
    seconds = sum(epoch.seconds for epoch in model.history)
    speed = sum(epoch.words_per_second * epoch.seconds for epoch in model.history) / seconds
    if as_json:
        result = {"model": str(folder), "interrupted": model.interrupted, "epochs": len(model.history), "kept": kept,
                  "test": evaluation and evaluation.to_dict(), "minutes": seconds / 60,
                  "words_per_second": speed}  # fmt: skip
        typer.echo(json.dumps(result))
        return
    by = "training" if kept["valid"] is None else "validation"
    perplexity = (kept["valid"] or kept["train"])["perplexity"]
    typer.echo(f"{by} perplexity {perplexity:.5g}, of epoch {kept['epoch']} of {len(model.history)}")
    if evaluation is not None:
        typer.echo(f"test {lm_evaluation_line(evaluation)}")
    typer.echo(f"trained for {seconds / 60:.1f} minutes, at {speed:,.0f} words per second")
    typer.echo(saved_line(folder, replaced))


def _resumable(out: Path) -> str:
    return f"; the checkpoint is in {out}, and the same command with --resume continues"
