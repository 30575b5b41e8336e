"""Who "he", "she" and "they" are: those who were named last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from memn2n.rules.facts import Deed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memn2n.rules.facts import Fact

_ONE = {("He",), ("She",)}
_ANY = {("They",)}


def resolve(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Put names in the place of pronouns: "he" and "she" are who was named alone last, "they" who was named last.

    A deed of nobody who was named is left out: nothing is known of them.
    """
    one: tuple[str, ...] | None = None
    last: tuple[str, ...] | None = None
    for fact in facts:
        if not isinstance(fact, Deed):
            yield fact
            continue
        who = one if fact.who in _ONE else last if fact.who in _ANY else fact.who
        if who is None:
            continue
        last = who
        if len(who) == 1:
            one = who
        yield replace(fact, who=who)
