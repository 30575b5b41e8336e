"""The sentences of stories, as templates; those of bAbI's English, which a world may replace by its own."""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PHRASES: Mapping[str, str] = {
    # people, places, objects
    "move": "{person} {verb} to the {place}.",
    "get": "{person} {verb} the {object}.",
    "get_there": "{person} {verb} the {object} there.",
    "drop": "{person} {verb} the {object}.",
    "drop_there": "{person} {verb} the {object} there.",
    "give": "{person} {verb} the {object} to {receiver}.",
    "where_person": "Where is {person}?",
    "where_object": "Where is the {object}?",
    "where_object_before": "Where was the {object} before the {place}?",
    "where_person_before": "Where was {person} before the {place}?",
    "what_given": "What did {person} give to {receiver}?",
    "who_gave": "Who gave the {object}?",
    "who_gave_to": "Who gave the {object} to {receiver}?",
    "who_received": "Who received the {object}?",
    "given_to_whom": "Who did {person} give the {object} to?",
    "how_many": "How many objects is {person} carrying?",
    "what_carried": "What is {person} carrying?",
    "nothing": "nothing",
    # yes, no, maybe
    "in": "{person} is in the {place}.",
    "not_in": "{person} is not in the {place}.",
    "no_longer_in": "{person} is no longer in the {place}.",
    "either_in": "{person} is either in the {place} or the {other}.",
    "is_in": "Is {person} in the {place}?",
    "yes": "yes",
    "no": "no",
    "maybe": "maybe",
    # several people, several times
    "then": "{then} {pronoun} {verb} to the {place}.",
    "together": "{person} and {other} {verb} to the {place}.",
    "they": "they",
    "time_first": "{time} {person} {verb} to the {place}.",
    "time_last": "{person} {verb} to the {place} {time}.",
    # animals
    "afraid": "{animals} are afraid of {others}.",
    "is_animal": "{name} is a {animal}.",
    "what_afraid": "What is {name_lower} afraid of?",
    "is_color": "{name} is {color}.",
    "what_color": "What color is {name}?",
    # where things lie, and how large they are
    "lies": "The {place} is {direction} of the {other}.",
    "what_lies": "What is {direction} of the {place}?",
    "lies_of_what": "What is the {place} {direction} of?",
    "way": "How do you go from the {place} to the {other}?",
    "stands": "The {shape} is {position} the {other}.",
    "does_stand": "Is the {shape} {position} the {other}?",
    "fits": "The {thing} fits inside the {other}.",
    "bigger": "The {thing} is bigger than the {other}.",
    "does_fit": "Does the {thing} fit in the {other}?",
    "is_bigger": "Is the {thing} bigger than the {other}?",
    # why
    "is_motive": "{person} is {motive}.",
    "where_will": "Where will {person_lower} go?",
    "why_go": "Why did {person_lower} go to the {place}?",
    "why_get": "Why did {person_lower} get the {object}?",
}
"""Name -> template. ``{name_lower}`` is a name in small letters, as bAbI has it; a sentence starts with a capital."""

_LOWER = "_lower"


class _Names(dict[str, str]):
    """Names by placeholder, in small letters too."""

    def __missing__(self, key: str) -> str:
        return self[key.removesuffix(_LOWER)].lower()


def fill(template: str, names: Mapping[str, str]) -> str:
    """A template with its names, and a capital at its start."""
    text = template.format_map(_Names(names))
    return text[:1].upper() + text[1:]


def placeholders(template: str) -> set[str]:
    """What a template names, ``_lower`` left off.

    Raises:
        ValueError: for braces that do not match, or more within them than a name.
    """
    names = set()
    for _, name, spec, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} must be a name alone")
        names.add(name.removesuffix(_LOWER))
    return names
