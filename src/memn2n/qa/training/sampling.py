"""Which questions an epoch has: more of those tasks that the network has not learned yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.schedule import Loop, Phase

_LEARNED = 0.1  # nats; the share of a task falls below this training loss
_LEAST = 0.1  # of the largest share
_HARD = 0.5  # of the entropy of a task's answers
_QUESTIONS_BETWEEN_TESTS = 100_000
_TESTED = 200  # questions of each task


class Sampling:
    """Draws the questions of each epoch for ``sampling`` hard and ``hard_first`` of TrainingConfig.

    Args:
        stories: the training data.
        examples: positions in it of the examples to train on.
        config: the settings of the training.
        rng: source of randomness.
        pilot: whether hard tasks may be found by a pilot training, after which the network starts anew.
    """

    def __init__(
        self, stories: StorySet, examples: Longs, config: TrainingConfig, rng: np.random.Generator, *,
        pilot: bool = True,
    ) -> None:  # fmt: skip
        self._stories, self._config, self._rng = stories, config, rng
        of_tasks = [examples[stories.task[examples] == task] for task in range(len(stories.tasks))]
        self._of_tasks = [some for some in of_tasks if len(some)]
        self._tested = [np.sort(rng.permutation(some)[:_TESTED]) for some in self._of_tasks]
        self._shares = np.ones(len(self._of_tasks))
        self._hard: npt.NDArray[np.bool_] | None = None
        self._size = max(len(examples) // config.batch_size, 1) * min(config.batch_size, len(examples))
        self._untested = _QUESTIONS_BETWEEN_TESTS  # questions drawn since the last test
        self.needs_pilot = pilot and config.hard_first > 0 and len(self._of_tasks) > 1

    @classmethod
    def of(
        cls, stories: StorySet, examples: Longs, config: TrainingConfig, rng: np.random.Generator, *, pilot: bool = True
    ) -> Self | None:
        """The sampling of a training; None if its loop draws the questions."""
        return cls(stories, examples, config, rng, pilot=pilot) if config.sampling == "hard" else None

    def draw(self, loop: Loop, phase: Phase, epoch: int) -> Longs:
        """Draw the questions of an epoch: positions in the training data.

        Args:
            loop: the loop, whose losses decide.
            phase: the phase of the epoch.
            epoch: its number in its phase, from 1.
        """
        if phase != "linear" and self._untested >= _QUESTIONS_BETWEEN_TESTS:
            self._untested = 0
            self._shares = np.clip(np.nan_to_num(self._losses(loop) / _LEARNED, nan=1.0), _LEAST, 1)
        self._untested += 0 if phase == "linear" else self._size
        shares = self._shares
        if self._hard is not None and (phase == "linear" or epoch <= self._config.hard_epochs):
            shares = np.where(self._hard, shares, 0)
        task = self._rng.choice(len(shares), self._size, p=shares / shares.sum())
        chosen = np.empty(self._size, np.int64)
        for position, of_task in enumerate(self._of_tasks):
            drawn = task == position
            chosen[drawn] = self._rng.choice(of_task, int(drawn.sum()))
        return chosen

    def choose_hard_tasks(self, loop: Loop) -> None:
        """Choose the hard tasks by the losses after the pilot training."""
        entropy = np.array([self._entropy(some) for some in self._of_tasks])
        hard = self._losses(loop) > np.maximum(_HARD * entropy, _LEARNED)
        self._hard = hard if hard.any() and not hard.all() else None
        self._shares = np.ones(len(self._of_tasks))
        self._untested = _QUESTIONS_BETWEEN_TESTS

    def _losses(self, loop: Loop) -> npt.NDArray[np.float64]:
        return np.array([loop.score(self._stories, some).loss for some in self._tested])

    def _entropy(self, some: Longs) -> float:
        """The entropy of the answers to some questions, in nats: the loss of their frequencies."""
        frequency = np.unique(self._stories.answer[some], return_counts=True)[1] / len(some)
        return float(-(frequency * np.log(frequency)).sum())
