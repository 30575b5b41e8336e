"""Trains the rows of the language models' table, going on from what earlier calls left in their folders."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from memn2n.errors import ConfigError, InputError, Setting, TrainingError
from memn2n.lm.answers import perplexity
from memn2n.lm.scoring import mean_loss
from memn2n.machine import check_device, choose_precision, choose_threads, torch_threads
from memn2n.reproduce.ptb.recipe import choose_lm_recipes
from memn2n.reproduce.ptb.report import LMTableReport, RowReport, write_lm_results
from memn2n.reproduce.ptb.texts import read_texts
from memn2n.reproduce.ptb.train import LMRestart
from memn2n.reproduce.results import check_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.training.progress import LMEpoch, LMStep
    from memn2n.machine import Precision
    from memn2n.reproduce.ptb.recipe import LMRecipe
    from memn2n.reproduce.ptb.texts import Texts
    from memn2n.reproduce.ptb.train import Trained


class LMEvent(NamedTuple):
    """How far a training is: of which row, which restart from 0 of how many, and what it told."""

    row: str
    restart: int
    restarts: int
    event: LMStep | LMEpoch


def run_lm_table(
    data: str | Path,
    out: str | Path,
    *,
    rows: Sequence[str] | None = None,
    restarts: int = 1,
    seed: int = 0,
    threads: int | None = None,
    device: str = "cpu",
    precision: Precision = "auto",
    command: str = "",
    on_event: Callable[[LMEvent], None] | None = None,
    on_row: Callable[[RowReport, LMTableReport], None] | None = None,
) -> LMTableReport:
    """Train rows of the paper's Table 2 on Penn Treebank, and set the perplexities beside the paper's.

    Each training has a folder, ``out/ROW`` for the first one of a row and ``out/ROW-restart-N`` for the others, as
    ``MemoryLM.fit`` lays it out. The same call goes on from there, after Ctrl-C, a kill or a crash. After each row
    ``out`` gets results.json and results.md of the rows of this call.

    Args:
        data: the folder of ptb.train.txt, ptb.valid.txt and ptb.test.txt, or the one that holds it as ``ptb``. The
            test text may be missing; there are no test figures then.
        out: the folder of trainings and results; made where it does not exist.
        rows: names of recipes, such as "6x100"; by default all, in the order of the paper's table.
        restarts: trainings of each row, with the seeds ``seed``, ``seed`` + 1 and so on (paper: 10). The one of the
            lowest validation loss is reported.
        seed: the same seed, machine and number of threads give the same figures.
        threads: of PyTorch; by default one a core.
        device: where to train, such as "cuda".
        precision: of the products in training. Perplexities of the table are computed in float32.
        command: the command line, for the record.
        on_event: called after each batch and epoch.
        on_row: called with each row's figures, and all figures so far.

    Returns:
        The figures. Of a row of which every restart diverged, there are none.

    Raises:
        InputError: if an argument or a text cannot be used.
        ModelError: if a row's folder holds a training with other settings, or of another text; or a damaged one.
        KeyboardInterrupt: on Ctrl-C. Training goes on from there, at the batch where it was.
    """
    data, out, tell = Path(data), Path(out), on_event or (lambda _event: None)
    check_out(out)
    if restarts < 1:
        raise ConfigError(Setting("restarts"), f" is {restarts}: it must be 1 or more")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the results")
    threads, where = choose_threads(threads), check_device(device)
    recipes = [replace(recipe, training=replace(recipe.training, seed=seed, precision=precision))
               for recipe in choose_lm_recipes(rows)]  # fmt: skip
    texts = read_texts(data)
    plan = [(recipe, [_find(recipe, number, out, texts) for number in range(restarts)]) for recipe in recipes]
    out.mkdir(parents=True, exist_ok=True)
    report = LMTableReport(
        command, version("memn2n"), torch.__version__, datetime.now(UTC).isoformat(timespec="seconds"),
        str(texts.folder), seed, restarts, device, str(choose_precision(precision, where)).removeprefix("torch."),
        texts.test_ids is not None, (),
    )  # fmt: skip
    for recipe, trainings in plan:
        row = _train(recipe, trainings, texts, device, threads, tell)
        report = replace(report, rows=(*report.rows, row))
        write_lm_results(report, out)
        if on_row is not None:
            on_row(row, report)
    return report


def _find(recipe: LMRecipe, number: int, out: Path, texts: Texts) -> LMRestart:
    training = replace(recipe.training, seed=recipe.training.seed + number)
    folder = out / (f"{recipe.name}-restart-{number}" if number else recipe.name)
    return LMRestart.find(replace(recipe, training=training), number, folder, texts)


def _train(
    recipe: LMRecipe, restarts: Sequence[LMRestart], texts: Texts, device: str, threads: int,
    tell: Callable[[LMEvent], None],
) -> RowReport:  # fmt: skip
    best: Trained | None = None
    losses: list[float | None] = []
    seconds = 0.0
    for restart in restarts:

        def on_event(event: LMStep | LMEpoch, number: int = restart.number) -> None:
            tell(LMEvent(recipe.name, number, len(restarts), event))

        try:
            trained = restart.train(texts, device, threads, on_event)
        except TrainingError:
            losses.append(None)
            continue
        losses.append(trained.valid)
        seconds += sum(epoch.seconds for epoch in trained.history)
        if best is None or trained.valid < best.valid:
            best = trained
    valid = test = None
    if best is not None:
        with torch_threads(threads):
            network = best.network.to(device)

            def measure(ids: Ids) -> float:
                loss = mean_loss(network, ids, torch.float32)
                assert loss is not None  # it is not told when to stop
                return perplexity(loss)

            valid = measure(texts.valid_ids)
            test = None if texts.test_ids is None else measure(texts.test_ids)
    each = tuple(None if loss is None else perplexity(loss) for loss in losses)
    return RowReport(recipe, valid, test, each, 0 if best is None else len(best.history), seconds)
