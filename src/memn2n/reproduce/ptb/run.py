"""Train the rows of the table on Penn Treebank, and continue what earlier calls left unfinished."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from memn2n.errors import InputError, ModelError, TrainingError
from memn2n.files.folder_lock import locked
from memn2n.lm.answers import perplexity
from memn2n.lm.networks import NETWORKS
from memn2n.lm.scoring import mean_loss
from memn2n.lm.training.checkpoints import has_checkpoint, load_checkpoint
from memn2n.lm.training.run import LMRequest, train_lm
from memn2n.machine import check_device, choose_precision, choose_threads, torch_threads
from memn2n.reproduce.options import PTBOptions
from memn2n.reproduce.ptb.recipe import LM_TABLE, choose_lm_recipes
from memn2n.reproduce.ptb.report import LMTableReport, RowReport
from memn2n.reproduce.ptb.texts import read_texts
from memn2n.reproduce.report import check_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.training.progress import LMEpoch, LMStep
    from memn2n.lm.training.run import LMRun
    from memn2n.reproduce.ptb.recipe import LMRecipe
    from memn2n.reproduce.ptb.texts import Texts

_DEFAULTS = PTBOptions()


class RowEvent(NamedTuple):
    """A batch or an epoch of a row's training; ``restart`` is its number, from 0, among ``restarts``."""

    row: str
    restart: int
    restarts: int
    event: LMStep | LMEpoch


def run_lm_table(
    data: str | Path,
    out: str | Path,
    rows: Sequence[str] | None = None,
    options: PTBOptions = _DEFAULTS,
    *,
    command: str = "",
    on_event: Callable[[RowEvent], None] | None = None,
    on_row: Callable[[RowReport, LMTableReport], None] | None = None,
) -> LMTableReport:
    """Train rows of the paper's Table 2 on Penn Treebank, and compare the perplexities with the paper's.

    Each training has a folder, ``out/ROW`` for the first one of a row and ``out/ROW-restart-N`` for the others, with
    the files that ``MemoryLM.fit`` writes. After Ctrl-C, a kill or a crash, the same call continues from there. After
    each row, results.json and results.md in ``out`` hold the rows of this call.

    Args:
        data: the folder of ptb.train.txt, ptb.valid.txt and ptb.test.txt, or the parent of such a folder named ``ptb``.
            Without ptb.test.txt, the report has no test figures.
        out: the folder of trainings and results; it is made if it does not exist.
        rows: names of recipes, such as "6x100"; by default all, in the order of the paper's table.
        options: restarts, seed, threads, device and precision.
        command: the command line, for the record.
        on_event: called after each batch and epoch.
        on_row: called with each row's figures, and with all figures so far.

    Returns:
        The figures; a row has none if every restart diverged.

    Raises:
        InputError: if an argument or a text cannot be used, or another process writes to ``out``.
        ModelError: if a row's folder holds a training with other settings or of another text, or a damaged one.
        KeyboardInterrupt: on Ctrl-C. The same call continues at the batch that was interrupted.
    """
    data, out = Path(data), Path(out)
    check_folder(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; name a folder for the results")
    threads, device = choose_threads(options.threads), check_device(options.device)
    recipes = [replace(recipe, training=replace(recipe.training, seed=options.seed, precision=options.precision))
               for recipe in choose_lm_recipes(rows)]  # fmt: skip
    texts = read_texts(data)
    plan = [(recipe, [_find(recipe, i, out, texts) for i in range(options.restarts)]) for recipe in recipes]
    report = LMTableReport(
        table=LM_TABLE, command=command, data=str(texts.folder), seed=options.seed, restarts=options.restarts,
        torch=torch.__version__, device=options.device, has_test=texts.test_ids is not None,
        precision=str(choose_precision(options.precision, device)).removeprefix("torch."),
    )  # fmt: skip
    with locked(out):
        for recipe, restarts in plan:
            row = _train(recipe, restarts, texts, options.device, threads, on_event or (lambda _event: None))
            report = replace(report, rows=(*report.rows, row))
            report.write(out)
            if on_row is not None:
                on_row(row, report)
    return report


@dataclass(frozen=True)
class LMRestart:
    """One training of a row, which continues from the checkpoint in its folder."""

    recipe: LMRecipe  # with the seed of this restart
    number: int  # of the restart, from 0
    folder: Path  # with the same files as ``MemoryLM.fit`` writes
    begun: bool  # whether it has a checkpoint to continue from

    @classmethod
    def find(cls, recipe: LMRecipe, number: int, folder: Path, texts: Texts) -> LMRestart:
        """Look for a checkpoint to continue from; nothing is written.

        Raises:
            ModelError: if the folder's checkpoint is damaged, or belongs to another training.
        """
        if not has_checkpoint(folder):
            return cls(recipe, number, folder, False)
        found = load_checkpoint(folder, NETWORKS[recipe.model])
        ours, theirs = (
            network.resolved() | asdict(training)
            for network, training in ((recipe.network, recipe.training), (found.network, found.training))
        )
        other = [f"{name} {theirs[name]} in place of {ours[name]}" for name in ours if theirs[name] != ours[name]]
        if found.vocabulary != texts.vocabulary or found.texts != texts.digests:
            other.append("another text")
        if other:
            raise ModelError(f"{folder} holds another training than that of {recipe.name}: {', '.join(other)}; take "
                             "another --out, or remove that folder")  # fmt: skip
        return cls(recipe, number, folder, True)

    def train(
        self, texts: Texts, device: str, threads: int | None, on_event: Callable[[LMStep | LMEpoch], None]
    ) -> LMRun:
        """Do the training, or what is left of it.

        Raises:
            TrainingError: if a loss is not finite.
            KeyboardInterrupt: on Ctrl-C, after the training was saved.
        """
        request = LMRequest(
            train=texts.train, valid=texts.valid, network=self.recipe.network, training=self.recipe.training,
            vocabulary=texts.vocabulary, folder=self.folder, resume=self.begun, device=device, threads=threads,
            build=NETWORKS[self.recipe.model],
        )  # fmt: skip
        run = train_lm(request, on_event)
        if run.interrupted:
            raise KeyboardInterrupt
        return run


def _find(recipe: LMRecipe, number: int, out: Path, texts: Texts) -> LMRestart:
    training = replace(recipe.training, seed=recipe.training.seed + number)
    folder = out / (f"{recipe.name}-restart-{number}" if number else recipe.name)
    return LMRestart.find(replace(recipe, training=training), number, folder, texts)


def _train(
    recipe: LMRecipe, restarts: Sequence[LMRestart], texts: Texts, device: str, threads: int,
    on_event: Callable[[RowEvent], None],
) -> RowReport:  # fmt: skip
    best: LMRun | None = None
    losses: list[float | None] = []
    seconds = 0.0
    for restart in restarts:

        def on_lm_event(event: LMStep | LMEpoch, number: int = restart.number) -> None:
            on_event(RowEvent(recipe.name, number, len(restarts), event))

        try:
            trained = restart.train(texts, device, threads, on_lm_event)
        except TrainingError:
            losses.append(None)
            continue
        losses.append(trained.best_loss)
        seconds += sum(epoch.seconds for epoch in trained.history)
        if best is None or trained.best_loss < best.best_loss:
            best = trained
    valid = test = None
    if best is not None:
        with torch_threads(threads):
            network = best.best_network()

            def perplexity_of(ids: Ids) -> float:
                loss = mean_loss(network, ids, torch.float32)
                assert loss is not None  # None is for a call that is stopped; this one cannot be
                return perplexity(loss)

            valid = perplexity_of(texts.valid_ids)
            test = None if texts.test_ids is None else perplexity_of(texts.test_ids)
    return RowReport(
        recipe=recipe, valid=valid, test=test, epochs=0 if best is None else len(best.history), seconds=seconds,
        restarts=tuple(None if loss is None else perplexity(loss) for loss in losses),
    )  # fmt: skip
