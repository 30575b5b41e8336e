"""Write one story: its sentences and its questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.qa.stories import BabiTask, Example
from memn2n.simulator.phrases import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from memn2n.simulator.random_choices import RandomChoices
    from memn2n.simulator.world import World

MAX_AGE = 5
"""Questions are about one of the last ``MAX_AGE`` sentences."""

RECENCY_WEIGHTS = (5, 4, 3, 2)
"""Relative probabilities that a question is about the name mentioned last, last but one, and so on."""

_QUESTIONS = 5
"""Number of questions in a story."""

_MAX_STEPS = 1000
"""A story ends after this many steps, even if it has fewer questions than it should."""


class StoryWriter:
    """A story in the making; its examples have the label ``task``."""

    def __init__(self, world: World, rng: RandomChoices, task: str) -> None:
        self.world = world
        self.rng = rng
        self.task = BabiTask(task)
        self.story: list[str] = []
        """The sentences so far."""
        self.examples: list[Example] = []
        """The questions so far, each with the sentences before it."""

    def write(self, phrase: str, **names: str) -> int:
        """Add a sentence, from a key of ``PHRASES`` and the names for its placeholders, and return its position."""
        self.story.append(fill(self.world.phrases[phrase], names))
        return len(self.story) - 1

    def ask(self, phrase: str, answer: str, *support: int, **names: str) -> None:
        """Add a question about the story so far; ``support`` holds the positions of the supporting facts."""
        question = fill(self.world.phrases[phrase], names)
        self.examples.append(Example(tuple(self.story), question, answer, support, self.task))

    def yes_or_no(self, truth: bool) -> str:
        """The world's word for yes or no."""
        return self.world.phrases["yes" if truth else "no"]

    def alternate(self, step: Callable[[], None], ask: Callable[[], None]) -> None:
        """Call ``step`` twice and ``ask`` once, until the story has all its questions.

        ``step`` adds at most one sentence, ``ask`` at most one question.
        """
        for _ in range(_MAX_STEPS // 2):
            step()
            step()
            ask()
            if len(self.examples) >= _QUESTIONS:
                return

    def recent(
        self, mentioned: Mapping[str, int], weights: Sequence[float] = RECENCY_WEIGHTS, max_age: int = MAX_AGE
    ) -> str | None:
        """Choose a name that was mentioned recently.

        Args:
            mentioned: name -> position of the last sentence that mentions it.
            weights: relative probabilities, from the name mentioned last backwards.
            max_age: only names mentioned in the last ``max_age`` sentences are considered.

        Returns:
            The name; None if there is none.
        """
        names = sorted(mentioned, key=mentioned.__getitem__, reverse=True)
        names = [name for name in names if len(self.story) - mentioned[name] <= max_age]
        return self.rng.weighted(names, weights) if names else None
