"""``memn2n qa train``."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer import Argument, Option

from memn2n.cli.ending import StoppedError
from memn2n.cli.options import Json, Tasks, parse_tasks, settings_options
from memn2n.errors import ConfigError, DataError, Setting
from memn2n.interrupts import uninterrupted
from memn2n.qa.config import Backend, NetworkConfig, TrainingConfig, Variant
from memn2n.qa.vocabulary import answer_symbol
from memn2n.words import has_word

if TYPE_CHECKING:
    from memn2n import StoryQA
    from memn2n.qa.data import Part
    from memn2n.qa.recipes import Recipe
    from memn2n.qa.stories import Example
    from memn2n.qa.symmetries.classes import Symmetries
    from memn2n.qa.training.problem import Restart
    from memn2n.qa.training.schedule import Epoch

_SELECTED_BY = {"train": "training", "validation": "validation"}


@settings_options(NetworkConfig, TrainingConfig)
def train(
    out: Annotated[Path, Option(help="Folder for the model and metrics.jsonl.")],
    data: Annotated[
        Path | None, Argument(help="A bAbI file or folder, or a JSONL file; by default, simulated stories of task 1.")
    ] = None,
    task: Tasks = None,
    valid: Annotated[
        Path | None, Option(help="Validation data; by default DATA's own (qa1_valid.txt), or a share of it.")
    ] = None,
    test: Annotated[Path | None, Option(help="Test data; by default the test files of DATA, if a folder.")] = None,
    candidates: Annotated[
        Path | None, Option(help="A file with one answer per line to choose from; by default, words.")
    ] = None,
    start: Annotated[
        Path | None, Option(help="A model to go on from: its networks and words are used. By default, train anew.")
    ] = None,
    symmetries: Annotated[
        str | None,
        Option(metavar="auto|none|FILE", help="Exchangeable words: found (quick, best), none, or a TOML file."),
    ] = None,
    family: Annotated[str, Option(help="The family of networks; memn2n --import adds others.")] = "memn2n",
    variant: Annotated[
        Variant, Option(help="Default settings: quick or best, or those of the official code or the paper.")
    ] = "quick",
    lowercase: Annotated[bool, Option(help="Treat upper and lower case as the same.")] = True,
    tensorboard: Annotated[Path | None, Option(help="TensorBoard's folder; needs memn2n[tensorboard].")] = None,
    as_json: Json = False,
    *,
    settings: dict[str, Any],
    backend: Annotated[Backend, Option(help="What trains; auto: the native engine if it can, else PyTorch.")] = "auto",
    device: Annotated[str, Option(help="Where PyTorch trains, such as cuda.")] = "cpu",
    threads: Annotated[
        int | None, Option(help="Restarts that the engine trains at the same time.", show_default="one per core")
    ] = None,
) -> None:
    """Train a model on stories. Ctrl-C, SIGTERM or SIGHUP ends the training and keeps the best network so far."""
    from memn2n.qa.pretrained import load_qa

    model = None if start is None else load_qa(start)
    training = (
        TrainingConfig.from_dict({"seed": settings.get("seed", 0)}) if model is None else _going_on(model, settings)
    )
    if model is None:
        for joint in (False, True):
            _recipes(family, variant, settings, joint)  # refuses wrong settings before the data is read

    from memn2n import StoryQA
    from memn2n.files.model_folder import has_model, hold_folder

    answers = None if candidates is None else _read_candidates(candidates, lowercase)
    examples, held_out, test_examples = _read_examples(data, task, valid, test, simulation_seed=training.seed)
    recipes = None
    if model is None:
        recipes = _recipes(family, variant, settings, joint=len({example.task for example in examples}) > 1)
    trainings = [training] if recipes is None else [recipe.training for recipe in recipes]
    if symmetries is None and model is None:
        symmetries = "auto" if variant in {"quick", "best"} and family == "memn2n" else "none"
    same = _read_symmetries(symmetries, examples, answers, lowercase)

    def fit(on_event: Callable[[Epoch | Restart], None]) -> StoryQA:
        return StoryQA.fit(examples, held_out, start=model, symmetries=same, recipes=recipes,
                           training=None if model is None else training, candidates=answers, lowercase=lowercase,
                           backend=backend, device=device, threads=threads, on_event=on_event)  # fmt: skip

    with hold_folder(out) as folder:
        replaced = has_model(folder)
        qa = _train(fit, trainings, folder, tensorboard)
    _report(qa, test_examples, replaced, out, as_json)
    if qa.interrupted:
        raise StoppedError(f"; the best model so far is in {out}")


def _recipes(family: str, variant: Variant, given: dict[str, Any], joint: bool) -> list[Recipe]:
    """The recipes of the variant, for one task or several ones, changed by the settings that were given.

    A family other than memn2n has its own defaults, and those of the official code for the training.

    Raises:
        ConfigError: if there is no such family, the variant or a setting belongs to another one, or a setting
            contradicts a recipe.
    """
    from memn2n.qa.networks import family_named
    from memn2n.qa.recipes import Recipe, recipes

    config = family_named(family).config
    chosen = list(recipes(variant, joint))
    if config is not NetworkConfig:
        if variant != "quick":  # the default
            raise ConfigError(Setting("variant"), f" is {variant}, which is for the family memn2n")
        chosen = [Recipe(config(), TrainingConfig())]
    for name in given:
        if name not in {field.name for kind in (config, TrainingConfig) for field in fields(kind)}:
            raise ConfigError(Setting(name), f" is not a setting of the family {family}")
    return [Recipe(network.changed(given), training.changed(given)) for network, training in chosen]


def _going_on(model: StoryQA, given: dict[str, Any]) -> TrainingConfig:
    """The settings of a training that goes on from a model, changed by those that were given."""
    from memn2n.qa.training.restarts import going_on

    free = {field.name for field in fields(TrainingConfig)} - {"linear_start", "linear_start_epochs"}
    return going_on(None, len(model.networks), [name for name in given if name not in free]).changed(given)


def _read_candidates(path: Path, lowercase: bool) -> list[str]:
    """Read the answers to choose from, one a line.

    Raises:
        DataError: if there is none, a line has no word, or two lines are equal.
    """
    from memn2n.files.lines import iter_lines

    lines: dict[str, int] = {}
    answers: list[str] = []
    for number, text in iter_lines(path):
        if not text.strip():
            continue
        if not has_word(text):
            raise DataError(path, number, "there is no word in this answer; remove it")
        symbol = answer_symbol(text, lowercase)
        if symbol in lines:
            raise DataError(path, number, f"this answer is also in line {lines[symbol]}; remove one")
        lines[symbol] = number
        answers.append(text.strip())
    if not answers:
        raise DataError(path, None, "there is no answer; give one per line")
    return answers


def _read_symmetries(
    given: str | None, examples: list[Example], answers: list[str] | None, lowercase: bool
) -> Symmetries | Literal["auto", "none"] | None:
    """The value of ``--symmetries``: what its file has, if it is one.

    Raises:
        DataError: if the file is wrong, or has a word that the training data does not have.
    """
    from memn2n.qa.candidates import Candidates
    from memn2n.qa.symmetries.choice import foreign_word
    from memn2n.qa.symmetries.files import read_symmetries

    if given is None:
        return None
    if given in {"auto", "none"}:
        return "auto" if given == "auto" else "none"
    candidates = None if answers is None else Candidates(tuple(answers), lowercase)
    return read_symmetries(
        given, lambda found: foreign_word(found, examples, candidates, lowercase),
        partial(answer_symbol, lowercase=lowercase),
    )  # fmt: skip


def _read_examples(
    data: Path | None, task: str | None, valid: Path | None, test: Path | None, *, simulation_seed: int
) -> tuple[list[Example], list[Example] | None, list[Example] | None]:
    """Read the training, validation and test examples that the options name, or the parts of ``data`` otherwise.

    A part that was neither given nor found is None.
    """
    from memn2n.qa.data import read_stories
    from memn2n.qa.data.babi import available
    from memn2n.simulator import SKILLS, simulate

    tasks = parse_tasks(task, "--task")
    if data is None:
        train, simulated = simulate(SKILLS if task == "all" else tasks or 1, seed=simulation_seed)
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
        found = available(data, part).keys() & trained
        if part == "valid" and found != trained:
            return None  # validation covers all tasks: by files, or by a share of the training data
        return read_stories(data, part, found) if found else None

    return train, read(valid, "valid"), read(test, "test")


def _train(
    fit: Callable[[Callable[[Epoch | Restart], None]], StoryQA], trainings: list[TrainingConfig], folder: Path,
    tensorboard: Path | None,
) -> StoryQA:  # fmt: skip
    """Train a model while showing progress and writing metrics; then save it in the folder."""
    from memn2n.qa.training.display import QAProgress
    from memn2n.qa.training.metrics import QAMetricsLog, QATensorBoardLog

    metrics = QAMetricsLog(folder)
    with ExitStack() as logs:
        listeners: list[Callable[[Epoch | Restart], None]] = [metrics]
        if tensorboard is not None:
            listeners.append(logs.enter_context(QATensorBoardLog(tensorboard)))
        listeners.append(logs.enter_context(QAProgress(trainings)))

        def on_event(event: Epoch | Restart) -> None:
            for listener in listeners:
                listener(event)

        try:
            qa = fit(on_event)
        except KeyboardInterrupt:
            raise StoppedError(" before there was a network to keep; nothing was saved") from None
    with uninterrupted():
        qa.save(folder)
        metrics.publish()
    return qa


def _report(qa: StoryQA, test: list[Example] | None, replaced: bool, folder: Path, as_json: bool) -> None:
    """Print which restarts were kept and how well they answer the test questions."""
    from memn2n.cli.show import saved_line, show_evaluation

    evaluation = None if test is None else qa.evaluate(test)
    if as_json:
        restarts = [asdict(restart) for restart in qa.restarts]
        result = {"model": str(folder), "interrupted": qa.interrupted, "restarts": restarts}
        typer.echo(json.dumps(result | {"test": evaluation and evaluation.to_dict()}))
        return
    kept = [restart.restart + 1 for restart in qa.restarts if restart.kept]
    if qa.training.select in {"ensemble", "good"}:
        typer.echo(f"kept an ensemble of {len(kept)} of {len(qa.restarts)} restarts")
    else:
        loss = _SELECTED_BY[qa.training.select]
        typer.echo(f"kept restart {kept[0]} of {len(qa.restarts)} by its {loss} loss")
    if evaluation is not None:
        show_evaluation(evaluation)
    typer.echo(saved_line(folder, replaced))
