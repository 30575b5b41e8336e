"""What a sentence of a story can state: one type for each kind of statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Relation = Literal["north", "south", "east", "west", "left", "right", "above", "below", "bigger", "smaller"]

OPPOSITE: dict[Relation, Relation] = {
    "north": "south", "south": "north", "east": "west", "west": "east",
    "left": "right", "right": "left", "above": "below", "below": "above",
    "bigger": "smaller", "smaller": "bigger",
}  # fmt: skip
"""If A has a relation to B, then B has the opposite relation to A."""


@dataclass(frozen=True, slots=True)
class AboutPeople:
    """Base of the statements about named people or animals; ``who`` may hold a pronoun until pronouns are resolved."""

    who: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved(AboutPeople):
    """They went to a place; ``time`` is a time of day, or empty."""

    place: str
    time: str = ""


@dataclass(frozen=True, slots=True)
class Located(AboutPeople):
    """They are in one of the places, or, if ``inside`` is false, in none of them."""

    places: tuple[str, ...]
    inside: bool = True


@dataclass(frozen=True, slots=True)
class Took(AboutPeople):
    """They picked up an object."""

    thing: str


@dataclass(frozen=True, slots=True)
class Dropped(AboutPeople):
    """They put down an object where they are."""

    thing: str


@dataclass(frozen=True, slots=True)
class Gave(AboutPeople):
    """They gave an object to a person."""

    thing: str
    receiver: str


@dataclass(frozen=True, slots=True)
class Described(AboutPeople):
    """They have a colour (green) or a need (thirsty)."""

    quality: str


@dataclass(frozen=True, slots=True)
class Related:
    """The first thing is north of, left of, bigger than (and so on) the second."""

    first: str
    relation: Relation
    second: str


@dataclass(frozen=True, slots=True)
class OfKind:
    """A named animal is of a kind."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Fears:
    """Animals of one kind are afraid of animals of another kind; both kinds are in the singular."""

    kind: str
    feared: str


Statement: TypeAlias = Moved | Located | Took | Dropped | Gave | Described | Related | OfKind | Fears
