"""Find the exchangeable words of training examples."""

from __future__ import annotations

import warnings
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from memn2n.errors import DataWarning
from memn2n.machine import choose_threads
from memn2n.qa import engine
from memn2n.qa.config import TrainingConfig
from memn2n.qa.stories import check_examples
from memn2n.qa.symmetries.classes import Swap, Symmetries, WordClass
from memn2n.qa.symmetries.evidence import ABLE, SKILLED, Evidence
from memn2n.qa.symmetries.networks import story_of_each, train
from memn2n.qa.symmetries.task import Task
from memn2n.settings import check_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memn2n.qa.stories import Example

_PLAIN = TrainingConfig(epochs=40, linear_start_epochs=20, decay_every=15, validation=0, restarts=2)
_RENAMED = TrainingConfig(epochs=20, linear_start_epochs=10, decay_every=10, validation=0, restarts=2)
_GOOD_ENOUGH = 0.97  # networks of this skill are not trained again under renamings
_PROVEN = 0.8  # networks of this skill were trained under renamings that are right
_MOST_EXAMPLES = 2000  # of a task


@dataclass(frozen=True)
class Found:
    """The exchangeable words of a data set, and how they were found. Empty without the native engine.

    Args:
        symmetries: the symmetries, limited to the tasks in which they were found.
        evidence: all tests, in the order of the tasks.
        skill: task -> the share of held-out questions, beyond those of the most frequent answer, that the test
            networks answered; 0 without networks.
    """

    symmetries: Symmetries
    evidence: tuple[Evidence, ...]
    skill: dict[str, float]

    def rows(self) -> list[dict[str, Any]]:
        """The evidence as JSON values."""
        return [one._asdict() for one in self.evidence]


def find_symmetries(
    train_examples: Iterable[Example], lowercase: bool = True, seed: int = 0, threads: int | None = None
) -> Found:
    """Find the exchangeable words of training examples.

    Words with the same frames are proposed (see ``propose``), and words at the same place of names with the same
    frames, such as "pink rectangle" and "red square" (see ``find_units``). A pair of them is allowed or refused, task
    by task, by networks that answer held-out questions before and after a swap; where these are near chance, by other
    tasks with the same words; and else by the training examples themselves, which must be consistent with their
    swapped copies (see ``Patterns``). Where nothing was decided, networks see half of the candidates renamed, and
    decide about the other half if they are good. Networks that could not decide are then trained under renamings of the
    classes found so far, which makes them better, and decide about the rest. Pairs that are no symmetry alone are
    swapped with others.

    Without the native engine nothing is found, since the networks would take too long to train, and training examples
    alone allow wrong pairs.

    Args:
        train_examples: the training examples. The tasks of their labels are looked at one by one.
        lowercase: whether words that differ in upper and lower case are one word.
        seed: of the networks.
        threads: number of networks that are trained at a time, by default one for each core.

    Raises:
        InputError: if there is no example, or one is malformed.
        ConfigError: if there are more threads than cores, or the seed is no integer of at least 0.

    Warns:
        DataWarning: if the native engine cannot be used.
    """
    threads = choose_threads(threads)
    check_whole("seed", seed, 0)
    by_task: dict[str, list[Example]] = defaultdict(list)
    for example in check_examples(train_examples, "train"):
        by_task[example.task].append(example)
    missing = engine.unavailable()
    if missing:
        warnings.warn(f"symmetries are not looked for without the native engine: {missing}", DataWarning, stacklevel=2)
        return Found(Symmetries(), (), dict.fromkeys(by_task, 0.0))
    tasks = [Task(label, _some_of(examples), lowercase, seed) for label, examples in by_task.items()]
    pairs = {pair for task in tasks for pair in task.proposed}
    for task in tasks:
        task.propose_too(pairs)
    train([(task.networks, ()) for task in tasks if task.networks and task.tested], _PLAIN, threads)
    for task in tasks:
        task.ask_networks(task.tested, SKILLED)
    for task in tasks:
        task.ask_others([other for other in tasks if other is not task])
    for task in tasks:
        task.ask_patterns_about_units()
        task.ask_patterns()
    stuck = [task for task in tasks if task.networks and not task.classes and task.skill < SKILLED]
    _ask_halves(stuck, threads)
    weak = [task for task in tasks if task.networks and task.skill < _GOOD_ENOUGH and task.classes]
    train([(task.networks, tuple(task.classes)) for task in weak if task.networks], _RENAMED, threads)
    for task in weak:
        task.ask_networks([pair for pair in task.tested if not task.is_in_class(pair)],
                          _PROVEN if task in stuck else ABLE)  # fmt: skip
    for task in tasks:
        task.find_swaps()
    return Found(_joined(tasks), tuple(one for task in tasks for one in task.evidence),
                 {task.label: task.skill for task in tasks})  # fmt: skip


def _ask_halves(tasks: Sequence[Task], threads: int) -> None:
    """Find classes of tasks that have none, by networks that see half of the groups of candidates renamed.

    Good networks show that these renamings are right, and decide about the other groups, which they saw as written.
    """
    for first in range(2):
        stuck = [(task, task.networks, task.groups) for task in tasks
                 if task.networks and not task.classes and len(task.groups) > 1]  # fmt: skip
        plain = [(held_out.networks, held_out.before) for _, held_out, _ in stuck]
        train([(held_out, tuple(groups[first::2])) for _, held_out, groups in stuck], _RENAMED, threads)
        for (task, held_out, groups), last in zip(stuck, plain, strict=True):
            if held_out.networks is not last[0] and task.skill >= _PROVEN:
                task.ask_networks(
                    [pair for words in groups[1 - first :: 2] for pair in combinations(words, 2)], _PROVEN
                )
            held_out.networks, held_out.before = last


def _some_of(examples: list[Example]) -> list[Example]:
    """All questions of as many stories, evenly spaced, as give about the number that is looked at."""
    if len(examples) <= _MOST_EXAMPLES:
        return examples
    story = story_of_each(examples)
    number = story[-1] + 1
    chosen = np.linspace(0, number, round(number * _MOST_EXAMPLES / len(examples)), endpoint=False).astype(np.int64)
    return [one for one, taken in zip(examples, np.isin(story, chosen), strict=True) if taken]


def _joined(tasks: Sequence[Task]) -> Symmetries:
    """The symmetries of all tasks, each once, with the labels of its tasks unless there is only one task."""
    found: dict[WordClass | Swap, list[str]] = defaultdict(list)
    for task in tasks:
        in_swaps = {word for swap in task.swaps for pair in swap for word in pair}
        for words in task.classes:
            pair = len(words) == 2 and not in_swaps.isdisjoint(words)
            found[Swap(words[:1], words[1:]) if pair else WordClass(words)].append(task.label)
        for swap in task.swaps:
            first, second = zip(*swap, strict=True)
            found[Swap(first, second)].append(task.label)
    limited = [one._replace(tasks=tuple(labels) if len(tasks) > 1 else ()) for one, labels in found.items()]
    return Symmetries(tuple(one for one in limited if isinstance(one, WordClass)),
                      tuple(one for one in limited if isinstance(one, Swap)))  # fmt: skip
