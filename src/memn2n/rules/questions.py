"""What a question can ask: one type for each kind of question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from memn2n.rules.statements import Relation


@dataclass(frozen=True, slots=True)
class WhereIs:
    """Where is a person or object?"""

    what: str


@dataclass(frozen=True, slots=True)
class WhereBefore:
    """Where was a person or object before it was in a place?"""

    what: str
    place: str


@dataclass(frozen=True, slots=True)
class IsIn:
    """Is a person in a place?"""

    what: str
    place: str


@dataclass(frozen=True, slots=True)
class Carries:
    """What is a person carrying? With ``count``: how many objects?"""

    person: str
    count: bool = False


@dataclass(frozen=True, slots=True)
class Gift:
    """Who gave, what was given, or who received it, the last time? Parts that the question does not name are None."""

    asked: Literal["giver", "thing", "receiver"]
    giver: str | None = None
    thing: str | None = None
    receiver: str | None = None


@dataclass(frozen=True, slots=True)
class WhatIs:
    """Which place is next to another one in a direction?"""

    relation: Relation
    second: str


@dataclass(frozen=True, slots=True)
class IsRelated:
    """Is one thing left of, above, bigger than (and so on) another one?"""

    first: str
    relation: Relation
    second: str


@dataclass(frozen=True, slots=True)
class Path:
    """Which directions lead from one place to another?"""

    start: str
    goal: str


@dataclass(frozen=True, slots=True)
class AfraidOf:
    """Which kind of animal is a named animal afraid of?"""

    name: str


@dataclass(frozen=True, slots=True)
class ColourOf:
    """What colour is a named animal?"""

    name: str


@dataclass(frozen=True, slots=True)
class WillGo:
    """Where will a person's need make them go?"""

    name: str


@dataclass(frozen=True, slots=True)
class Why:
    """Which need made a person go to a place, or get an object?"""

    name: str
    place: str | None = None
    thing: str | None = None


Question: TypeAlias = (
    WhereIs | WhereBefore | IsIn | Carries | Gift | WhatIs | IsRelated | Path | AfraidOf | ColourOf | WillGo | Why
)
