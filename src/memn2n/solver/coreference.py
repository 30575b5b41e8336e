"""Who "he", "she" and "they" are: those who were named last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memn2n.solver.facts import Deed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memn2n.solver.facts import Fact

_ONE = {("He",), ("She",)}
_SEVERAL = {("They",)}


def resolve(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Put names in the place of pronouns: "he" and "she" are the person named alone last, "they" the last pair.

    A deed of nobody who was named is left out: nothing is known of them.
    """
    one: tuple[str, ...] | None = None
    several: tuple[str, ...] | None = None
    for fact in facts:
        if not isinstance(fact, Deed):
            yield fact
            continue
        who = one if fact.who in _ONE else several if fact.who in _SEVERAL else fact.who
        if who is None:
            continue
        if len(who) == 1:
            one = who
        else:
            several = who
        yield replace(fact, who=who)
