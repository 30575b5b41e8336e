"""``memn2n lm train``."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, suppress
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from memn2n.cli.options import INTERRUPTED, Json
from memn2n.errors import ConfigError, InputError, Setting, TrainingError
from memn2n.lm.config import Anneal, Batching, LMClip, LMConfig, LMOptimizer, LMTraining, LMVariant, lm_variant
from memn2n.lm.vocabulary import Tokens
from memn2n.machine import Precision

if TYPE_CHECKING:
    from collections.abc import Callable

    from memn2n import Corpus, LMEvaluation, MemoryLM
    from memn2n.lm.training.checkpoints import Checkpoint
    from memn2n.lm.training.progress import LMEpoch, LMStep

_DEFAULT_OUT = Path("runs/lm")
_DEFAULT_NAME = "ptb"  # the port's

Lines = Literal["sentences", "running"]
"""As in ``memn2n.lm.data.corpus``, which is too heavy to be imported for ``--help``."""

DataDir = Annotated[Path | None, typer.Option(help="A folder of NAME.train.txt, NAME.valid.txt, NAME.test.txt.")]
DataName = Annotated[str | None, typer.Option(metavar="NAME", help='Which NAME of --data-dir; by default "ptb".')]


def _net(name: str, help_: str) -> Any:
    """Option for a setting of the network; without it, it is the variant's, the modern one's being shown."""
    return typer.Option(help=help_, show_default=str(getattr(LMConfig(), name)).lower())


def _train(name: str, help_: str) -> Any:
    return typer.Option(help=help_, show_default=str(getattr(LMTraining(), name)).lower())


def train(
    text: Annotated[
        Path | None, typer.Option("--train", help="The text; without one, English that Python carries.")
    ] = None,
    valid: Annotated[Path | None, typer.Option(help="Validation text; by default the end of the text.")] = None,
    test: Annotated[Path | None, typer.Option(help="Test text.")] = None,
    data_dir: DataDir = None,
    data_name: DataName = None,
    out: Annotated[
        Path, typer.Option(help="The run's folder: model, checkpoint, metrics.jsonl; an earlier run in it is replaced.")
    ] = _DEFAULT_OUT,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in the run's folder.")] = False,
    is_test: Annotated[
        bool, typer.Option("--is-test/--no-is-test", hidden=True, help="Test the model in --out instead.")
    ] = False,
    tokens: Annotated[
        Tokens | None, typer.Option(help="How text is cut.", show_default="space; the carried text: words")
    ] = None,
    lines: Annotated[
        Lines | None, typer.Option(help="What a line is.", show_default="sentences; the carried text: running")
    ] = None,
    lowercase: Annotated[bool, typer.Option("--lowercase", help="Take upper and lower case as the same.")] = False,
    min_count: Annotated[int, typer.Option(help="Rarer words of the text are unknown words.")] = 1,
    max_words: Annotated[int | None, typer.Option(help="Only the most frequent so many words are known.")] = None,
    variant: Annotated[
        LMVariant | None,
        typer.Option(
            help="Settings chosen by validation, the paper's, or the TensorFlow port's.", show_default="modern"
        ),
    ] = None,
    dim: Annotated[int | None, _net("dim", "Size of embeddings and state.")] = None,
    linear: Annotated[
        int | None, typer.Option(help="Components of the state that stay linear.", show_default="half of dim")
    ] = None,
    hops: Annotated[int | None, _net("hops", "How many times the memory is read.")] = None,
    memory_size: Annotated[int | None, _net("memory_size", "Previous words that the memory holds.")] = None,
    query: Annotated[float | None, _net("query", "Every component of the constant first state.")] = None,
    tied: Annotated[bool | None, _net("tied", "Whether the output matrix is B.")] = None,
    optimizer: Annotated[LMOptimizer | None, _train("optimizer", "How the parameters follow the gradient.")] = None,
    learning_rate: Annotated[float | None, _train("learning_rate", "The highest rate.")] = None,
    anneal: Annotated[Anneal | None, _train("anneal", "How the rate falls: by validation, or as a cosine.")] = None,
    anneal_by: Annotated[
        float | None, _train("anneal_by", "Divides the rate after an epoch that did not lower the validation loss.")
    ] = None,
    lowest_rate: Annotated[float | None, _train("lowest_rate", "With anneal validation, where training ends.")] = None,
    warmup: Annotated[
        float | None, _train("warmup", "With anneal cosine, the share of training in which the rate rises.")
    ] = None,
    epochs: Annotated[int | None, _train("epochs", "Passes over the text, at most.")] = None,
    patience: Annotated[
        int | None, _train("patience", "With anneal cosine, epochs without progress that end training.")
    ] = None,
    batch_size: Annotated[int | None, _train("batch_size", "Words in a batch.")] = None,
    batching: Annotated[Batching | None, _train("batching", "Batches of blocks of words, or of random words.")] = None,
    block: Annotated[int | None, _train("block", "Words in a block.")] = None,
    embedding_dropout: Annotated[float | None, _train("embedding_dropout", "Dropout of embedded words.")] = None,
    hop_dropout: Annotated[float | None, _train("hop_dropout", "Dropout of the state between hops.")] = None,
    state_dropout: Annotated[float | None, _train("state_dropout", "Dropout of the last state.")] = None,
    weight_decay: Annotated[float | None, _train("weight_decay", "With adamw.")] = None,
    clip: Annotated[LMClip | None, _train("clip", "The norm that is clipped: of all gradients, or of each.")] = None,
    clip_norm: Annotated[float | None, _train("clip_norm", "The largest norm.")] = None,
    validation: Annotated[
        float | None, _train("validation", "Share of the text held out where there is no validation text.")
    ] = None,
    init_std: Annotated[float | None, _train("init_std", "Spread of the random start.")] = None,
    precision: Annotated[Precision | None, _train("precision", "Of the products in training.")] = None,
    seed: Annotated[int | None, _train("seed", "The same seed gives the same model.")] = None,
    device: Annotated[str, typer.Option(help="Where to train, such as cuda.")] = "cpu",
    threads: Annotated[int | None, typer.Option(help="Threads of PyTorch; by default one a core.")] = None,
    show: Annotated[bool, typer.Option(help="Show how far an epoch is, not only its end.")] = True,
    tensorboard: Annotated[
        Path | None, typer.Option(help="A folder for TensorBoard's events; needs memn2n[tensorboard].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model on text. Ctrl-C leaves a checkpoint, from which --resume goes on."""
    given = {name: value for name, value in locals().items() if value is not None}
    if dim is not None and linear is None:
        given["linear"] = dim // 2
    network, training = lm_variant(variant or "modern")
    network = replace(network, **{f.name: given[f.name] for f in fields(LMConfig) if f.name in given})
    training = replace(training, **{f.name: given[f.name] for f in fields(LMTraining) if f.name in given})

    from memn2n import MemoryLM
    from memn2n.cli.lm.progress import LMProgress
    from memn2n.lm.training.checkpoints import load_checkpoint
    from memn2n.lm.training.metrics import LMMetricsLog, TensorBoardLog

    if is_test:
        test = test or test_file(data_dir, data_name)
        if test is None:
            raise InputError("--is-test needs a test text: give --data-dir and --data-name, or --test")
        model = MemoryLM.load(out)
        show_evaluation(model.evaluate(model.read(test)), as_json)
        return
    checkpoint = None
    if resume:
        checkpoint = load_checkpoint(out)
        settings = asdict(network) | asdict(training)
        _check_same({name: settings[name] for name in settings if variant or name in given}, checkpoint, out)
    train_text, valid_text, test_text = _read_texts(text, valid, test, data_dir, data_name, tokens, lines, lowercase)
    history = checkpoint.progress.history if checkpoint else []
    last = checkpoint.training.epochs if checkpoint and epochs is None else training.epochs
    new, begun = not out.exists(), resume
    metrics = LMMetricsLog(out, history)
    try:
        with ExitStack() as logs:
            listeners: list[Callable[[LMStep | LMEpoch], None]] = [metrics]
            if tensorboard is not None:
                listeners.append(logs.enter_context(TensorBoardLog(tensorboard, len(history))))
            listeners.append(logs.enter_context(LMProgress(last, show)))

            def on_event(event: LMStep | LMEpoch) -> None:
                nonlocal begun
                begun = True
                for listener in listeners:
                    listener(event)

            model = MemoryLM.fit(
                train_text, valid_text, network=network,
                training=None if checkpoint and epochs is None else training,
                min_count=min_count, max_words=max_words, folder=out, resume=resume, device=device, threads=threads,
                on_event=on_event,
            )  # fmt: skip
        metrics.write()  # also where there was nothing left to do
    except KeyboardInterrupt:
        raise _interrupted(out if begun else None) from None
    except TrainingError as error:
        kept = f"; the best model before that is in {out}" if metrics.history else ""
        raise TrainingError(f"{error}{kept}") from error
    finally:
        if new:
            _clear(out)
    _report(model, None if model.interrupted else test_text, out, as_json)
    if model.interrupted:
        raise _interrupted(out)


def test_file(data_dir: Path | None, data_name: str | None) -> Path | None:
    """The test text of a folder that was named; raises InputError for a name without a folder."""
    if data_name is not None and data_dir is None:
        raise InputError("--data-name needs --data-dir, the folder of NAME.train.txt")
    return None if data_dir is None else data_dir / f"{data_name or _DEFAULT_NAME}.test.txt"


def show_evaluation(evaluation: LMEvaluation, as_json: bool) -> None:
    """Print how well a text was predicted."""
    from memn2n.cli.show import lm_evaluation_line

    typer.echo(json.dumps(evaluation.to_dict()) if as_json else lm_evaluation_line(evaluation))


def _read_texts(
    train: Path | None, valid: Path | None, test: Path | None, data_dir: Path | None, data_name: str | None,
    tokens: Tokens | None, lines: Lines | None, lowercase: bool,
) -> tuple[Corpus, Corpus | None, Corpus | None]:  # fmt: skip
    """Training, validation and test text; None for one that is neither given nor beside the training text."""
    from memn2n import carried_text, read_corpus
    from memn2n.lm.data.corpus import split_files

    test_file(data_dir, data_name)  # refuses a name without a folder
    if data_dir is not None:
        if train is not None:
            raise InputError("--train and --data-dir both name the training text; give one of them")
        train, *beside = split_files(data_dir, data_name or _DEFAULT_NAME)
        valid, test = valid or beside[0], test or beside[1]
    if train is not None:
        texts: list[Corpus | None] = [
            read_corpus(train, tokens=tokens or "space", lines=lines or "sentences", lowercase=lowercase), None, None
        ]  # fmt: skip
    else:
        texts = [replace(part, tokens=tokens or part.tokens, lines=lines or part.lines, lowercase=lowercase)
                 for part in carried_text()]  # fmt: skip
    first = texts[0]
    assert first is not None
    for i, path in ((1, valid), (2, test)):
        if path is not None:
            texts[i] = read_corpus(path, tokens=first.tokens, lines=first.lines, lowercase=lowercase)
    return first, texts[1], texts[2]


def _check_same(settings: dict[str, Any], checkpoint: Checkpoint, folder: Path) -> None:
    """Refuse settings that a resumed training does not have; it goes on with its own, for as many epochs as wanted."""
    own = asdict(checkpoint.network) | asdict(checkpoint.training)
    for name, value in settings.items():
        if name != "epochs" and value != own[name]:
            raise ConfigError(Setting(name), f" is {value}, but {own[name]} in the training that {folder} has; resume "
                              "with that, or train without --resume")  # fmt: skip


def _report(model: MemoryLM, test: Corpus | None, folder: Path, as_json: bool) -> None:
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
    perplexity = kept["train_perplexity" if kept["valid"] is None else "valid_perplexity"]
    typer.echo(f"{by} perplexity {perplexity:.5g}, of epoch {kept['epoch']} of {len(model.history)}")
    if evaluation is not None:
        typer.echo(f"test {lm_evaluation_line(evaluation)}")
    typer.echo(f"trained for {seconds / 60:.1f} minutes, at {speed:,.0f} words per second")
    typer.echo(f"saved in {folder}")


def _interrupted(checkpoint: Path | None) -> typer.Exit:
    if checkpoint is None:
        print("memn2n: interrupted before the training began; nothing was saved", file=sys.stderr)
    else:
        print(f"memn2n: interrupted; the checkpoint is in {checkpoint}, and the same command with --resume goes on",
              file=sys.stderr)  # fmt: skip
    return typer.Exit(INTERRUPTED)


def _clear(folder: Path) -> None:
    """Take away what a training that did not begin has left in a folder of its own: word ids, and the folder."""
    if not (folder / "checkpoint").exists():
        with suppress(OSError):
            for name in ("train.ids", "valid.ids"):
                (folder / name).unlink(missing_ok=True)
            folder.rmdir()
