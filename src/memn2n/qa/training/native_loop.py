"""The training loop of the native engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from memn2n.qa import engine
from memn2n.qa.training.schedule import Score

if TYPE_CHECKING:
    from memn2n.qa.batch import Longs
    from memn2n.qa.config import TrainingConfig
    from memn2n.qa.engine._native import Stories
    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet


class NativeLoop:
    """Implements ``memn2n.qa.training.schedule.Loop``. Python's global lock is released while it computes.

    ``rng`` draws only the seed of the engine's random numbers. The network's parameters must be on the CPU.
    """

    def __init__(
        self, network: QANetwork, stories: StorySet, examples: Longs, config: TrainingConfig, rng: np.random.Generator
    ) -> None:
        self._network = engine.native_network(network)
        # by id; holding the StorySet keeps its id from being reused
        self._stories = {id(stories): (stories, engine.native_stories(stories))}
        self.trainer = engine._native.Trainer(
            self._network, self._of(stories), np.asarray(examples, np.int64), batch_size=config.batch_size,
            clip_norm=config.clip_norm, clip=config.clip, optimizer=config.optimizer, noise=config.noise,
            noise_rate=config.noise_rate, unknown_rate=config.unknown_rate, sampling=config.sampling,
            seed=int(rng.integers(2**63)),
        )  # fmt: skip

    def epoch(self, rate: float, linear: bool) -> Score:
        """Train for an epoch, up to the first loss that is not finite."""
        return Score.of(*self.trainer.epoch(rate, linear))

    def score(self, stories: StorySet, examples: Longs, *, linear: bool = False) -> Score:
        """Loss and error on some examples, without noise."""
        return Score.of(*self._network.score(self._of(stories), examples, linear), len(examples))

    def keep(self) -> None:
        """Do nothing: Ctrl-C takes effect only between epochs."""

    def restore(self) -> None:
        """Do nothing."""

    def _of(self, stories: StorySet) -> Stories:
        if id(stories) not in self._stories:
            self._stories[id(stories)] = stories, engine.native_stories(stories)
        return self._stories[id(stories)][1]
