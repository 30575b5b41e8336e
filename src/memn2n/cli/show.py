"""Results as tables and as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.terminal import listed, printable

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

    from memn2n.qa.answers import HEADS

    table = Table()
    for name in HEADS:
        table.add_column(name, justify="left" if name == "task" else "right")
    for i, (task, *cells) in enumerate(evaluation.table()):
        if i == len(evaluation.tasks):  # the mean
            table.add_section()
        table.add_row(Text(printable(task)), *cells)
    console = console or Console()
    console.print(table)
    for remark in evaluation.remarks:
        console.print(printable(remark), highlight=False, markup=False)


def answer_line(answer: Answer) -> str:
    """The answer with its probability, and remarks on unknown and placed words, and on sentences that were not read."""
    line = f"{answer.text} ({answer.probability:.0%})"
    if answer.unknown_words:
        line += f"  [never seen in training: {listed(answer.unknown_words)}]"
    if answer.placed:
        line += f"  [never seen in training, read like a known word: {answer.placings}]"
    if answer.dropped:
        line += f"  [the memory is full: the oldest {len(answer.dropped)} sentences were not read]"
    return printable(line)


def lm_evaluation_line(evaluation: LMEvaluation) -> str:
    """How well a text was predicted: perplexity, loss, words, and the share of unknown words."""
    return (f"perplexity {evaluation.perplexity:.5g}  loss {evaluation.loss:.4f} nats per word  "
            f"{evaluation.words:,} words, {evaluation.unknown:.1%} unknown")  # fmt: skip


SCORE_HEADING = f"{'nats':>9} {'bits':>9}  word"


def score_line(score: WordScore) -> str:
    """A word with its log-probability in nats and in bits, in the columns of ``SCORE_HEADING``."""
    nats, bits = ("-" if value is None else f"{value:.4f}" for value in (score.log_probability, score.bits))
    return f"{nats:>9} {bits:>9}  {printable(score.word)}{'  (unknown)' if score.unknown else ''}"
