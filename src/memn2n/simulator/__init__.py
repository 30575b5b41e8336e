"""A story simulator: writes stories with questions for the 20 skills of bAbI, so that nothing must be downloaded.

A skill is a function that tells one story (``Teller``); ``SKILLS`` lists them by their bAbI number. Words, sentences
and statistics are those of the published files (v1.2, English; Weston et al. 2015), as far as these show them.
"""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import InputError
from memn2n.qa.stories import Example, Split
from memn2n.simulator import carrying, facts, kinds, motives, relations, several, space, uncertain
from memn2n.simulator.dice import Dice
from memn2n.simulator.teller import Teller
from memn2n.simulator.world import World, published_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class Skill(NamedTuple):
    """One of the tasks.

    Args:
        name: as in the name of its published file.
        tell: tells one story and asks its questions.
        needs: the least number of names that it needs of a world, by their kind.
    """

    name: str
    tell: Callable[[Teller], None]
    needs: Mapping[str, int]


_COUNTING = 7
_MOVING = {"people": 1, "places": 2}
_CARRYING = {"people": 1, "places": 2, "objects": 1}

SKILLS: dict[int, Skill] = {
    1: Skill("single-supporting-fact", facts.single_fact, _MOVING),
    2: Skill("two-supporting-facts", facts.two_facts, _CARRYING),
    3: Skill("three-supporting-facts", facts.three_facts, _CARRYING),
    4: Skill("two-arg-relations", relations.two_arguments, {"places": 3}),
    5: Skill("three-arg-relations", relations.three_arguments, {**_CARRYING, "people": 2}),
    6: Skill("yes-no-questions", carrying.yes_or_no, _CARRYING),
    7: Skill("counting", carrying.counting, {**_CARRYING, "people": 2}),
    8: Skill("lists-sets", carrying.lists, _CARRYING),
    9: Skill("simple-negation", uncertain.negation, _MOVING),
    10: Skill("indefinite-knowledge", uncertain.indefinite, {"people": 1, "places": 3}),
    11: Skill("basic-coreference", several.coreference, _MOVING),
    12: Skill("conjunction", several.conjunction, {"people": 2, "places": 3}),
    13: Skill("compound-coreference", several.compound_coreference, {"people": 2, "places": 3}),
    14: Skill("time-reasoning", several.times, {**_MOVING, "times": 2}),
    15: Skill("basic-deduction", kinds.deduction, {"animals": 2, "creatures": 1}),
    16: Skill("basic-induction", kinds.induction, {"creatures": 2, "colors": 2}),
    17: Skill("positional-reasoning", space.positions, {"shapes": 3}),
    18: Skill("size-reasoning", space.sizes, {"containers": 2}),
    19: Skill("path-finding", space.ways, {"places": 3}),
    20: Skill("agents-motivations", motives.motives, {"people": 1}),
}
"""bAbI task number -> skill."""

_MAX_REPEATS = 1000
"""How many questions in a row may stand in the training data before a test question is given up."""

_MAX_SILENT = 20
"""How many stories in a row may end without a question before the world is given up."""

_MAX_QUESTIONS = 2**40


def simulate(
    task: int | Iterable[int] = 1,
    n_train: int = 1000,
    n_test: int = 1000,
    seed: int = 0,
    world: World | None = None,
) -> Split:
    """Write stories with questions, answers and true supporting facts.

    Args:
        task: the skill, a bAbI task number, or several.
        n_train: number of training questions of each.
        n_test: number of test questions of each; none of them stands in the task's training data with the same story.
        seed: the same seed gives the same stories everywhere.
        world: words to use; by default those of the task's published file.

    Raises:
        InputError: for a skill that does not exist, a size below 0, a world that is too small for the skill, or more
            different stories than it has.
    """
    tasks = [task] if isinstance(task, int) else [*dict.fromkeys(task)]
    for number in tasks:
        check_world(number, world)
    split = Split([], [])
    for number in tasks:
        train, test = iter_simulated(number, n_train, n_test, seed, world)
        split.train.extend(train)
        split.test.extend(test)
    return split


def check_world(task: int, world: World | None) -> None:
    """Make sure that a task's stories can be told.

    Raises:
        InputError: for a task that does not exist, or a world that is too small for it.
    """
    if task not in SKILLS:
        raise InputError(f"task {task!r} is not simulated: the tasks are 1 to {max(SKILLS)}")
    world = world or published_world(task)
    needs = dict(SKILLS[task].needs)
    if task == _COUNTING:
        needs["numbers"] = len(world.objects) + 1
    for kind, least in needs.items():
        found = len(getattr(world, kind))
        if found < least:
            raise InputError(f"task {task} needs {least} of {kind} at least, and this world has {found}")


def iter_simulated(
    task: int, n_train: int, n_test: int, seed: int = 0, world: World | None = None
) -> tuple[Iterator[Example], Iterator[Example]]:
    """The same of one task as two streams, training and test; a digest is kept of each training question, and no more.

    The test stories begin where the training stories end: reading them first passes over these.
    """
    for name, size in (("n_train", n_train), ("n_test", n_test)):
        if not 0 <= size <= _MAX_QUESTIONS:
            raise InputError(f"{name} is {size}: it must be from 0 to {_MAX_QUESTIONS:,}")
    check_world(task, world)
    stories = _stories(task, world or published_world(task), Dice(f"{task} {seed}"))
    known: set[bytes] = set()

    def training() -> Iterator[Example]:
        left = n_train
        while left > 0:
            for example in next(stories)[:left]:
                known.add(_digest(example))
                left -= 1
                yield example

    def unseen() -> Iterator[Example]:
        for _ in train:
            pass
        repeats = 0
        for example in (example for story in stories for example in story):
            if _digest(example) not in known:
                repeats = 0
                yield example
                continue
            repeats += 1
            if repeats == _MAX_REPEATS:
                raise InputError(f"task {task}: the training stories leave no others to test on; lower n_train")

    train = training()
    return train, islice(unseen(), n_test)


def _stories(task: int, world: World, dice: Dice) -> Iterator[list[Example]]:
    """The questions of each story."""
    silent = 0
    while silent < _MAX_SILENT:
        teller = Teller(world, dice, str(task))
        SKILLS[task].tell(teller)
        silent = 0 if teller.examples else silent + 1
        yield teller.examples
    raise InputError(f"task {task}: this world is so large that its stories come to no question; give it fewer names")


def _digest(example: Example) -> bytes:
    text = "\n".join((*example.story, example.question))
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
