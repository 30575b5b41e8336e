"""What a question can ask: one small type for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from memn2n.rules.facts import Relation


@dataclass(frozen=True, slots=True)
class WhereIs:
    """Where is somebody, or something?"""

    what: str


@dataclass(frozen=True, slots=True)
class WhereBefore:
    """Where was somebody, or something, before it was in a place?"""

    what: str
    place: str


@dataclass(frozen=True, slots=True)
class IsIn:
    """Is somebody in a place?"""

    what: str
    place: str


@dataclass(frozen=True, slots=True)
class Carries:
    """What is somebody carrying? With ``count``: how many things?"""

    person: str
    count: bool = False


@dataclass(frozen=True, slots=True)
class Gift:
    """Who gave, who was given, or what was given, the last time? What the question leaves open is None."""

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
    """Is a thing left of, above, bigger than ... another one?"""

    first: str
    relation: Relation
    second: str


@dataclass(frozen=True, slots=True)
class Path:
    """By which directions does one get from a place to another?"""

    start: str
    goal: str


@dataclass(frozen=True, slots=True)
class AfraidOf:
    """Which kind is a named animal afraid of?"""

    name: str


@dataclass(frozen=True, slots=True)
class ColourOf:
    """Which colour has a named animal?"""

    name: str


@dataclass(frozen=True, slots=True)
class WillGo:
    """Where will somebody's need take them?"""

    name: str


@dataclass(frozen=True, slots=True)
class Why:
    """Which need made somebody go to a place, or get a thing?"""

    name: str
    place: str | None = None
    thing: str | None = None


Question: TypeAlias = (
    WhereIs | WhereBefore | IsIn | Carries | Gift | WhatIs | IsRelated | Path | AfraidOf | ColourOf | WillGo | Why
)
