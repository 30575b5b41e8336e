"""Tasks 4 and 17 to 19: directions of places, positions of shapes, sizes of containers, paths between places."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.simulator.story_writer import StoryWriter

_DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))
"""(x, y) of north, south, east and west, or of above, below, right and left: in the order of the world's words."""

_MIDDLE_PLACE_FIRST = 0.345
"""Probability that a sentence of task 4 begins with the place in the middle."""

_POSITION_QUESTIONS = 8
_MIDDLE_SHAPE_FIRST = 2 / 3
"""Probability that a sentence of task 17 begins with the shape that both sentences name."""

_SIZE_SENTENCES = 5
_SIZE_QUESTIONS = 5
_LATER_FACT_FIRST = 0.68
"""Probability that the first supporting fact of task 18 stands later in the story than the second."""

_PATH_PLACES = 3
_NEIGHBOURS = 3
"""Places on the path of task 19, and places next to it."""

_PATH_OUTER_FIRST = 0.56
"""Probability that a sentence about a step of the path begins with the path's start or end."""

_NEIGHBOUR_FIRST = 0.72
"""Probability that a sentence about a neighbour begins with the neighbour."""

_NEIGHBOUR_WEIGHT = 1.45
"""A neighbour is this many times as probable to be in the next sentence as a step of the path."""


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
        if rng.chance(_MIDDLE_PLACE_FIRST):
            facts.append((writer.write("lies", place=middle, direction=inwards, other=outer), middle, inwards, outer))
        else:
            facts.append((writer.write("lies", place=outer, direction=outwards, other=middle), outer, outwards, middle))
    fact, answer, direction, place = rng.choice(facts)
    if rng.chance(0.5):
        writer.ask("what_lies", answer, fact, direction=direction, place=place)
    else:
        opposite = back if direction == forth else forth
        writer.ask("lies_of_what", answer, fact, direction=opposite, place=place)


def positions(writer: StoryWriter) -> None:
    """Task 17: how do two shapes lie to each other? The story states how each lies to a third one."""
    rng, world = writer.rng, writer.world
    first, middle, last = rng.sample(world.shapes, 3)
    steps = [rng.choice(_DIRECTIONS)]
    steps.append(rng.choice([step for step in _DIRECTIONS if step != steps[0]]))
    facts = []
    for shape, (x, y) in zip((first, last), steps, strict=True):  # (x, y): from the middle to the shape
        if rng.chance(_MIDDLE_SHAPE_FIRST):
            word = world.positions[_DIRECTIONS.index((-x, -y))]
            facts.append(writer.write("stands", shape=middle, position=word, other=shape))
        else:
            word = world.positions[_DIRECTIONS.index((x, y))]
            facts.append(writer.write("stands", shape=shape, position=word, other=middle))
    apart = (steps[0][0] - steps[1][0], steps[0][1] - steps[1][1])  # from the last to the first
    for _ in range(_POSITION_QUESTIONS):
        reverse = rng.chance(0.5)
        sign = -1 if reverse else 1
        truth = rng.chance(0.5)
        words = [word for word, (x, y) in zip(world.positions, _DIRECTIONS, strict=True)
                 if (sign * (x * apart[0] + y * apart[1]) > 0) == truth]  # fmt: skip
        shape, other = (last, first) if reverse else (first, last)
        writer.ask("does_stand", writer.yes_or_no(truth), *(reversed(facts) if reverse else facts), shape=shape,
                   position=rng.choice(words), other=other)  # fmt: skip


def sizes(writer: StoryWriter) -> None:
    """Task 18: does one thing fit into another? The story compares both with a third one."""
    rng, world = writer.rng, writer.world
    things = [*world.treats, *rng.shuffled(world.containers)]  # smallest first
    compared: dict[tuple[str, str], int] = {}  # (smaller, larger) -> position of the sentence
    chains: list[tuple[tuple[str, str], tuple[str, str]]] = []  # below, above
    while not chains:
        for _ in range(_SIZE_SENTENCES):
            smaller, larger = sorted(rng.sample(things, 2), key=things.index)
            if rng.chance(0.5):
                position = writer.write("fits", thing=smaller, other=larger)
            else:
                position = writer.write("bigger", thing=larger, other=smaller)
            compared.setdefault((smaller, larger), position)
        chains = [(below, above) for below in compared for above in compared if below[1] == above[0]]
    for _ in range(_SIZE_QUESTIONS):
        below, above = rng.choice(chains)
        later_first = rng.chance(_LATER_FACT_FIRST)
        truth = later_first == (compared[above] > compared[below])  # yes: the larger pair's fact comes first
        pair = (below[0], above[1])
        facts = (compared[above], compared[below]) if truth else (compared[below], compared[above])
        if rng.chance(0.5):
            thing, other = pair if truth else pair[::-1]
            writer.ask("does_fit", writer.yes_or_no(truth), *facts, thing=thing, other=other)
        else:
            other, thing = pair if truth else pair[::-1]
            writer.ask("is_bigger", writer.yes_or_no(truth), *facts, thing=thing, other=other)


def paths(writer: StoryWriter) -> None:
    """Task 19: which two steps lead from one place to another? The story also states three places next to the path."""
    rng, world = writer.rng, writer.world
    words, letters = [*world.directions], [*world.directions.values()]
    start, between, end, *others = rng.sample(world.places, _PATH_PLACES + _NEIGHBOURS)
    first = rng.below(len(_DIRECTIONS))
    second = rng.choice([step for step in range(len(_DIRECTIONS)) if step != _opposite(first)])  # not back to the start
    path = [(start, first, between), (between, second, end)]  # from, direction, to
    used = {(start, first), (between, _opposite(first)), (between, second), (end, _opposite(second))}
    free = [(place, step) for place in (start, between, end) for step in range(len(_DIRECTIONS))
            if (place, step) not in used]  # fmt: skip
    neighbours = [(place, step, other)
                  for (place, step), other in zip(rng.sample(free, len(others)), others, strict=True)]  # fmt: skip
    left = [(edge, 1.0) for edge in path] + [(edge, _NEIGHBOUR_WEIGHT) for edge in neighbours]
    facts = {}
    while left:
        chosen = rng.weighted(left, [weight for _, weight in left])
        left.remove(chosen)
        edge, _ = chosen
        place, step, other = edge
        outer_first = rng.chance(_PATH_OUTER_FIRST if edge in path else _NEIGHBOUR_FIRST)
        if outer_first == (edge != path[0]):  # the first step begins at its outer place
            facts[edge] = writer.write("lies", place=other, direction=words[step], other=place)
        else:
            facts[edge] = writer.write("lies", place=place, direction=words[_opposite(step)], other=other)
    answer = f"{letters[first]},{letters[second]}"
    writer.ask("way", answer, facts[path[0]], facts[path[1]], place=start, other=end)


def _opposite(step: int) -> int:
    return step ^ 1
