"""Where a need takes somebody, and which need took them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.rules.facts import Described, Moved, Took

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.rules.facts import Fact
    from memn2n.rules.questions import Why, WillGo

_SERVED_BY = {"tired": "bedroom", "hungry": "kitchen", "thirsty": "kitchen", "bored": "garden"}


def will_go(facts: Sequence[Fact], question: WillGo) -> str | None:
    """The place that serves somebody's last need."""
    need = _need(facts, question.name)
    return _SERVED_BY[need] if need else None


def why(facts: Sequence[Fact], question: Why) -> str | None:
    """The need that was known before the last such deed; the reason to go to a place is one that it serves."""
    for position in reversed(range(len(facts))):
        match facts[position]:
            case Moved(who, place) if question.name in who and place == question.place:
                return _need(facts[:position], question.name, place)
            case Took(who, thing) if question.name in who and thing == question.thing:
                return _need(facts[:position], question.name)
    return None


def _need(facts: Sequence[Fact], name: str, place: str | None = None) -> str | None:
    for fact in reversed(facts):
        if isinstance(fact, Described) and name in fact.who and fact.quality in _SERVED_BY:
            need = fact.quality
            if place is None or _SERVED_BY[need] == place:
                return need
    return None
