"""Templates of the sentences, questions and fixed answers of stories, in bAbI's English; a world can replace them."""

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
    # pronouns, groups, times of day
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
    # directions, paths, positions, sizes
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
    # motives
    "is_motive": "{person} is {motive}.",
    "where_will": "Where will {person_lower} go?",
    "why_go": "Why did {person_lower} go to the {place}?",
    "why_get": "Why did {person_lower} get the {object}?",
}
"""Phrase -> template. ``{name_lower}`` writes a name in lower case, as bAbI does in some questions."""

_LOWER = "_lower"


class _Names(dict[str, str]):
    """Placeholder -> name; for a placeholder that ends in ``_lower``, the name in lower case."""

    def __missing__(self, key: str) -> str:
        return self[key.removesuffix(_LOWER)].lower()


def fill(template: str, names: Mapping[str, str]) -> str:
    """Replace the placeholders of a template by names, and start it with a capital letter."""
    text = template.format_map(_Names(names))
    return text[:1].upper() + text[1:]


def placeholders(template: str) -> set[str]:
    """The placeholders of a template, without the ending ``_lower``.

    Raises:
        ValueError: if braces do not match, or contain more than a name.
    """
    names = set()
    for _, name, spec, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} must be a name without format or conversion")
        names.add(name.removesuffix(_LOWER))
    return names
