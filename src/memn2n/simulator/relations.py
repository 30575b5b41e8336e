"""Tasks 4 and 5: who did what to whom, and what lies in which direction of what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.scene import LATE, Scene, tell

if TYPE_CHECKING:
    from memn2n.simulator.teller import Teller

_LAST_GIFT = 0.984
"""How often the last gift is asked about, and not one before."""

_GIFT_QUESTIONS = {
    "what_given": ("object", ("person", "receiver")),
    "who_gave": ("person", ("object",)),
    "given_to_whom": ("receiver", ("person", "object")),
    "who_received": ("receiver", ("object",)),
    "who_gave_to": ("person", ("object", "receiver")),
}
"""Question -> the part of a gift that it asks for, and those that it names."""

_GIFT_WEIGHTS = (2, 1, 1, 1, 1)

_FACT_ABOUT_MIDDLE = 0.345
"""How often a fact of task 4 begins with the place in the middle."""


def two_arguments(teller: Teller) -> None:
    """Task 4: three places in a line, and what lies north of one, or which one that one lies south of.

    The answer is always the place that its fact begins with, as in bAbI's files.
    """
    dice = teller.dice
    first, middle, last = dice.some(teller.world.places, 3)
    north, south, east, west = teller.world.directions
    forth, back = dice.one(((north, south), (south, north), (east, west), (west, east)))  # from the first to the last
    facts = []
    for outer, inwards in dice.shuffled(((first, forth), (last, back))):
        outwards = back if inwards == forth else forth
        if dice.chance(_FACT_ABOUT_MIDDLE):
            facts.append((teller.say("lies", place=middle, direction=inwards, other=outer), middle, inwards, outer))
        else:
            facts.append((teller.say("lies", place=outer, direction=outwards, other=middle), outer, outwards, middle))
    fact, answer, direction, place = dice.one(facts)
    if dice.chance(0.5):
        teller.ask("what_lies", answer, fact, direction=direction, place=place)
    else:
        opposite = back if direction == forth else forth
        teller.ask("lies_of_what", answer, fact, direction=opposite, place=place)


def three_arguments(teller: Teller) -> None:
    """Task 5: who gave what to whom?"""
    scene = Scene(teller, giving=True)
    dice = teller.dice

    def ask() -> None:
        if not scene.gifts or len(teller.story) - scene.gifts[-1].position > LATE:
            return
        wanted = scene.gifts[-1] if dice.chance(_LAST_GIFT) else dice.one(scene.gifts)
        form = dice.weighted([*_GIFT_QUESTIONS], _GIFT_WEIGHTS)
        asked, named = _GIFT_QUESTIONS[form]
        known = {part: getattr(wanted, part) for part in named}
        gift = next(gift for gift in reversed(scene.gifts) if known.items() <= gift._asdict().items())  # the last such
        teller.ask(form, getattr(gift, asked), gift.position, **known)

    tell(teller, scene.step, ask)
