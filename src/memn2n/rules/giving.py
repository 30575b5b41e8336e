"""Who gave what to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.rules.facts import Gave

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.rules.facts import Fact
    from memn2n.rules.questions import Gift


def gift(facts: Sequence[Fact], question: Gift) -> str | None:
    """The open part of the last gift that fits what the question names."""
    for fact in reversed(facts):
        if isinstance(fact, Gave):
            parts = {"giver": fact.who[0], "thing": fact.thing, "receiver": fact.receiver}
            named = {"giver": question.giver, "thing": question.thing, "receiver": question.receiver}
            if all(name in (None, parts[part]) for part, name in named.items()):
                return parts[question.asked]
    return None
