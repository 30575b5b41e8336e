"""The stories that are measured with, and what trains on them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

import memn2n
from memn2n import Example, NetworkConfig, TrainingConfig
from memn2n.qa.data import read_stories
from memn2n.qa.networks.memn2n import QANetwork
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training.backends import make_loop
from memn2n.qa.training.problem import Problem
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
        """Encode examples with their own words."""
        vocabulary = vocabulary_of(examples)
        return cls(examples, vocabulary, StorySet.encode(examples, vocabulary))

    @classmethod
    def read(cls, data: Path | None, task: int, n: int = 1000) -> Workload:
        """The training questions of a task in a folder of bAbI files; without one, ``n`` simulated ones."""
        if data is None:
            return cls.of(memn2n.simulate(task=task, n_train=n, n_test=0, seed=0).train)
        return cls.of(read_stories(data, "train", task))

    @classmethod
    def made_up(cls, sentences: int, n: int = 1000) -> Workload:
        """Questions about stories of just so many sentences each: who went where, at random."""
        rng, world = random.Random(0), World()

        def sentence() -> str:
            return f"{rng.choice(world.people)} {rng.choice(world.moves)} to the {rng.choice(world.places)}."

        return cls.of([
            Example(tuple(sentence() for _ in range(sentences)), f"Where is {rng.choice(world.people)}?",
                    rng.choice(world.places))
            for _ in range(n)
        ])  # fmt: skip

    def problem(
        self, backend: str, network: NetworkConfig | None = None, training: TrainingConfig | None = None
    ) -> Problem:
        """What to train; the settings are the default ones (position encoding, linear start, random noise)."""
        return Problem.make(self.stories, None, network or NetworkConfig(), training or TrainingConfig(),
                            len(self.vocabulary), BACKENDS[backend])  # fmt: skip


def fresh_loop(problem: Problem) -> tuple[QANetwork, Loop]:
    """A network that is not trained yet, and the loop that trains it."""
    rng = np.random.default_rng(0)
    network = QANetwork(problem.network, problem.shape, init_std=problem.training.init_std)
    return network, make_loop(problem.backend, network, problem.stories, problem.examples, problem.training, rng)


def questions_of_epoch(problem: Problem) -> int:
    """How many questions an epoch trains on, drawn with replacement."""
    size = problem.training.batch_size
    return max(len(problem.examples) // size, 1) * min(size, len(problem.examples))
