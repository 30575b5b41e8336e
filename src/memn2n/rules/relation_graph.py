"""Answer questions about directions, positions, sizes and paths by search in a graph of the stated relations."""

from __future__ import annotations

from collections import deque
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from memn2n.rules.statements import OPPOSITE, Related

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from memn2n.rules.questions import IsRelated, Path, WhatIs
    from memn2n.rules.statements import Relation, Statement

    _Edges = dict[str, list[tuple[Relation, str]]]

_PERPENDICULAR: dict[Relation, tuple[Relation, ...]] = {
    "left": ("above", "below"), "right": ("above", "below"),
    "above": ("left", "right"), "below": ("left", "right"),
    "north": ("east", "west"), "south": ("east", "west"),
    "east": ("north", "south"), "west": ("north", "south"),
}  # fmt: skip
"""Relations that do not change the position on a relation's own axis: "above" does not move left or right."""


def neighbour(statements: Iterable[Statement], question: WhatIs) -> str | None:
    """The place that lies directly in a direction.

    None if there are several, or the statements contradict each other.
    """
    edges = _edges(statements)
    found = {other for relation, other in edges.get(question.second, ()) if relation == question.relation}
    return found.pop() if len(found) == 1 and not _contradictory(edges, question.relation) else None


def is_related(statements: Iterable[Statement], question: IsRelated) -> str | None:
    """Yes if edges of the relation lead from the second thing to the first; no if edges of its opposite do.

    The path may contain perpendicular edges, but not both the relation and its opposite: if two things are both left
    of a third, it is not known which of the two is further left. None if this is so, or if the statements contradict
    each other.
    """
    edges = _edges(statements)
    if _contradictory(edges, question.relation):
        return None
    perpendicular = _PERPENDICULAR.get(question.relation, ())
    if question.first in _paths(edges, question.second, perpendicular):
        return "no"
    if question.first in _paths(edges, question.second, (question.relation, *perpendicular)):
        return "yes"
    if question.first in _paths(edges, question.second, (OPPOSITE[question.relation], *perpendicular)):
        return "no"
    return None


def shortest_path(statements: Iterable[Statement], question: Path) -> str | None:
    """The shortest path, as the first letters of its directions; among equals, the one that is stated first.

    None if there is no path, or the statements contradict each other.
    """
    edges = _edges(statements)
    if _contradictory(edges, "north") or _contradictory(edges, "east"):
        return None
    path = _paths(edges, question.start, OPPOSITE).get(question.goal, ())
    return ",".join(direction[0] for direction in path) or None


def _edges(statements: Iterable[Statement]) -> _Edges:
    """Thing -> (relation, other thing) for each other thing that is known to have this relation to it."""
    edges: _Edges = {}
    for statement in statements:
        if isinstance(statement, Related):
            edges.setdefault(statement.second, []).append((statement.relation, statement.first))
            edges.setdefault(statement.first, []).append((OPPOSITE[statement.relation], statement.second))
    return edges


def _contradictory(edges: _Edges, relation: Relation) -> bool:
    """Whether something would have to be, on the relation's axis, further along than itself."""
    level: dict[str, str] = {}  # thing -> one thing that stands for all with the same position on the axis
    for thing in edges:
        if thing not in level:
            level |= dict.fromkeys(_paths(edges, thing, _PERPENDICULAR.get(relation, ())), thing)
    order: TopologicalSorter[str] = TopologicalSorter()
    for thing, others in edges.items():
        order.add(level[thing], *(level[other] for stated, other in others if stated == relation))
    try:
        order.prepare()
    except CycleError:
        return True
    return False


def _paths(edges: _Edges, start: str, allowed: Collection[Relation]) -> dict[str, tuple[Relation, ...]]:
    """Thing -> the shortest path of allowed relations that leads to it; the start itself has an empty path."""
    paths: dict[str, tuple[Relation, ...]] = {start: ()}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for relation, other in edges.get(here, ()):
            if relation in allowed and other not in paths:
                paths[other] = (*paths[here], relation)
                queue.append(other)
    return paths
