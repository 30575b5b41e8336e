"""The names, verbs and sentences of simulated stories, also read from TOML files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from memn2n.errors import DataError, InputError
from memn2n.files.toml_file import line_of, read_toml
from memn2n.qa.vocabulary import answer_symbol
from memn2n.simulator.phrases import PHRASES, placeholders
from memn2n.terminal import quoted, shortened
from memn2n.unicode_text import is_question
from memn2n.words import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Names = tuple[str, ...]

_NAMES_IN_STORIES = ("people", "places", "objects", "creatures", "animals", "species", "colors", "shapes", "treats",
                     "containers")  # fmt: skip
"""No two of these fields may share a name: otherwise a story would be ambiguous."""

_MUST_DIFFER = (("in", "not_in", "either_in"), ("in", "no_longer_in"), ("fits", "bigger"), ("yes", "no", "maybe"))
"""Groups of phrases that must differ from each other."""

_PRONOUNS = {"Daniel": "he", "John": "he", "Mary": "she", "Sandra": "she"}


class WorldError(InputError):
    """A world has an invalid name or phrase; ``key`` is the name of the wrong field or phrase."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class World:
    """The names, verbs and sentences of simulated stories; the default of each field is that of bAbI.

    Raises:
        WorldError: if a field is empty, a name is not valid, two names or phrases that must differ are equal, or a
            phrase has other placeholders than bAbI's.
    """

    people: Names = ("Daniel", "John", "Mary", "Sandra")
    pronouns: Mapping[str, str] = field(default_factory=lambda: dict(_PRONOUNS))
    """Person -> pronoun; "they" for everybody else."""
    places: Names = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
    objects: Names = ("apple", "football", "milk")
    moves: Names = ("went", "went back", "moved", "journeyed", "travelled")
    gets: Names = ("got", "grabbed", "picked up", "took")
    drops: Names = ("discarded", "dropped", "left", "put down")
    gives: Names = ("gave", "handed", "passed")
    numbers: Names = ("none", "one", "two", "three")
    """Words for the number of objects that a person carries, from 0."""
    thens: Names = ("after that", "afterwards", "following that", "then")
    times: Names = ("yesterday", "this morning", "this afternoon", "this evening")
    """Times of day, earliest first."""
    creatures: Names = ("Bernhard", "Brian", "Greg", "Julius", "Lily")
    """Names of animals."""
    animals: Mapping[str, str] = field(
        default_factory=lambda: {"cat": "cats", "mouse": "mice", "sheep": "sheep", "wolf": "wolves"}
    )
    """Kinds of animals that are afraid of other kinds: singular -> plural."""
    species: Names = ("frog", "lion", "rhino", "swan")
    """Kinds of animals that have a color."""
    colors: Names = ("gray", "green", "white", "yellow")
    directions: Mapping[str, str] = field(
        default_factory=lambda: {"north": "n", "south": "s", "east": "e", "west": "w"}
    )
    """The words for north, south, east and west, in this order -> their short forms in the answer of task 19."""
    shapes: Names = ("blue square", "pink rectangle", "red sphere", "red square", "triangle", "yellow square")
    positions: Names = ("above", "below", "to the right of", "to the left of")
    """The words for above, below, right of and left of, in this order."""
    treats: Names = ("chocolate", "box of chocolates")
    """Things that fit into every container, smallest first."""
    containers: Names = ("box", "chest", "container", "suitcase")
    motives: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "bored": ("garden", "football"), "hungry": ("kitchen", "apple"), "thirsty": ("kitchen", "milk"),
            "tired": ("bedroom", "pajamas"),
        }
    )  # fmt: skip
    """Motive -> (place where a person with this motive goes, object that they get there)."""
    phrases: Mapping[str, str] = field(default_factory=dict)
    """Phrase -> template; replaces the template of this phrase in ``PHRASES`` and must have the same placeholders."""

    def __post_init__(self) -> None:
        for kind in fields(self):
            if kind.name != "phrases":
                _check_names(kind.name, getattr(self, kind.name))
        for key, number in (("directions", 4), ("positions", 4)):
            if len(getattr(self, key)) != number:
                raise WorldError(key, f"{key} must have {number} names; it has {len(getattr(self, key))}")
        unknown = [name for name in self.pronouns if name not in (*self.people, *_PRONOUNS)]
        if unknown:
            raise WorldError("pronouns", f'"{unknown[0]}" has a pronoun, but is not in people')
        _check_phrases(self.phrases)
        object.__setattr__(self, "phrases", {**PHRASES, **self.phrases})
        _check_phrases_differ(self.phrases)
        for kinds in (_NAMES_IN_STORIES, ("gets", "drops")):
            self._check_no_name_shared(kinds)
        nothing = answer_symbol(self.phrases["nothing"])
        if nothing in map(answer_symbol, self.objects):
            raise WorldError("objects", f'"{nothing}" is both an object and the answer for no objects: rename one')

    def _check_no_name_shared(self, kinds: tuple[str, ...]) -> None:
        """Raise WorldError if a name occurs in two of these fields."""
        found: dict[str, str] = {}
        for kind in kinds:
            for name in map(answer_symbol, getattr(self, kind)):
                if name in found:
                    raise WorldError(kind, f'"{name}" is in both {found[name]} and {kind}: rename one')
                found[name] = kind


def _check_names(kind: str, names: Names | Mapping[str, Any]) -> None:
    if not names and kind != "pronouns":
        raise WorldError(kind, f"{kind} is empty: it must have at least one name")
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
    valid = isinstance(name, str) and has_word(name) and name == name.strip() and not set(",?\t\n\r") & set(name)
    if not valid:
        rule = "it must have a letter or digit, no comma, question mark, tab or line end, and no space at its ends"
        raise WorldError(kind, f"{kind}: {quoted(name)} is not a valid name: {rule}")


def _check_different(kind: str, names: Iterable[str]) -> None:
    twice = [name for name, number in Counter(map(answer_symbol, names)).items() if number > 1]
    if twice:
        raise WorldError(kind, f'"{twice[0]}" occurs twice in {kind}')


def _check_phrases(phrases: Mapping[str, str]) -> None:
    for name, template in phrases.items():
        if name not in PHRASES:
            raise WorldError("phrases", f"unknown phrase {quoted(name)}; there are: {', '.join(PHRASES)}")
        wanted = placeholders(PHRASES[name])
        try:
            found = placeholders(template)
        except ValueError as error:
            raise WorldError(name, f"the phrase {name} is {quoted(template)}: {error}") from None
        if found != wanted:
            names = ", ".join(f"{{{key}}}" for key in sorted(wanted)) or "no placeholders"
            raise WorldError(name, f"the phrase {name} is {quoted(template)}: it must have {names}")
        if any(mark in template for mark in "\t\n\r") or not template.strip():
            raise WorldError(name, f"the phrase {name} is {quoted(template)}: it must be one line, and not empty")
        if is_question(template) != PHRASES[name].endswith("?"):
            ends = "end" if PHRASES[name].endswith("?") else "not end"
            raise WorldError(name, f"the phrase {name} is {quoted(template)}: it must {ends} in a question mark")
        if PHRASES[name] == name:  # a word that occurs in answers
            _check_name(name, template)


def _check_phrases_differ(phrases: Mapping[str, str]) -> None:
    for group in _MUST_DIFFER:
        texts = [answer_symbol(phrases[name]) for name in group]
        if len(set(texts)) < len(texts):
            changed = next(name for name in group if phrases[name] != PHRASES[name])
            raise WorldError(changed, f"the phrases {', '.join(group)} must differ")


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
    """The world of the published file of a task."""
    return _PUBLISHED.get(task) or World()


def read_world(path: str | Path) -> World:
    """Read a world from a TOML file.

    The keys are the fields of ``World``; a field that the file does not have keeps its default.

    Raises:
        DataError: if the file cannot be read or is not TOML, has an unknown key or a value of the wrong type, or if
            ``World`` rejects the values.
    """
    found, lines = read_toml(path)
    default = World()
    known = {kind.name for kind in fields(World)}
    chosen = {}
    for key, value in found.items():
        if key not in known:
            raise DataError(
                path, line_of(lines, key), f'unknown key "{shortened(key)}"; there are: {", ".join(sorted(known))}'
            )
        try:
            chosen[key] = _value(key, value, getattr(default, key))
        except InputError as error:
            raise DataError(path, line_of(lines, key), str(error)) from None
    try:
        return World(**chosen)
    except WorldError as error:
        raise DataError(path, line_of(lines, error.key), str(error)) from None


def _value(key: str, value: object, default: object) -> Any:
    """A value of a TOML file, converted to the type of the field of ``World``."""
    if key == "motives":
        if isinstance(value, dict) and all(_are_strings(pair) and len(pair) == 2 for pair in value.values()):
            return {motive: tuple(pair) for motive, pair in value.items()}
        raise InputError(f"{key} must be a table of motive = [place, object]")
    if isinstance(default, Mapping):
        if isinstance(value, dict) and _are_strings(list(value.values())):
            return value
        raise InputError(f"{key} must be a table of strings")
    if isinstance(value, list) and _are_strings(value):
        return tuple(value)
    raise InputError(f"{key} must be a list of strings")


def _are_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
