"""Results as tables and as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from memn2n.lm.answers import LMEvaluation, WordScore
    from memn2n.qa.answers import Answer, Evaluation


def saved_line(folder: Path, replaced: bool) -> str:
    """Say where a model was saved, and whether it replaced an earlier one."""
    return f"saved in {folder}" + (", in the place of an earlier model" if replaced else "")


def show_evaluation(evaluation: Evaluation, console: Console | None = None) -> None:
    """Print a row for each task: error, attention recall, and how many questions are also in the training data."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(caption_justify="left")
    for name in ("task", "questions", "error", "attention recall", "also in training", "error on the others"):
        table.add_column(name, justify="left" if name == "task" else "right")
    for task in evaluation.tasks:
        failed = " failed" if task.failed else ""
        table.add_row(Text(task.task or "all"), str(task.questions), f"{task.error:.1%}{failed}",
                      _share(task.attention_recall), str(task.seen), _share(task.unseen_error))  # fmt: skip
    if len(evaluation.tasks) > 1:
        table.add_section()
        table.add_row("mean", "", f"{evaluation.error:.1%}", _share(evaluation.attention_recall))
        table.caption = f"{len(evaluation.failed)} of {len(evaluation.tasks)} tasks failed (error above 5%)"
    console = console or Console()
    console.print(table)
    if evaluation.unknown_answers:
        n = sum(task.unanswerable for task in evaluation.tasks)
        console.print(f"questions whose answer the model does not know, which count as wrong: {n} "
                      f"({'; '.join(evaluation.unknown_answers[:10])})", highlight=False, markup=False)  # fmt: skip


def answer_line(answer: Answer) -> str:
    """The answer with its probability, and a remark on unknown words and on sentences that were not read."""
    line = f"{answer.text} ({answer.probability:.0%})"
    if answer.unknown_words:
        line += f"  [never seen in training: {', '.join(answer.unknown_words)}]"
    if answer.dropped:
        line += f"  [the memory is full: the oldest {len(answer.dropped)} sentences were not read]"
    return line


def lm_evaluation_line(evaluation: LMEvaluation) -> str:
    """How well a text was predicted: perplexity, loss, words, and the share of unknown words."""
    return (f"perplexity {evaluation.perplexity:.5g}  loss {evaluation.loss:.4f} nats per word  "
            f"{evaluation.words:,} words, {evaluation.unknown:.1%} unknown")  # fmt: skip


SCORE_HEADING = f"{'nats':>9} {'bits':>9}  word"


def score_line(score: WordScore) -> str:
    """A word with its log-probability in nats and in bits, in the columns of ``SCORE_HEADING``."""
    nats, bits = ("-" if value is None else f"{value:.4f}" for value in (score.log_probability, score.bits))
    return f"{nats:>9} {bits:>9}  {score.word}{'  (unknown)' if score.unknown else ''}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
