"""Tasks 15 and 16: what holds of a kind holds of each of it, and the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.simulator.dice import Dice
    from memn2n.simulator.teller import Teller

_KINDS = 4
_FEARFUL = 4
_FEARS_ASKED = 4
_COLORED = 4
_SAME_COLOR = 0.5
"""How often an animal has the color of the last one of its species, instead of any."""


def deduction(teller: Teller) -> None:
    """Task 15: what is somebody afraid of, whose kind is told, and what that kind is afraid of?"""
    dice, world = teller.dice, teller.world
    kinds = dice.some(world.animals, _KINDS)
    names = dice.some(world.creatures, _FEARFUL)
    fears: dict[str, tuple[str, int]] = {}  # kind -> what it fears, and the sentence that says so
    known: dict[str, tuple[str, int]] = {}  # name -> its kind, and the sentence
    while len(fears) < len(kinds) or len(known) < len(names):
        rules, facts = len(kinds) - len(fears), len(names) - len(known)  # to be told
        facts_now = facts * len(fears) / len(kinds)  # of a kind whose rule is told
        if dice.chance(rules / (rules + facts_now)):
            kind = kinds[len(fears)]
            feared = dice.one([other for other in kinds if other != kind])
            told = teller.say("afraid", animals=world.animals[kind], others=world.animals[feared])
            fears[kind] = (feared, told)
        else:
            name, kind = names[len(known)], dice.one([*fears])
            known[name] = (kind, teller.say("is_animal", name=name, animal=kind))
    for _ in range(_FEARS_ASKED):
        name = dice.one(names)
        kind, told = known[name]
        feared, rule = fears[kind]
        teller.ask("what_afraid", feared, told, rule, name=name)


def induction(teller: Teller) -> None:
    """Task 16: what color is somebody, of whose species others have been seen?

    Where these differ in color, the one whose species was told last decides, as in bAbI's files; there are never two
    of them, but in a world of three animals.
    """
    dice, world = teller.dice, teller.world
    names = dice.some(world.creatures, _COLORED + 1)
    alike, unwanted = 1, (1, 3) if len(names) > 3 else (1,)
    while alike in unwanted:
        species = [dice.one(world.species) for _ in names]
        turns = _turns(dice, len(names))
        uncolored = next(index for index in range(len(names)) if ("color", index) not in turns)
        alike = species.count(species[uncolored])
    told: dict[int, int] = {}
    colors: dict[int, tuple[str, int]] = {}
    for kind, index in turns:
        if kind == "species":
            told[index] = teller.say("is_animal", name=names[index], animal=species[index])
            continue
        seen = [colors[other][0] for other in colors if species[other] == species[index]]
        color = seen[-1] if seen and dice.chance(_SAME_COLOR) else dice.one(world.colors)
        colors[index] = (color, teller.say("is_color", name=names[index], color=color))
    like = max(index for index in colors if species[index] == species[uncolored])
    teller.ask("what_color", colors[like][0], told[uncolored], told[like], colors[like][1], name=names[uncolored])


def _turns(dice: Dice, number: int) -> list[tuple[str, int]]:
    """What is told of whom, one after the other: everybody's species, and later the color of all but one."""
    turns: list[tuple[str, int]] = []
    waiting: list[int] = []  # for their color
    introduced = 0
    while len(turns) < 2 * number - 1:
        left = number - introduced
        if left and (len(turns) - introduced == number - 1 or dice.chance(left / (left + len(waiting)))):
            turns.append(("species", introduced))
            waiting.append(introduced)
            introduced += 1
        else:
            index = dice.one(waiting)
            waiting.remove(index)
            turns.append(("color", index))
    return turns
