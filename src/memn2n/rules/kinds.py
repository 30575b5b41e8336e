"""What follows for a named animal from its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.rules.facts import Described, Fears, OfKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.rules.facts import Fact
    from memn2n.rules.questions import AfraidOf, ColourOf


def afraid_of(facts: Sequence[Fact], question: AfraidOf) -> str | None:
    """The kind that the animal's kind is afraid of."""
    kinds = {fact.name: fact.kind for fact in facts if isinstance(fact, OfKind)}
    fears = {fact.kind: fact.feared for fact in facts if isinstance(fact, Fears)}
    return fears.get(kinds.get(question.name, ""))


def colour_of(facts: Sequence[Fact], question: ColourOf) -> str | None:
    """The animal's own colour; otherwise that of an animal of its kind: of those with a colour, the one named last."""
    kinds = {fact.name: fact.kind for fact in facts if isinstance(fact, OfKind)}
    colours = {fact.who[0]: fact.quality for fact in facts if isinstance(fact, Described)}
    if question.name in colours or question.name not in kinds:
        return colours.get(question.name)
    alike = [name for name, kind in kinds.items() if kind == kinds[question.name] and name in colours]
    return colours[alike[-1]] if alike else None
