"""What a sentence can say: one small type for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Relation = Literal["north", "south", "east", "west", "left", "right", "above", "below", "bigger", "smaller"]

OPPOSITE: dict[Relation, Relation] = {
    "north": "south", "south": "north", "east": "west", "west": "east",
    "left": "right", "right": "left", "above": "below", "below": "above",
    "bigger": "smaller", "smaller": "bigger",
}  # fmt: skip
"""If one thing is related so to another, the other is related so to the one."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that people do or are said of them; ``who`` may hold a pronoun until it is resolved."""

    who: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved(Deed):
    """They went to a place; ``time`` is a time of day, or empty."""

    place: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class Stated(Deed):
    """They are in one of the places; where ``holds`` is false, in none of them."""

    places: tuple[str, ...]
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Took(Deed):
    """They have a thing from now on."""

    thing: str


@dataclass(frozen=True, slots=True)
class Dropped(Deed):
    """They leave a thing where they are."""

    thing: str


@dataclass(frozen=True, slots=True)
class Gave(Deed):
    """They hand a thing to somebody."""

    thing: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Related:
    """The first thing is north of, left of, bigger than ... the second."""

    first: str
    relation: Relation
    second: str


@dataclass(frozen=True, slots=True)
class OfKind:
    """A named animal is of a kind."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Described(Deed):
    """They have a colour, or a need: they are green, or thirsty."""

    quality: str


@dataclass(frozen=True, slots=True)
class Fears:
    """Each animal of a kind is afraid of another kind; both in the singular."""

    kind: str
    feared: str


Fact: TypeAlias = Moved | Stated | Took | Dropped | Gave | Related | OfKind | Described | Fears
