"""Which questions an epoch has: more of those tasks that the network has not learned yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from memn2n.qa.networks import Stage

if TYPE_CHECKING:
    from memn2n.qa.batch import Longs
    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.schedule import Loop

_LEARNED = 0.1  # nats; the share of a task falls below this training loss
_LEAST = 0.1  # of the largest share
_QUESTIONS_BETWEEN_TESTS = 100_000
_TESTED = 200  # questions of each task


class Sampling:
    """Draws the questions of each epoch for ``sampling`` hard and ``short_epochs`` of TrainingConfig.

    Args:
        stories: the training data.
        examples: positions in it of the examples to train on.
        config: the settings of the training.
        rng: source of randomness.
    """

    def __init__(self, stories: StorySet, examples: Longs, config: TrainingConfig, rng: np.random.Generator) -> None:
        self._stories, self._config, self._rng = stories, config, rng
        of_tasks = [examples[stories.task[examples] == task] for task in range(len(stories.tasks))]
        self._of_tasks = [some for some in of_tasks if len(some)]
        short = np.diff(stories.story_start) <= config.short_story
        self._short = [some[short[some]] for some in self._of_tasks]
        self._tested = [np.sort(rng.permutation(some)[:_TESTED]) for some in self._of_tasks]
        self._shares = np.ones(len(self._of_tasks))
        self._size = max(len(examples) // config.batch_size, 1) * min(config.batch_size, len(examples))
        self._untested = _QUESTIONS_BETWEEN_TESTS  # questions drawn since the last test

    @classmethod
    def of(
        cls, stories: StorySet, examples: Longs, config: TrainingConfig, rng: np.random.Generator
    ) -> Self | None:  # fmt: skip
        """The sampling of a training; None if its loop draws the questions."""
        return cls(stories, examples, config, rng) if config.sampling == "hard" else None

    def draw(self, loop: Loop, linear: bool, epoch: int) -> Longs:
        """Draw the questions of an epoch: positions in the training data.

        Args:
            loop: the loop, whose losses decide.
            linear: whether the epoch is one of the linear start.
            epoch: its number in its phase, from 1.
        """
        if not linear and self._untested >= _QUESTIONS_BETWEEN_TESTS:
            self._untested = 0
            losses = [loop.score(self._stories, some, Stage(linear)).loss for some in self._tested]
            self._shares = np.clip(np.nan_to_num(np.array(losses) / _LEARNED, nan=1.0), _LEAST, 1)
        self._untested += 0 if linear else self._size
        pools = self._of_tasks
        if self._config.short_epochs and (linear or epoch <= self._config.short_epochs) and any(map(len, self._short)):
            pools = self._short
        shares = np.where([len(pool) > 0 for pool in pools], self._shares, 0.0)
        task = self._rng.choice(len(pools), self._size, p=shares / shares.sum())
        chosen = np.empty(self._size, np.int64)
        for position, pool in enumerate(pools):
            drawn = task == position
            chosen[drawn] = self._rng.choice(pool, int(drawn.sum())) if len(pool) else 0
        return chosen
