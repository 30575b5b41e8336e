"""A story simulator: writes stories with questions for the skills of bAbI, so that nothing must be downloaded.

A skill is a function that writes one story, given a world's names and a source of randomness; ``SKILLS`` lists them
by their bAbI number.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from memn2n.errors import InputError
from memn2n.simulator.facts import single_supporting_fact
from memn2n.simulator.world import World
from memn2n.stories import Example, Split

if TYPE_CHECKING:
    from collections.abc import Iterator

Skill = Callable[[World, random.Random], list[Example]]

SKILLS: dict[int, Skill] = {
    1: single_supporting_fact,
}
"""bAbI task number -> what writes one of its stories, as the examples of its questions."""

_MAX_REPEATS = 1000
"""How many stories in a row may stand in the training data before a test story is given up."""


def simulate(
    task: int = 1, n_train: int = 1000, n_test: int = 1000, seed: int = 0, world: World | None = None
) -> Split:
    """Write stories with questions, answers and true supporting facts.

    Args:
        task: the skill, a bAbI task number.
        n_train: number of training questions.
        n_test: number of test questions; no (story, question) pair of theirs stands in the training data.
        seed: the same seed gives the same stories everywhere.
        world: names to use; by default those of bAbI.

    Raises:
        InputError: for a skill that does not exist, a size below 0, or more stories than the world has.
    """
    if task not in SKILLS:
        raise InputError(f"task {task} is not simulated; there is: {', '.join(map(str, SKILLS))}")
    for name, size in (("n_train", n_train), ("n_test", n_test)):
        if size < 0:
            raise InputError(f"{name} is {size}: it must be 0 or more")
    stories = _stories(task, world or World(), random.Random(seed))
    train = list(islice((example for story in stories for example in story), n_train))
    known = {(example.story, example.question) for example in train}
    fresh = (example for story in _without(stories, known, task) for example in story)
    return Split(train, list(islice(fresh, n_test)))


def _stories(task: int, world: World, rng: random.Random) -> Iterator[list[Example]]:
    while True:
        yield SKILLS[task](world, rng)


def _without(
    stories: Iterator[list[Example]], known: set[tuple[tuple[str, ...], str]], task: int
) -> Iterator[list[Example]]:
    """The stories that share no question with the known ones."""
    repeats = 0
    for story in stories:
        if known.isdisjoint((example.story, example.question) for example in story):
            repeats = 0
            yield story
            continue
        repeats += 1
        if repeats == _MAX_REPEATS:
            raise InputError(f"task {task}: the training stories leave no others to test on; lower n_train")
