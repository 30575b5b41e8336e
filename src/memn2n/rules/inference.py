"""Answer what follows from an animal's kind (tasks 15 and 16) and from a person's needs (task 20)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.rules.statements import Described, Fears, Moved, OfKind, Took

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memn2n.rules.questions import AfraidOf, ColourOf, Why, WillGo
    from memn2n.rules.statements import Statement

_PLACE_FOR = {"tired": "bedroom", "hungry": "kitchen", "thirsty": "kitchen", "bored": "garden"}
"""Need -> the place where it is met."""


def afraid_of(statements: Sequence[Statement], question: AfraidOf) -> str | None:
    """The kind of animal that the named animal's kind is afraid of; None if the statements name several."""
    kinds = _kinds(statements)
    fears = _unique((statement.kind, statement.feared) for statement in statements if isinstance(statement, Fears))
    return fears.get(kinds.get(question.name) or "")


def colour_of(statements: Sequence[Statement], question: ColourOf) -> str | None:
    """The colour of the named animal; if it is not stated, that of an animal of the same kind.

    Where animals of the kind differ in colour, the animal whose kind was stated last decides, as in the bAbI files.
    None if two kinds or two colours of the named animal are stated.
    """
    kinds = _kinds(statements)
    colours = _unique((statement.who[0], statement.quality) for statement in statements
                      if isinstance(statement, Described) and statement.quality not in _PLACE_FOR)  # fmt: skip
    if question.name in colours or kinds.get(question.name) is None:
        return colours.get(question.name)
    alike = [name for name, kind in kinds.items() if kind == kinds[question.name] and colours.get(name)]
    return colours[alike[-1]] if alike else None


def will_go(statements: Sequence[Statement], question: WillGo) -> str | None:
    """The place where the person's last need is met."""
    need = _last_need(statements, question.name)
    return _PLACE_FOR[need] if need else None


def why(statements: Sequence[Statement], question: Why) -> str | None:
    """The need that was stated last before the person last did what the question names.

    A need explains a move only if it is met at the place that the person went to.
    """
    for position in reversed(range(len(statements))):
        match statements[position]:
            case Moved(who, place) if question.name in who and place == question.place:
                return _last_need(statements[:position], question.name, place)
            case Took(who, thing) if question.name in who and thing == question.thing:
                return _last_need(statements[:position], question.name)
    return None


def _kinds(statements: Sequence[Statement]) -> dict[str, str | None]:
    """Named animal -> its kind; None if several kinds are stated."""
    return _unique((statement.name, statement.kind) for statement in statements if isinstance(statement, OfKind))


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """Key -> its value; None if it has several values."""
    values: dict[str, str | None] = {}
    for key, value in pairs:
        values[key] = value if values.get(key, value) == value else None
    return values


def _last_need(statements: Sequence[Statement], name: str, place: str | None = None) -> str | None:
    """The last stated need of a person; with ``place``, the last one that is met there."""
    for statement in reversed(statements):
        if isinstance(statement, Described) and name in statement.who:
            met = _PLACE_FOR.get(statement.quality)
            if met is not None and place in (None, met):
                return statement.quality
    return None
