"""The world that stories happen in: who and what there is in it, and the words for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from memn2n.errors import InputError
from memn2n.qa.vocabulary import answer_symbol
from memn2n.simulator.phrases import PHRASES, placeholders
from memn2n.unicode_text import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable

Names = tuple[str, ...]

_NAMES_IN_STORIES = ("people", "places", "objects", "creatures", "animals", "species", "colors", "shapes", "treats",
                     "containers")  # fmt: skip
"""Whose names must differ, so that a story can be understood."""

_TOLD_APART = (("in", "not_in", "either_in"), ("in", "no_longer_in"), ("fits", "bigger"), ("yes", "no", "maybe"))
"""Sentences that must differ."""

_PRONOUNS = {"Daniel": "he", "John": "he", "Mary": "she", "Sandra": "she"}


class WorldError(InputError):
    """What cannot be a world; ``key`` is the field, or the sentence, that is wrong."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class World:
    """The names, verbs and sentences that stories are written with; by default those of bAbI.

    Each is a tuple, or a mapping; a world of one's own gives what shall be other than in bAbI.

    Raises:
        WorldError: if there is nothing of some kind, something is no name, two names or sentences cannot be told apart,
            or a sentence lacks one of its placeholders.
    """

    people: Names = ("Daniel", "John", "Mary", "Sandra")
    pronouns: Mapping[str, str] = field(default_factory=lambda: dict(_PRONOUNS))
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
            if kind.name != "phrases":
                _check_names(kind.name, getattr(self, kind.name))
        for key, number in (("directions", 4), ("positions", 4)):
            if len(getattr(self, key)) != number:
                raise WorldError(key, f"a world has {number} of {key}, this one has {len(getattr(self, key))}")
        strange = [name for name in self.pronouns if name not in (*self.people, *_PRONOUNS)]
        if strange:
            raise WorldError("pronouns", f'"{strange[0]}" has a pronoun and is not among the world\'s people')
        _check_phrases(self.phrases)
        object.__setattr__(self, "phrases", {**PHRASES, **self.phrases})
        _check_told_apart(self.phrases)
        for kinds in (_NAMES_IN_STORIES, ("gets", "drops")):
            self._check_apart(kinds)
        nothing = answer_symbol(self.phrases["nothing"])
        if nothing in map(answer_symbol, self.objects):
            raise WorldError("objects", f'"{nothing}" is an object, and what somebody carries who has none: rename one')

    def _check_apart(self, kinds: tuple[str, ...]) -> None:
        """Names of these kinds must all differ."""
        found: dict[str, str] = {}
        for kind in kinds:
            for name in map(answer_symbol, getattr(self, kind)):
                if name in found:
                    raise WorldError(
                        kind, f'"{name}" stands among the world\'s {found[name]} and its {kind}: rename one'
                    )
                found[name] = kind


def _check_names(kind: str, names: Names | Mapping[str, Any]) -> None:
    if not names and kind != "pronouns":
        raise WorldError(kind, f"a world needs one of {kind} at least")
    for name in names:
        _check_name(kind, name)
    _check_different(kind, names)
    if not isinstance(names, Mapping):
        return
    for value in names.values():
        for name in (value,) if isinstance(value, str) else value:
            _check_name(kind, name)
    if kind in ("animals", "directions"):
        _check_different(kind, names.values())


def _check_name(kind: str, name: object) -> None:
    sound = isinstance(name, str) and has_word(name) and name == name.strip() and not set(",?\t\n\r") & set(name)
    if not sound:
        rule = "it needs a letter or digit, no comma, question mark, tab or line end, and no space at its ends"
        raise WorldError(kind, f"{name!r} of the world's {kind} is no name: {rule}")


def _check_different(kind: str, names: Iterable[str]) -> None:
    twice = [name for name, number in Counter(map(answer_symbol, names)).items() if number > 1]
    if twice:
        raise WorldError(kind, f'"{twice[0]}" stands twice among the world\'s {kind}')


def _check_phrases(phrases: Mapping[str, str]) -> None:
    for name, template in phrases.items():
        if name not in PHRASES:
            raise WorldError("phrases", f"there is no sentence {name!r} to replace; there is: {', '.join(PHRASES)}")
        wanted = placeholders(PHRASES[name])
        try:
            found = placeholders(template)
        except ValueError as error:
            raise WorldError(name, f"the sentence {name} is {template!r}: {error}") from None
        if found != wanted:
            names = ", ".join(f"{{{key}}}" for key in sorted(wanted)) or "no placeholder"
            raise WorldError(name, f"the sentence {name} is {template!r}: it must have {names}")
        if any(mark in template for mark in "\t\n\r") or not template.strip():
            raise WorldError(name, f"the sentence {name} is {template!r}: it must be one line, and not empty")
        if template.rstrip().endswith("?") != PHRASES[name].endswith("?"):
            ends = "end" if PHRASES[name].endswith("?") else "not end"
            raise WorldError(name, f"the sentence {name} is {template!r}: it must {ends} in a question mark")
        if PHRASES[name] == name:  # an answer
            _check_name(name, template)


def _check_told_apart(phrases: Mapping[str, str]) -> None:
    for group in _TOLD_APART:
        texts = [answer_symbol(phrases[name]) for name in group]
        if len(set(texts)) < len(texts):
            changed = next(name for name in group if phrases[name] != PHRASES[name])
            raise WorldError(changed, f"the sentences {', '.join(group)} must differ")


_TOWN = World(
    people=("Bill", "Fred", "Julie", "Mary"),
    pronouns={"Bill": "he", "Fred": "he", "Julie": "she", "Mary": "she"},
    places=("bedroom", "cinema", "kitchen", "office", "park", "school"),
)
_PUBLISHED = {
    5: World(people=("Bill", "Fred", "Jeff", "Mary")),
    10: _TOWN,
    14: _TOWN,
    15: World(creatures=("Emily", "Gertrude", "Jessica", "Winona")),
    20: World(people=("Antoine", "Jason", "Sumit", "Yann")),
}


def published_world(task: int) -> World:
    """The world of a task's published file."""
    return _PUBLISHED.get(task) or World()
