"""A simulator that writes stories with questions for the 20 bAbI tasks, so that nothing has to be downloaded.

Each task has a function that writes one story with a ``StoryWriter``; ``SKILLS`` lists these functions by the number of
the task. The words, sentences and statistics are those of the published files (v1.2, English; Weston et al. 2015).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import InputError
from memn2n.qa.fingerprints import fingerprint, word_form
from memn2n.qa.stories import Example, Split
from memn2n.settings import check_range
from memn2n.simulator import moves, objects, reasoning, space
from memn2n.simulator.random_choices import RandomChoices
from memn2n.simulator.story_writer import StoryWriter
from memn2n.simulator.world import World, published_world
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class Skill(NamedTuple):
    """One of the bAbI tasks.

    Args:
        name: the task's name in the name of its published file.
        write_story: writes one story with its questions.
        needs: field of ``World`` -> the smallest number of names that the task needs there.
    """

    name: str
    write_story: Callable[[StoryWriter], None]
    needs: Mapping[str, int]


_COUNTING = 7
_MOVING = {"people": 1, "places": 2}
_CARRYING = {"people": 1, "places": 2, "objects": 1}

SKILLS: dict[int, Skill] = {
    1: Skill("single-supporting-fact", objects.single_fact, _MOVING),
    2: Skill("two-supporting-facts", objects.two_facts, _CARRYING),
    3: Skill("three-supporting-facts", objects.three_facts, _CARRYING),
    4: Skill("two-arg-relations", space.two_arguments, {"places": 3}),
    5: Skill("three-arg-relations", objects.three_arguments, {**_CARRYING, "people": 2}),
    6: Skill("yes-no-questions", objects.yes_or_no, _CARRYING),
    7: Skill("counting", objects.counting, {**_CARRYING, "people": 2}),
    8: Skill("lists-sets", objects.lists, _CARRYING),
    9: Skill("simple-negation", moves.negation, _MOVING),
    10: Skill("indefinite-knowledge", moves.indefinite, {"people": 1, "places": 3}),
    11: Skill("basic-coreference", moves.coreference, _MOVING),
    12: Skill("conjunction", moves.conjunction, {"people": 2, "places": 3}),
    13: Skill("compound-coreference", moves.compound_coreference, {"people": 2, "places": 3}),
    14: Skill("time-reasoning", moves.time_order, {**_MOVING, "times": 2}),
    15: Skill("basic-deduction", reasoning.deduction, {"animals": 2, "creatures": 1}),
    16: Skill("basic-induction", reasoning.induction, {"creatures": 2, "colors": 2}),
    17: Skill("positional-reasoning", space.positions, {"shapes": 3}),
    18: Skill("size-reasoning", space.sizes, {"containers": 2}),
    19: Skill("path-finding", space.paths, {"places": 3}),
    20: Skill("agents-motivations", reasoning.motives, {"people": 1}),
}
"""Number of a bAbI task -> skill."""

MAX_QUESTIONS = 10**12
"""The largest number of questions that can be asked for."""

_MAX_REPEATS = 1000
"""Test stories are given up after this many questions in a row that are also in the training data."""

_SENTENCES = 1 << 14
"""Sentences whose words are kept while test stories are compared with training stories."""

_MAX_SILENT = 20
"""A world is rejected after this many stories in a row without a question."""


def simulate(
    task: int | Iterable[int] = 1, n_train: int = 1000, n_test: int = 1000, seed: int = 0, world: World | None = None
) -> Split:
    """Write stories with questions, answers and supporting facts.

    Args:
        task: number of a bAbI task, or several numbers.
        n_train: number of training questions of each task.
        n_test: number of test questions of each task. No test question occurs in the task's training data with the
            same story.
        seed: the same seed gives the same stories on every platform.
        world: names, verbs and sentences; by default those of the task's published file.

    Raises:
        InputError: if a task does not exist, a number of questions is below 0, the world has too few names for the
            task, or the world does not have that many different stories.
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
    """Raise InputError if a task does not exist, or a world has too few names for it."""
    if task not in SKILLS:
        raise InputError(f"task {quoted(task)} cannot be simulated: the tasks are 1 to {max(SKILLS)}")
    world = world or published_world(task)
    needs = dict(SKILLS[task].needs)
    if task == _COUNTING:
        needs["numbers"] = len(world.objects) + 1
    for field, least in needs.items():
        found = len(getattr(world, field))
        if found < least:
            raise InputError(f"task {task} needs at least {least} {field}, and this world has {found}")


def iter_simulated(
    task: int, n_train: int, n_test: int, seed: int = 0, world: World | None = None
) -> tuple[Iterator[Example], Iterator[Example]]:
    """Write the stories of one task as two streams, training and test; arguments and errors as of ``simulate``.

    Only an 8-byte digest of each training question is kept in memory. The test stories begin where the training stories
    end: reading the test stream first skips the rest of the training stream.
    """
    check_range("n_train", n_train, 0, MAX_QUESTIONS)
    check_range("n_test", n_test, 0, MAX_QUESTIONS)
    check_world(task, world)
    stories = _stories(task, world or published_world(task), RandomChoices(f"{task} {seed}"))
    known: set[int] = set()
    form = lru_cache(_SENTENCES)(word_form)

    def training() -> Iterator[Example]:
        left = n_train
        while left > 0:
            for example in next(stories)[:left]:
                known.add(fingerprint(example, form))
                left -= 1
                yield example

    def unseen() -> Iterator[Example]:
        for _ in train:
            pass
        repeats = 0
        for example in chain.from_iterable(stories):
            repeats = repeats + 1 if fingerprint(example, form) in known else 0
            if repeats == 0:
                yield example
            elif repeats == _MAX_REPEATS:
                problem = "no stories are left to test on after the training stories; lower n_train"
                raise InputError(f"task {task}: {problem}")

    train = training()
    return train, islice(unseen(), n_test)


def _stories(task: int, world: World, rng: RandomChoices) -> Iterator[list[Example]]:
    """The questions of each story."""
    silent = 0
    while silent < _MAX_SILENT:
        writer = StoryWriter(world, rng, str(task))
        SKILLS[task].write_story(writer)
        silent = 0 if writer.examples else silent + 1
        yield writer.examples
    raise InputError(f"task {task}: this world has so many names that no question can be asked; remove some")
