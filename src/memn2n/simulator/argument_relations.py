"""Tasks 4 and 5: relations of two arguments (a place lies north of another) and of three (giver, object, receiver)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.simulation import Simulation
from memn2n.simulator.story_writer import MAX_AGE

if TYPE_CHECKING:
    from memn2n.simulator.story_writer import StoryWriter

_LAST_GIFT = 0.984
"""Probability that a question is about the last gift; otherwise it is about any gift."""

_GIFT_QUESTIONS = {
    "what_given": ("object", ("person", "receiver")),
    "who_gave": ("person", ("object",)),
    "given_to_whom": ("receiver", ("person", "object")),
    "who_received": ("receiver", ("object",)),
    "who_gave_to": ("person", ("object", "receiver")),
}
"""Question -> (the part of a gift that it asks for, the parts that it names)."""

_GIFT_WEIGHTS = (2, 1, 1, 1, 1)

_MIDDLE_FIRST = 0.345
"""Probability that a sentence of task 4 begins with the place in the middle."""


def two_arguments(writer: StoryWriter) -> None:
    """Task 4: three places in a line; which place lies north of another, or which place lies another north of?

    The answer is always the place that its supporting fact begins with, as in the bAbI files.
    """
    rng = writer.rng
    first, middle, last = rng.sample(writer.world.places, 3)
    north, south, east, west = writer.world.directions
    forth, back = rng.choice(((north, south), (south, north), (east, west), (west, east)))  # from the first to the last
    facts = []
    for outer, inwards in rng.shuffled(((first, forth), (last, back))):
        outwards = back if inwards == forth else forth
        if rng.chance(_MIDDLE_FIRST):
            facts.append((writer.write("lies", place=middle, direction=inwards, other=outer), middle, inwards, outer))
        else:
            facts.append((writer.write("lies", place=outer, direction=outwards, other=middle), outer, outwards, middle))
    fact, answer, direction, place = rng.choice(facts)
    if rng.chance(0.5):
        writer.ask("what_lies", answer, fact, direction=direction, place=place)
    else:
        opposite = back if direction == forth else forth
        writer.ask("lies_of_what", answer, fact, direction=opposite, place=place)


def three_arguments(writer: StoryWriter) -> None:
    """Task 5: who gave what to whom?"""
    simulation = Simulation(writer, giving=True)
    rng = writer.rng

    def ask() -> None:
        gifts = simulation.gifts
        if not gifts or len(writer.story) - gifts[-1].position > MAX_AGE:
            return
        chosen = gifts[-1] if rng.chance(_LAST_GIFT) else rng.choice(gifts)
        phrase = rng.weighted([*_GIFT_QUESTIONS], _GIFT_WEIGHTS)
        asked, named = _GIFT_QUESTIONS[phrase]
        known = {part: getattr(chosen, part) for part in named}
        gift = next(gift for gift in reversed(gifts) if known.items() <= gift._asdict().items())  # the last that fits
        writer.ask(phrase, getattr(gift, asked), gift.position, **known)

    writer.alternate(simulation.step, ask)
