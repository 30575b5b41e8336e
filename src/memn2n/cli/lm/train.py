"""``memn2n lm train``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from memn2n.cli.options import INTERRUPTED, Json, TextFolder, TextName, settings_options
from memn2n.errors import ConfigError, InputError, Setting, TrainingError
from memn2n.lm.config import LMConfig, LMTraining, LMVariant, lm_variant
from memn2n.lm.vocabulary import Tokens

if TYPE_CHECKING:
    from memn2n import Corpus, LMEvaluation, MemoryLM
    from memn2n.lm.training.checkpoints import Checkpoint
    from memn2n.lm.training.progress import LMEpoch, LMStep

_DEFAULT_OUT = Path("runs/lm")
_DEFAULT_NAME = "ptb"  # as in the TensorFlow port

Lines = Literal["sentences", "running"]
"""As in ``memn2n.lm.data.corpus``, whose import would make ``--help`` slow."""


@settings_options(LMConfig, LMTraining)
def train(
    text: Annotated[
        Path | None, typer.Option("--train", help="Training text; by default, English that comes with Python.")
    ] = None,
    valid: Annotated[
        Path | None, typer.Option(help="Validation text; by default the end of the training text.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Test text.")] = None,
    data_dir: TextFolder = None,
    data_name: TextName = None,
    out: Annotated[
        Path, typer.Option(help="Folder for model, checkpoint and metrics.jsonl; an earlier run there is replaced.")
    ] = _DEFAULT_OUT,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the training in the folder --out.")] = False,
    is_test: Annotated[
        bool, typer.Option("--is-test/--no-is-test", hidden=True, help="Test the model in --out instead.")
    ] = False,
    tokens: Annotated[
        Tokens | None,
        typer.Option(
            help="How text is split: at whitespace only, or into words and punctuation.",
            show_default="space; for Python's text: words",
        ),
    ] = None,
    lines: Annotated[
        Lines | None,
        typer.Option(
            help="What a line is: a sentence, or part of a paragraph.",
            show_default="sentences; for Python's text: running",
        ),
    ] = None,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="Treat upper and lower case as the same.")] = False,
    min_count: Annotated[int, typer.Option(help="Words that are rarer in the training text are unknown words.")] = 1,
    max_words: Annotated[
        int | None, typer.Option(help="Size of the vocabulary, at most; rarer words are unknown words.")
    ] = None,
    variant: Annotated[
        LMVariant | None,
        typer.Option(
            help="Defaults of the settings: chosen by validation, the paper's, or the TensorFlow port's.",
            show_default="modern",
        ),
    ] = None,
    *,
    settings: dict[str, Any],
    device: Annotated[str, typer.Option(help="Where to train, such as cuda.")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="Threads of PyTorch.", show_default="one per core")] = None,
    show: Annotated[bool, typer.Option(help="Show the progress within an epoch.")] = True,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Folder for TensorBoard's events; needs memn2n[tensorboard].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on text. Ctrl-C saves a checkpoint, from which --resume continues."""
    network, training = lm_variant(variant or "modern")
    network, training = network.changed(settings), training.changed(settings)

    from memn2n import MemoryLM
    from memn2n.lm.training.checkpoints import load_checkpoint

    if is_test:
        _test(out, test or test_file(data_dir, data_name), as_json)
        return
    checkpoint = None
    if resume:
        checkpoint = load_checkpoint(out)
        wanted = asdict(network) | asdict(training) if variant else settings
        _check_same(wanted, checkpoint, out)
        if "epochs" not in settings:
            training = checkpoint.training
    texts = _read_texts(text, valid, test, data_dir, data_name, tokens=tokens, lines=lines, lowercase=lowercase)

    def fit(on_event: Callable[[LMStep | LMEpoch], None]) -> MemoryLM:
        return MemoryLM.fit(texts.train, texts.valid, network=network, training=training, min_count=min_count,
                            max_words=max_words, folder=out, resume=resume, device=device, threads=threads,
                            on_event=on_event)  # fmt: skip

    model = _train(fit, out, training.epochs, checkpoint, show=show, tensorboard=tensorboard)
    _report(model, None if model.interrupted else texts.test, out, as_json)
    if model.interrupted:
        raise _interrupted(out)


def test_file(data_dir: Path | None, data_name: str | None) -> Path | None:
    """The test text of --data-dir; raises InputError for a name without a folder."""
    if data_name is not None and data_dir is None:
        raise InputError("--data-name needs --data-dir, the folder of NAME.train.txt")
    return None if data_dir is None else data_dir / f"{data_name or _DEFAULT_NAME}.test.txt"


def show_evaluation(evaluation: LMEvaluation, as_json: bool) -> None:
    """Print how well a text was predicted."""
    from memn2n.cli.show import lm_evaluation_line

    typer.echo(json.dumps(evaluation.to_dict()) if as_json else lm_evaluation_line(evaluation))


def _test(model: Path, text: Path | None, as_json: bool) -> None:
    """Test a model, as --is-test of the TensorFlow port does."""
    from memn2n import MemoryLM

    if text is None:
        raise InputError("--is-test needs a test text: give --data-dir and --data-name, or --test")
    lm = MemoryLM.load(model)
    show_evaluation(lm.evaluate(lm.read(text)), as_json)


class _Texts(NamedTuple):
    """Training, validation and test text; None for a text that was neither given nor found."""

    train: Corpus
    valid: Corpus | None
    test: Corpus | None


def _read_texts(
    train: Path | None,
    valid: Path | None,
    test: Path | None,
    data_dir: Path | None,
    data_name: str | None,
    *,
    tokens: Tokens | None,
    lines: Lines | None,
    lowercase: bool,
) -> _Texts:
    """Read the texts that the options name; without a training text, the English that comes with Python."""
    from memn2n import carried_text, read_corpus
    from memn2n.lm.data.corpus import split_files

    test_file(data_dir, data_name)  # refuses a name without a folder
    if data_dir is not None:
        if train is not None:
            raise InputError("--train and --data-dir both name the training text; give one of them")
        train, *found = split_files(data_dir, data_name or _DEFAULT_NAME)
        valid, test = valid or found[0], test or found[1]
    if train is None:
        texts = _Texts(*(
            replace(text, tokens=tokens or text.tokens, lines=lines or text.lines, lowercase=lowercase)
            for text in carried_text()
        ))  # fmt: skip
    else:
        corpus = read_corpus(train, tokens=tokens or "space", lines=lines or "sentences", lowercase=lowercase)
        texts = _Texts(corpus, None, None)

    def read(path: Path | None, otherwise: Corpus | None) -> Corpus | None:
        if path is None:
            return otherwise
        return read_corpus(path, tokens=texts.train.tokens, lines=texts.train.lines, lowercase=lowercase)

    return _Texts(texts.train, read(valid, texts.valid), read(test, texts.test))


def _check_same(wanted: dict[str, Any], checkpoint: Checkpoint, folder: Path) -> None:
    """Refuse settings that differ from those of a training to resume; only the number of epochs may change."""
    own = asdict(checkpoint.network) | asdict(checkpoint.training)
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
    """Train while showing progress and writing metrics.

    If the training does not begin, a folder that did not exist before is removed again.
    """
    from memn2n.cli.lm.progress import LMProgress
    from memn2n.lm.training.metrics import LMMetricsLog, TensorBoardLog

    history = checkpoint.progress.history if checkpoint else []
    new, begun = not out.exists(), checkpoint is not None
    metrics = LMMetricsLog(out, history)
    try:
        with ExitStack() as logs:
            listeners: list[Callable[[LMStep | LMEpoch], None]] = [metrics]
            if tensorboard is not None:
                listeners.append(logs.enter_context(TensorBoardLog(tensorboard, len(history))))
            listeners.append(logs.enter_context(LMProgress(epochs, show)))

            def on_event(event: LMStep | LMEpoch) -> None:
                nonlocal begun
                begun = True
                for listener in listeners:
                    listener(event)

            model = fit(on_event)
        metrics.publish()  # resuming a finished training has no events
    except KeyboardInterrupt:
        raise _interrupted(out if begun else None) from None
    except TrainingError as error:
        kept = f"; the best model before that is in {out}" if metrics.lines else ""
        raise TrainingError(f"{error}{kept}") from error
    finally:
        if new:
            _remove_unused(out)
    return model


def _report(model: MemoryLM, test: Corpus | None, folder: Path, as_json: bool) -> None:
    """Print the perplexity of the kept epoch and of the test text, and how long the training took."""
    from memn2n.cli.show import lm_evaluation_line
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
    typer.echo(f"saved in {folder}")


def _interrupted(checkpoint: Path | None) -> typer.Exit:
    """Say where the checkpoint is, if there is one; return the exception that ends the command."""
    if checkpoint is None:
        print("memn2n: interrupted before the training began; nothing was saved", file=sys.stderr)
    else:
        print(f"memn2n: interrupted; the checkpoint is in {checkpoint}, and the same command with --resume continues",
              file=sys.stderr)  # fmt: skip
    return typer.Exit(INTERRUPTED)


def _remove_unused(folder: Path) -> None:
    """Remove what a training that did not begin left in a new folder: word ids, and the folder."""
    if not (folder / "checkpoint").exists():
        with suppress(OSError):
            for name in ("train.ids", "valid.ids"):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
