"""Skills 1 to 3: answers that follow from one, two or three supporting facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.simulator.world import Whereabouts, World
from memn2n.stories import Example

if TYPE_CHECKING:
    import random

_QUESTIONS = 5
_MOVES_BEFORE_QUESTION = 2


def single_supporting_fact(world: World, rng: random.Random) -> list[Example]:
    """Task 1: people move, and a question after every second move asks where one of them is."""
    state = Whereabouts(world, rng)
    examples = []
    for _ in range(_QUESTIONS):
        for _ in range(_MOVES_BEFORE_QUESTION):
            state.move()
        person = state.recent()
        examples.append(Example(tuple(state.story), f"Where is {person}?", state.place[person],
                                support=(state.since[person],), task="1"))  # fmt: skip
    return examples
