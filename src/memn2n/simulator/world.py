"""The world that stories happen in: who and what there is in it, and the words for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from memn2n.errors import InputError
from memn2n.simulator.phrases import PHRASES, placeholders
from memn2n.text import has_word

if TYPE_CHECKING:
    from collections.abc import Mapping

Names = tuple[str, ...]

_DISJOINT = ("people", "places", "objects", "creatures", "animals", "species", "colors", "shapes", "treats",
             "containers")  # fmt: skip
"""Whose names must differ, so that a story can be understood."""


@dataclass(frozen=True)
class World:
    """The names, verbs and sentences that stories are written with; by default those of bAbI.

    Each is a tuple, or a mapping; a world of one's own gives what shall be other than in bAbI.

    Raises:
        InputError: if there is nothing of some kind, a name is blank or holds a comma, tab, question mark or line end,
            a name stands twice, or a sentence lacks one of its placeholders.
    """

    people: Names = ("Daniel", "John", "Mary", "Sandra")
    pronouns: Mapping[str, str] = field(
        default_factory=lambda: {"Daniel": "he", "John": "he", "Mary": "she", "Sandra": "she"}
    )
    """Person -> pronoun; "they" for who is not in it."""
    places: Names = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
    objects: Names = ("apple", "football", "milk")
    moves: Names = ("went", "went back", "moved", "journeyed", "travelled")
    gets: Names = ("got", "grabbed", "picked up", "took")
    drops: Names = ("discarded", "dropped", "left", "put down")
    gives: Names = ("gave", "handed", "passed")
    numbers: Names = ("none", "one", "two", "three")
    """How many objects somebody carries, from 0."""
    thens: Names = ("after that", "afterwards", "following that", "then")
    times: Names = ("yesterday", "this morning", "this afternoon", "this evening")
    """From the earliest on."""
    creatures: Names = ("Bernhard", "Brian", "Greg", "Julius", "Lily")
    """Names of animals."""
    animals: Mapping[str, str] = field(
        default_factory=lambda: {"cat": "cats", "mouse": "mice", "sheep": "sheep", "wolf": "wolves"}
    )
    """Animals that fear others: one -> many."""
    species: Names = ("frog", "lion", "rhino", "swan")
    """Animals that have a color."""
    colors: Names = ("gray", "green", "white", "yellow")
    directions: Mapping[str, str] = field(
        default_factory=lambda: {"north": "n", "south": "s", "east": "e", "west": "w"}
    )
    """North, south, east and west, and how a way's answer calls a step there."""
    shapes: Names = ("blue square", "pink rectangle", "red sphere", "red square", "triangle", "yellow square")
    positions: Names = ("above", "below", "to the right of", "to the left of")
    """In this order."""
    treats: Names = ("chocolate", "box of chocolates")
    """Things that fit into every container, the smallest first."""
    containers: Names = ("box", "chest", "container", "suitcase")
    motives: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "bored": ("garden", "football"), "hungry": ("kitchen", "apple"), "thirsty": ("kitchen", "milk"),
            "tired": ("bedroom", "pajamas"),
        }
    )  # fmt: skip
    """Motive -> where somebody goes for it, and what they get there."""
    phrases: Mapping[str, str] = field(default_factory=dict)
    """Sentences in the place of those of ``PHRASES``, by the same names and with the same placeholders."""

    def __post_init__(self) -> None:
        for kind in fields(self):
            _check_names(kind.name, getattr(self, kind.name))
        counted = Counter(name for kind in _DISJOINT for name in {name.casefold() for name in getattr(self, kind)})
        for name, number in counted.items():
            if number > 1:
                kinds = [kind for kind in _DISJOINT if name in {known.casefold() for known in getattr(self, kind)}]
                raise InputError(f'"{name}" stands among the world\'s {" and its ".join(kinds)}: rename one')
        for key, number in (("directions", 4), ("positions", 4)):
            if len(getattr(self, key)) != number:
                raise InputError(f"a world has {number} of {key}, this one has {len(getattr(self, key))}")
        _check_phrases(self.phrases)
        object.__setattr__(self, "phrases", {**PHRASES, **self.phrases})


def _check_names(kind: str, names: Names | Mapping[str, Any]) -> None:
    if not names and kind not in ("pronouns", "phrases"):
        raise InputError(f"a world needs one of {kind} at least")
    for name in names:
        if not has_word(name) or any(mark in name for mark in ",?\t\n\r"):
            raise InputError(f"{name!r} of the world's {kind} is no name: it needs a letter or digit, and may hold no "
                             "comma, question mark, tab or line end")  # fmt: skip
    twice = [name for name, number in Counter(name.casefold() for name in names).items() if number > 1]
    if twice:
        raise InputError(f'"{twice[0]}" stands twice among the world\'s {kind}')


def _check_phrases(phrases: Mapping[str, str]) -> None:
    for name, template in phrases.items():
        if name not in PHRASES:
            raise InputError(f"there is no sentence {name!r} to replace; there is: {', '.join(PHRASES)}")
        wanted = placeholders(PHRASES[name])
        try:
            found = placeholders(template)
        except ValueError as error:
            raise InputError(f"the sentence {name} is {template!r}: {error}") from None
        if found != wanted:
            names = ", ".join(f"{{{key}}}" for key in sorted(wanted)) or "no placeholder"
            raise InputError(f"the sentence {name} is {template!r}: it must have {names}")


_TOWN = World(
    people=("Bill", "Fred", "Julie", "Mary"),
    pronouns={"Bill": "he", "Fred": "he", "Julie": "she", "Mary": "she"},
    places=("bedroom", "cinema", "kitchen", "office", "park", "school"),
)
_PUBLISHED = {
    5: replace(World(), people=("Bill", "Fred", "Jeff", "Mary")),
    10: _TOWN,
    14: _TOWN,
    15: replace(World(), creatures=("Emily", "Gertrude", "Jessica", "Winona")),
    20: replace(World(), people=("Antoine", "Jason", "Sumit", "Yann")),
}


def published_world(task: int) -> World:
    """The world of a task's published file."""
    return _PUBLISHED.get(task) or World()
