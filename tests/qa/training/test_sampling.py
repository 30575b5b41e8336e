"""Which questions an epoch has with sampling "hard"."""

from typing import Any

import numpy as np
import pytest

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.errors import ConfigError
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training import sampling as module
from memn2n.qa.training.sampling import Sampling
from memn2n.qa.training.schedule import Score

LONG, SHORT = ("a went.",) * 12, ("a went.",) * 3
EXAMPLES = [Example(LONG if i % 2 else SHORT, "where is a?", "there", task=task) for task in "xyz" for i in range(40)]
EXAMPLES += [Example(LONG, "where is a?", "there", task="long")] * 40
STORIES = StorySet.encode(EXAMPLES, vocabulary_of(EXAMPLES))
TRAINED = np.arange(0, len(EXAMPLES), 1)
LOSSES = {"x": 0.0, "y": 0.05, "z": 2.0, "long": 0.1}


class Loop:
    """A loop with these losses."""

    tests = 0

    def score(self, stories: StorySet, examples: Any, stage: Any = None) -> Score:
        self.tests += 1
        (task,) = set(stories.task[examples].tolist())
        return Score(LOSSES[stories.tasks[task]], 0.0)


def sampling(config: TrainingConfig, stories: StorySet = STORIES) -> Sampling:
    made = Sampling.of(stories, np.arange(len(stories)), config, np.random.default_rng(0))
    assert made is not None
    return made


def shares(drawn: Any) -> dict[str, float]:
    return {task: float(np.mean(STORIES.task[drawn] == i)) for i, task in enumerate(STORIES.tasks)}


def test_tasks_that_are_not_learned_have_more_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUESTIONS_BETWEEN_TESTS", 5 * 160)
    made, loop = sampling(TrainingConfig(sampling="hard", batch_size=40)), Loop()
    drawn = np.concatenate([made.draw(loop, False, epoch) for epoch in range(1, 41)])  # type: ignore[arg-type]
    assert len(drawn) == 40 * 160
    found = shares(drawn)
    total = 0.1 + 0.5 + 1 + 1
    for task, share in {"x": 0.1, "y": 0.5, "z": 1, "long": 1}.items():
        assert found[task] == pytest.approx(share / total, rel=0.15)
    assert loop.tests == 4 * 8, "each task every five epochs"


def test_the_linear_start_draws_all_tasks_alike() -> None:
    made, loop = sampling(TrainingConfig(sampling="hard", batch_size=160)), Loop()
    drawn = np.concatenate([made.draw(loop, True, epoch) for epoch in range(1, 41)])  # type: ignore[arg-type]
    assert all(share == pytest.approx(0.25, rel=0.15) for share in shares(drawn).values())
    assert loop.tests == 0


def test_the_first_epochs_have_short_stories_only() -> None:
    made, loop = sampling(TrainingConfig(sampling="hard", short_epochs=2, short_story=5)), Loop()
    for linear, epoch in ((True, 1), (True, 9), (False, 1), (False, 2)):
        lengths = np.diff(STORIES.story_start)[made.draw(loop, linear, epoch)]  # type: ignore[arg-type]
        assert set(lengths.tolist()) == {3}
    lengths = np.diff(STORIES.story_start)[made.draw(loop, False, 3)]  # type: ignore[arg-type]
    assert set(lengths.tolist()) == {3, 12}


def test_without_short_stories_all_are_drawn() -> None:
    made = sampling(TrainingConfig(sampling="hard", short_epochs=2, short_story=1))
    assert set(np.diff(STORIES.story_start)[made.draw(Loop(), False, 1)].tolist()) == {3, 12}  # type: ignore[arg-type]


def test_only_the_training_examples_are_drawn() -> None:
    chosen = np.arange(0, len(EXAMPLES), 3)
    config = TrainingConfig(sampling="hard", short_epochs=1)
    made = Sampling.of(STORIES, chosen, config, np.random.default_rng(0))
    assert made is not None
    for epoch in (1, 2):
        assert set(made.draw(Loop(), False, epoch).tolist()) <= set(chosen.tolist())  # type: ignore[arg-type]


def test_other_samplings_are_the_loops() -> None:
    assert Sampling.of(STORIES, TRAINED, TrainingConfig(), np.random.default_rng(0)) is None
    with pytest.raises(ConfigError, match="short_epochs is 3, but sampling is replacement: it needs hard"):
        TrainingConfig(short_epochs=3)


@pytest.mark.parametrize("backend", ["native", "torch"])
def test_both_backends_learn_by_it(backend: Any) -> None:
    train, test = simulate(task=1, n_train=400, n_test=100, seed=1)
    config = TrainingConfig(
        sampling="hard", short_epochs=5, epochs=25, linear_start_epochs=5, restarts=1, batch_size=16
    )
    model = StoryQA.fit(train, network=NetworkConfig(), training=config, backend=backend)
    assert model.evaluate(test).error < 0.3
