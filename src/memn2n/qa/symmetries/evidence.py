"""Evidence for and against a symmetry: what a test found on a task, and its verdict."""

from __future__ import annotations

from math import comb, sqrt
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from memn2n.qa.symmetries.networks import Trial
    from memn2n.qa.symmetries.patterns import Agreement
    from memn2n.qa.symmetries.proposals import Words

Verdict = Literal["allowed", "refused", "undecided"]
Test = Literal["network", "patterns", "other tasks"]

SKILLED = 0.9
"""Networks of at least this skill decide alone."""

ABLE = 0.5
"""Networks below this skill have no say."""

_SIGNIFICANT = 1e-4  # hundreds of pairs are tested
_SUSPICIOUS = 5e-3
_MOST_RISE = 0.05  # of the error, by an upper bound of 95%
_ONE_SIDED_95 = 1.645
_FEWEST_QUESTIONS = 30
_FEWEST_AGREEMENTS = 10
_FEWEST_CONTRADICTIONS = 30
_MOST_WRONG = 0.03  # a pattern may have one answer by accident
_WRONG_ENOUGH = 0.25


class Evidence(NamedTuple):
    """What a test of a swap found on one task.

    Args:
        task: the task's label.
        first: the words that are swapped.
        second: the words that they are swapped with, at the same positions.
        test: network: networks answered held-out questions before and after the swap. patterns: the swapped training
            examples were compared with the training examples. other tasks: other tasks have the same words.
        verdict: the result of this test.
        before: share of wrong answers before the swap; 0 for patterns. None for other tasks.
        after: share of wrong answers after the swap. None for other tasks.
        questions: number of questions, or of patterns' answers, that were compared.
        reason: why the verdict is what it is.
    """

    task: str
    first: Words
    second: Words
    test: Test
    verdict: Verdict
    before: float | None
    after: float | None
    questions: int
    reason: str


def of_networks(task: str, first: Words, second: Words, trial: Trial, skill: float) -> Evidence:
    """Judge a swap by a sign test on the questions that networks answered right only before, or only after it."""
    changed = int(trial.changed.sum())
    lost = int((trial.before & ~trial.after & trial.changed).sum())
    won = int((~trial.before & trial.after & trial.changed).sum())
    most = (lost - won + _ONE_SIDED_95 * sqrt(lost + won + 3)) / max(changed, 1)  # 3: the bound if none was lost or won
    accident = _tail(lost, lost + won)
    verdict: Verdict = "undecided"
    if skill < ABLE:
        reason = f"the networks are hardly better than chance (skill {skill:.2f})"
    elif accident < _SIGNIFICANT:
        verdict, reason = "refused", f"{lost} answers became wrong and {won} right (p = {accident:.0e})"
    elif accident < _SUSPICIOUS:
        reason = f"{lost} answers became wrong and {won} right (p = {accident:.4f}), which may be an accident"
    elif changed >= _FEWEST_QUESTIONS and most <= _MOST_RISE:
        verdict, reason = "allowed", f"the error grows by at most {100 * max(most, 0):.1f} points"
    else:
        reason = f"{changed} questions do not tell: the error may grow by {100 * most:.1f} points"
    before, after = (
        1 - float(right[trial.changed].mean()) if changed else None for right in (trial.before, trial.after)
    )
    return Evidence(task, first, second, "network", verdict, before, after, changed, reason)


def of_patterns(task: str, first: Words, second: Words, agreement: Agreement) -> Evidence:
    """Judge a swap by how many answers agree with the answers of swapped patterns."""
    right, wrong = agreement
    total = right + wrong
    verdict: Verdict = "undecided"
    if right >= _FEWEST_AGREEMENTS and wrong <= _MOST_WRONG * total:
        verdict = "allowed"
    elif wrong >= _FEWEST_CONTRADICTIONS and wrong >= _WRONG_ENOUGH * total:
        verdict = "refused"
    reason = f"{right} of {total} answers agree with those to other stories"
    return Evidence(task, first, second, "patterns", verdict, 0.0, wrong / total if total else None, total, reason)


def _tail(heads: int, throws: int) -> float:
    """The probability of at least this number of heads of a fair coin."""
    return float(sum(comb(throws, k) for k in range(heads, throws + 1)) / 2**throws)
