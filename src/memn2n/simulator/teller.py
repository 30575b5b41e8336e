"""What writes a story down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.qa.stories import Example
from memn2n.simulator.phrases import fill

if TYPE_CHECKING:
    from memn2n.simulator.dice import Dice
    from memn2n.simulator.world import World


class Teller:
    """One story, sentence by sentence, with its questions.

    Args:
        world: the words.
        dice: what decides.
        task: the label of the examples.
    """

    def __init__(self, world: World, dice: Dice, task: str) -> None:
        self.world = world
        self.dice = dice
        self.task = task
        self.story: list[str] = []
        self.examples: list[Example] = []

    def say(self, phrase: str, **names: str) -> int:
        """Add a sentence to the story.

        Returns:
            Its position.
        """
        self.story.append(fill(self.world.phrases[phrase], names))
        return len(self.story) - 1

    def ask(self, phrase: str, answer: str, *support: int, **names: str) -> None:
        """Ask a question about the story so far; ``support`` are the positions of the facts that it follows from."""
        question = fill(self.world.phrases[phrase], names)
        self.examples.append(Example(tuple(self.story), question, answer, support, self.task))

    def answer(self, truth: bool) -> str:
        """The world's yes or no."""
        return self.world.phrases["yes" if truth else "no"]
