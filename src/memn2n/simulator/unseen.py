"""Test questions with names that training does not have: persons, places, objects, animals, colors and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from itertools import chain, count, product
from typing import TYPE_CHECKING

from memn2n.qa.vocabulary import tokenize
from memn2n.simulator.world import World, published_world
from memn2n.unicode_text import lower_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from memn2n.qa.stories import Example

_FIELDS = ("people", "places", "objects", "creatures", "species", "colors", "shapes")
"""The fields of a world whose names can be exchanged, as far as the answers are concerned."""

_ONLY = {20: ("people",)}
"""Task -> the fields of its world whose names can be exchanged: in task 20, places and objects follow from motives."""

_FIRST, _VOWELS, _MIDDLE, _LAST = "zvx", "aeiou", "bdgkmp", "xzv"

_STEP = 4967
"""The distance of invented words that follow each other in the list of all; it has no divisor of the list's length."""

_WORD = re.compile(r"\w+")


def with_unseen_words(examples: Iterable[Example], world: World | None = None) -> Iterator[Example]:
    """Replace the names in stories, questions and answers by invented words, each name by the same word everywhere.

    A model that knows which words can be exchanged answers these questions as well as those with the names of its
    training. In task 15, the kinds of animals stay, since mice and mouse belong together; in task 20, places and
    objects stay, since they follow from motives. In task 18, nothing is replaced. Other tasks have new names for all
    persons, places, objects, animals, colors and shapes.

    Args:
        examples: test questions, whose labels are the numbers of bAbI tasks.
        world: the names of the stories; by default those of the published file of each task.
    """
    new_names: dict[str, Mapping[str, str]] = {}
    for example in examples:
        names = new_names.get(example.task)
        if names is None:
            names = new_names[example.task] = unseen_names(example.task, world)

        def renamed(text: str, names: Mapping[str, str] = names) -> str:
            return _WORD.sub(lambda match: _in_case_of(match[0], names.get(lower_case(match[0]))), text)

        yield replace(
            example, story=tuple(map(renamed, example.story)), values=tuple(map(renamed, example.values)),
            question=renamed(example.question), answer=renamed(example.answer),
        )  # fmt: skip


def unseen_names(task: str, world: World | None = None) -> dict[str, str]:
    """The invented word for each word of the names that can be exchanged, in lower case.

    Args:
        task: the number of a bAbI task.
        world: the names; by default those of the task's published file.
    """
    number = int(task) if task.isdecimal() else 0
    world = world or published_world(number)
    names = chain.from_iterable(getattr(world, field) for field in _ONLY.get(number, _FIELDS))
    words = dict.fromkeys(word for name in names for word in tokenize(name))
    known = {word for kind in fields(world) for text in _texts(getattr(world, kind.name)) for word in tokenize(text)}
    return dict(zip(words, (word for word in _invented() if word not in known), strict=False))


def _texts(value: object) -> Iterator[str]:
    """All strings in the field of a world."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(_texts, value.items()))
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(_texts, value))


def _invented() -> Iterator[str]:
    """Pronounceable words of five letters and more that are no words of English, in a fixed order without an end."""
    for syllables in count(1):
        letters = (_FIRST, *(_VOWELS, _MIDDLE) * syllables, _VOWELS, _LAST)
        every = ["".join(word) for word in product(*letters)]
        for i in range(len(every)):
            yield every[i * _STEP % len(every)]


def _in_case_of(word: str, new: str | None) -> str:
    """The new word, with a capital if the word has one; the word itself if there is no new one."""
    if new is None:
        return word
    return new.capitalize() if word[:1].isupper() else new
