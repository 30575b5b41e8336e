"""Tasks 17 to 19: above and beside, larger and smaller, and the way from one place to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.simulator.teller import Teller

_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""North, south, east and west, which are also above, below, right and left: as the world's words for them stand."""

_MIDDLE_FIRST = 2 / 3
"""How often a sentence of task 17 begins with the shape that both its sentences name."""

_SIZES_TOLD = 5
_SIZES_ASKED = 5
_LATER_FACT_FIRST = 0.68
"""How often the first supporting fact of task 18, which is the larger pair's if the answer is yes, was told later."""

_POSITIONS_ASKED = 8
_PLACES_ON_THE_WAY = 3
_NEIGHBOURS = 3

_WAY_OUTER_FIRST = 0.56
_NEIGHBOUR_FIRST = 0.72
"""How often a sentence of task 19 begins with an end of the way, and with a place that is not on it."""

_NEIGHBOUR_EARLIER = 1.45
"""How much likelier a neighbour is to be told of next than a part of the way."""


def positions(teller: Teller) -> None:
    """Task 17: two shapes' positions to a third one are told; what is that of the one to the other?"""
    dice, world = teller.dice, teller.world
    first, middle, last = dice.some(world.shapes, 3)
    steps = [dice.one(_STEPS)]
    steps.append(dice.one([step for step in _STEPS if step != steps[0]]))
    facts = []
    for shape, (x, y) in zip((first, last), steps, strict=True):  # from the middle to the shape
        if dice.chance(_MIDDLE_FIRST):
            word = world.positions[_STEPS.index((-x, -y))]
            facts.append(teller.say("stands", shape=middle, position=word, other=shape))
        else:
            facts.append(
                teller.say("stands", shape=shape, position=world.positions[_STEPS.index((x, y))], other=middle)
            )
    apart = (steps[0][0] - steps[1][0], steps[0][1] - steps[1][1])  # from the last to the first
    for _ in range(_POSITIONS_ASKED):
        turned = dice.chance(0.5)
        sign = -1 if turned else 1
        truth = dice.chance(0.5)
        fitting = [word for word, (x, y) in zip(world.positions, _STEPS, strict=True)
                   if (sign * (x * apart[0] + y * apart[1]) > 0) == truth]  # fmt: skip
        shape, other = (last, first) if turned else (first, last)
        teller.ask("does_stand", teller.answer(truth), *(reversed(facts) if turned else facts), shape=shape,
                   position=dice.one(fitting), other=other)  # fmt: skip


def sizes(teller: Teller) -> None:
    """Task 18: does one thing fit into another, if both were compared with a third?"""
    dice, world = teller.dice, teller.world
    things = [*world.treats, *dice.shuffled(world.containers)]  # the smallest first
    compared: dict[tuple[str, str], int] = {}  # smaller, larger -> the sentence that says so
    chains: list[tuple[tuple[str, str], tuple[str, str]]] = []
    while not chains:
        for _ in range(_SIZES_TOLD):
            smaller, larger = sorted(dice.some(things, 2), key=things.index)
            if dice.chance(0.5):
                told = teller.say("fits", thing=smaller, other=larger)
            else:
                told = teller.say("bigger", thing=larger, other=smaller)
            compared.setdefault((smaller, larger), told)
        chains = [(below, above) for below in compared for above in compared if below[1] == above[0]]
    for _ in range(_SIZES_ASKED):
        below, above = dice.one(chains)
        later_first = dice.chance(_LATER_FACT_FIRST)
        truth = later_first == (compared[above] > compared[below])
        pair = (below[0], above[1])
        facts = (compared[above], compared[below]) if truth else (compared[below], compared[above])
        if dice.chance(0.5):
            thing, other = pair if truth else pair[::-1]
            teller.ask("does_fit", teller.answer(truth), *facts, thing=thing, other=other)
        else:
            other, thing = pair if truth else pair[::-1]
            teller.ask("is_bigger", teller.answer(truth), *facts, thing=thing, other=other)


def ways(teller: Teller) -> None:
    """Task 19: two steps from one place to another; three more neighbours of the way's places are told of."""
    dice, world = teller.dice, teller.world
    words, letters = [*world.directions], [*world.directions.values()]
    start, between, end, *others = dice.some(world.places, _PLACES_ON_THE_WAY + _NEIGHBOURS)
    first = dice.below(len(_STEPS))
    second = dice.one([step for step in range(len(_STEPS)) if step != _opposite(first)])  # not straight back
    way = [(start, first, between), (between, second, end)]  # from, direction, to
    used = {(start, first), (between, _opposite(first)), (between, second), (end, _opposite(second))}
    free = [
        (place, step) for place in (start, between, end) for step in range(len(_STEPS)) if (place, step) not in used
    ]
    more = [(place, step, other) for (place, step), other in zip(dice.some(free, len(others)), others, strict=True)]
    left = [(edge, 1.0) for edge in way] + [(edge, _NEIGHBOUR_EARLIER) for edge in more]
    told = {}
    while left:
        chosen = dice.weighted(left, [weight for _, weight in left])
        left.remove(chosen)
        (place, step, other), _ = chosen
        outer_first = dice.chance(_WAY_OUTER_FIRST if chosen[0] in way else _NEIGHBOUR_FIRST)
        if outer_first == (chosen[0] != way[0]):
            told[chosen[0]] = teller.say("lies", place=other, direction=words[step], other=place)
        else:
            told[chosen[0]] = teller.say("lies", place=place, direction=words[_opposite(step)], other=other)
    answer = f"{letters[first]},{letters[second]}"
    teller.ask("way", answer, told[way[0]], told[way[1]], place=start, other=end)


def _opposite(step: int) -> int:
    return step ^ 1
