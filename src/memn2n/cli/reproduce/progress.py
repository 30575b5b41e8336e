"""The progress of ``memn2n reproduce``: a bar on a terminal; elsewhere a line a restart, training or epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.lm.answers import perplexity
from memn2n.lm.training.progress import LMEpoch
from memn2n.progress_bar import ProgressBar

if TYPE_CHECKING:
    from memn2n.reproduce.babi.best.run import BestProgress
    from memn2n.reproduce.babi.run import TableProgress
    from memn2n.reproduce.ptb.report import LMTableReport, RowReport
    from memn2n.reproduce.ptb.run import RowEvent


class RestartBar(ProgressBar):
    """Shows how many restarts of a bAbI table are done."""

    def show_progress(self, progress: TableProgress) -> None:
        """Show one event of ``run_table``."""
        self.show_transfer("", progress)

    def show_transfer(self, stories: str, progress: TableProgress) -> None:
        """Show one event of ``run_transfer``."""
        label = ", ".join(filter(None, (stories, progress.column, progress.label)))
        restarts = f"{progress.restarts_done}/{progress.restarts}"
        self.show(label, f"{restarts} restarts", progress.work_done, progress.work, stage=(stories, progress.work))
        ended = progress.restart
        if ended is not None:
            score = ended.stopped or (f"training loss {ended.train.loss:.4f}" if ended.train else "")
            self.log(f"{restarts}  {label}, restart {ended.restart + 1}: {score}  {ended.seconds:.1f} s")


class TrainingBar(ProgressBar):
    """Shows how many trainings of our own bAbI tables are done."""

    def show_progress(self, progress: BestProgress) -> None:
        """Show one event of ``run_best``."""
        trainings = f"{progress.trainings_done}/{progress.trainings}"
        self.show(progress.label, f"{trainings} trainings" if progress.trainings else "", progress.work_done,
                  progress.work or None, stage=progress.trainings > 0)  # fmt: skip
        ended = progress.record
        if ended is not None:
            errors = [wrong.ensemble / wrong.questions for wrong in ended.tasks.values()]
            result = f"error {sum(errors) / len(errors):.1%}" if errors else "every restart diverged"
            self.log(f"{trainings}  {progress.label}: {result}  {ended.seconds:.1f} s")


class EpochBar(ProgressBar):
    """Shows how much of an epoch of a language model is done, and the figures of each row."""

    def show_event(self, event: RowEvent) -> None:
        """Show one event of ``run_lm_table``."""
        restart = "" if event.restarts == 1 else f", restart {event.restart + 1}/{event.restarts}"
        part = event.event
        label = f"{event.row}{restart}, epoch {part.epoch}"
        if isinstance(part, LMEpoch):
            valid = "" if part.valid is None else f", validation {perplexity(part.valid):.1f}"
            self.log(f"{label}: perplexity {perplexity(part.train):.1f}{valid}, "
                     f"rate {part.rate:.3g}  {part.seconds:.1f} s")  # fmt: skip
        else:
            self.show(label, f"perplexity {perplexity(part.loss):.1f}", part.words, part.epoch_words)

    def show_row(self, row: RowReport, report: LMTableReport) -> None:
        """Print the figures of a row."""
        self.hide()
        self.print(report.summary(row))
