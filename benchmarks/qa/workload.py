"""The stories of the benchmarks, and the loops that train on them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

import memn2n
from memn2n import Example, NetworkConfig, TrainingConfig
from memn2n.qa.data import read_stories
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training.problem import Problem, loop_of
from memn2n.simulator.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from memn2n.qa.training.schedule import Loop
    from memn2n.qa.vocabulary import Vocabulary

BACKENDS: dict[str, Literal["native", "torch"]] = {"engine": "native", "pytorch": "torch"}


@dataclass(frozen=True)
class Workload:
    """Questions about stories, as text and encoded."""

    examples: list[Example]
    vocabulary: Vocabulary
    stories: StorySet

    @classmethod
    def of(cls, examples: list[Example]) -> Workload:
        """Encode examples with a vocabulary of their own."""
        vocabulary = vocabulary_of(examples)
        return cls(examples, vocabulary, StorySet.encode(examples, vocabulary))

    @classmethod
    def read(cls, data: Path | None, task: int, n: int = 1000) -> Workload:
        """The training questions of a task in a folder of bAbI files; without a folder, ``n`` simulated questions."""
        if data is None:
            return cls.of(memn2n.simulate(task=task, n_train=n, n_test=0, seed=0).train)
        return cls.of(read_stories(data, "train", task))

    @classmethod
    def made_up(cls, sentences: int, n: int = 1000) -> Workload:
        """Questions about random stories with this number of sentences each."""
        rng, world = random.Random(0), World()

        def sentence() -> str:
            return f"{rng.choice(world.people)} {rng.choice(world.moves)} to the {rng.choice(world.places)}."

        return cls.of([
            Example(
                story=tuple(sentence() for _ in range(sentences)),
                question=f"Where is {rng.choice(world.people)}?",
                answer=rng.choice(world.places),
            )
            for _ in range(n)
        ])  # fmt: skip

    def problem(
        self, backend: str, network: NetworkConfig | None = None, training: TrainingConfig | None = None
    ) -> Problem:
        """The training problem, with the default settings unless others are given."""
        return Problem.make(
            stories=self.stories,
            network=network or NetworkConfig(),
            training=training or TrainingConfig(),
            vocabulary_size=len(self.vocabulary),
            backend=BACKENDS[backend],
        )


def fresh_loop(problem: Problem) -> tuple[Parameters, Loop]:
    """An untrained network, and the loop that trains it."""
    rng = np.random.default_rng(0)
    network = Parameters.draw(problem.network, problem.shape, rng, problem.training.init_std)
    return network, loop_of(problem.backend)(network, problem.stories, problem.examples, problem.training, rng)


def questions_of_epoch(problem: Problem) -> int:
    """The number of questions in an epoch, drawn with replacement."""
    size = problem.training.batch_size
    return max(len(problem.examples) // size, 1) * min(size, len(problem.examples))
