"""Left and above, bigger and smaller, neighbours and paths: what follows from relations between two things each."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from memn2n.rules.facts import OPPOSITE, Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memn2n.rules.facts import Fact, Relation
    from memn2n.rules.questions import IsRelated, Path, WhatIs

    _Steps = dict[str, list[tuple[Relation, str]]]

_ACROSS: dict[Relation, tuple[Relation, ...]] = {
    "left": ("above", "below"), "right": ("above", "below"),
    "above": ("left", "right"), "below": ("left", "right"),
    "north": ("east", "west"), "south": ("east", "west"),
    "east": ("north", "south"), "west": ("north", "south"),
}  # fmt: skip
"""Steps that change nothing on a relation's own axis, as on a grid: what is above is neither more left nor right."""


def neighbour(facts: Iterable[Fact], question: WhatIs) -> str | None:
    """The only place that lies directly in a direction."""
    found = {there for step, there in _steps(facts).get(question.second, ()) if step == question.relation}
    return found.pop() if len(found) == 1 else None


def is_related(facts: Iterable[Fact], question: IsRelated) -> str | None:
    """Yes if steps in the relation's sense lead from the second thing to the first; no if steps against it do.

    Steps across may lie between; steps both with and against decide nothing: of two things that are both left of a
    third, none is known to be left of the other.
    """
    steps = _steps(facts)
    across = _ACROSS.get(question.relation, ())
    if question.first in _reached(steps, question.second, across):
        return "no"
    if question.first in _reached(steps, question.second, (question.relation, *across)):
        return "yes"
    if question.first in _reached(steps, question.second, (OPPOSITE[question.relation], *across)):
        return "no"
    return None


def path(facts: Iterable[Fact], question: Path) -> str | None:
    """The shortest path, as the first letters of its directions; of several, the one whose facts stand first."""
    steps = _steps(facts)
    ways: dict[str, tuple[str, ...]] = {question.start: ()}
    waiting = deque([question.start])
    while waiting:
        here = waiting.popleft()
        for step, there in steps.get(here, ()):
            if there not in ways:
                ways[there] = (*ways[here], step[0])
                waiting.append(there)
    return ",".join(ways.get(question.goal, ())) or None


def _steps(facts: Iterable[Fact]) -> _Steps:
    """From each thing: the relation that another one has to it, and the other one."""
    steps: _Steps = {}
    for fact in facts:
        if isinstance(fact, Related):
            steps.setdefault(fact.second, []).append((fact.relation, fact.first))
            steps.setdefault(fact.first, []).append((OPPOSITE[fact.relation], fact.second))
    return steps


def _reached(steps: _Steps, start: str, allowed: Sequence[Relation]) -> set[str]:
    """The things to which steps of the allowed relations lead."""
    reached, waiting = {start}, [start]
    while waiting:
        for step, there in steps.get(waiting.pop(), ()):
            if step in allowed and there not in reached:
                reached.add(there)
                waiting.append(there)
    return reached
