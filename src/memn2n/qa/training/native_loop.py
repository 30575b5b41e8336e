"""The training loop of the native engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from memn2n.qa import engine
from memn2n.qa.networks import SOFTMAX
from memn2n.qa.training.schedule import Score

if TYPE_CHECKING:
    from memn2n.qa.batch import Longs
    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.engine._native import Stories, Trainer
    from memn2n.qa.networks import Stage
    from memn2n.qa.parameters import Parameters
    from memn2n.qa.stories import StorySet
    from memn2n.qa.symmetries.renaming import Renamings


class NativeLoop:
    """Implements ``memn2n.qa.training.schedule.Loop``. Python's global lock is released while it computes.

    ``rng`` draws only the seed of the engine's random numbers and the renamings. The engine trains on the CPU;
    ``device`` is ignored.
    """

    def __init__(
        self, parameters: Parameters, stories: StorySet, examples: Longs, config: TrainingConfig,
        rng: np.random.Generator, device: str = "cpu", renamings: Renamings | None = None,  # noqa: ARG002
    ) -> None:  # fmt: skip
        self._renamings, self._rng = renamings, rng
        self._parameters, self._config = parameters, config
        self._network = engine.native_network(parameters)
        # by id; holding the StorySet keeps its id from being reused
        self._stories = {id(stories): (stories, engine.native_stories(stories))}
        self._examples = stories, np.asarray(examples, np.int64)
        self.trainer = self._new_trainer()

    def _new_trainer(self) -> Trainer:
        config, (stories, examples) = self._config, self._examples
        return engine._native.Trainer(
            self._network, self._of(stories), examples, batch_size=config.batch_size, clip_norm=config.clip_norm,
            clip=config.clip, optimizer=config.optimizer, noise=config.noise, noise_rate=config.noise_rate,
            unknown_rate=config.unknown_rate,
            sampling="permutation" if config.sampling == "permutation" else "replacement",
            seed=int(self._rng.integers(2**63)), groups=None if self._renamings is None else self._renamings.group,
        )  # fmt: skip

    def begin_anew(self) -> None:
        """Draw the parameters again, and forget what the optimizer knows."""
        self._parameters.draw_again(self._rng, self._config.init_std)
        self.trainer = self._new_trainer()

    def epoch(self, rate: float, stage: Stage, order: Longs | None = None) -> Score:
        """Train for an epoch, up to the first loss that is not finite."""
        batches = self.trainer.batches() if order is None else -(-len(order) // self._config.batch_size)
        names = None if self._renamings is None else self._renamings.draw(batches, self._rng)
        return Score.of(*self.trainer.epoch(rate, stage.linear, stage.supervision, names, order))

    def score(self, stories: StorySet, examples: Longs, stage: Stage = SOFTMAX) -> Score:
        """Loss and error on some examples, without noise."""
        return Score.of(*self._network.score(self._of(stories), examples, stage.linear), len(examples))

    def keep(self) -> None:
        """Do nothing: Ctrl-C takes effect only between epochs."""

    def restore(self) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing: the engine trains the arrays themselves."""

    def _of(self, stories: StorySet) -> Stories:
        if id(stories) not in self._stories:
            self._stories[id(stories)] = stories, engine.native_stories(stories)
        return self._stories[id(stories)][1]
