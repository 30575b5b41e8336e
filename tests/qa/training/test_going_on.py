"""Trainings that go on from a model."""

from __future__ import annotations

import numpy as np
import pytest

from memn2n import DataWarning, Example, NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.errors import ConfigError, InputError

TRAIN, TEST = simulate(task=1, n_train=100, n_test=20, seed=0)
QUICK = TrainingConfig(epochs=2, linear_start="none", restarts=2, select="ensemble")


@pytest.fixture(scope="module")
def model() -> StoryQA:
    return StoryQA.fit(TRAIN[:60], network=NetworkConfig(dim=5, hops=1), training=QUICK)


@pytest.mark.parametrize("backend", ["native", "torch"])
def test_a_training_goes_on_from_the_networks_of_a_model(model: StoryQA, backend: str) -> None:
    if backend == "native":
        pytest.importorskip("memn2n.qa.engine._native")
    before = [{name: array.copy() for name, array in one.arrays.items()} for one in model.networks]
    still = TrainingConfig(epochs=1, learning_rate=1e-30, restarts=2, select="ensemble")
    same = StoryQA.fit(TRAIN[60:], start=model, training=still, backend=backend)  # type: ignore[arg-type]
    for one, kept, old in zip(same.networks, model.networks, before, strict=True):
        for name, array in old.items():
            np.testing.assert_array_equal(one.arrays[name], array)
            np.testing.assert_array_equal(kept.arrays[name], array)
    assert same.vocabulary == model.vocabulary
    assert same.network.shape == model.network.shape


def test_by_default_all_networks_are_trained_once_more_without_a_linear_start(model: StoryQA) -> None:
    phases = set()
    longer = StoryQA.fit(TRAIN, start=model, on_event=lambda event: phases.add(getattr(event, "phase", "softmax")))
    assert phases == {"softmax"}
    assert len(longer.networks) == len(model.networks) == 2
    assert longer.evaluate(TRAIN[60:]).error < model.evaluate(TRAIN[60:]).error
    assert set(model.fingerprints) < set(longer.fingerprints)


def test_words_and_answers_that_the_model_does_not_know(model: StoryQA) -> None:
    story = TRAIN[0].story
    with pytest.warns(DataWarning, match="does not know zanzibar"):
        StoryQA.fit([*TRAIN[:30], Example((*story, "Zanzibar."), TRAIN[0].question, TRAIN[0].answer)], start=model,
                    training=QUICK)  # fmt: skip
    with pytest.raises(InputError, match="lacks the answer 'zanzibar'"):
        StoryQA.fit([Example(story, TRAIN[0].question, "zanzibar")], start=model, training=QUICK)


def test_what_the_model_determines_cannot_be_given(model: StoryQA) -> None:
    with pytest.raises(ConfigError, match="network cannot be chosen"):
        StoryQA.fit(TRAIN, start=model, network=NetworkConfig())
    with pytest.raises(ConfigError, match="candidates cannot be chosen"):
        StoryQA.fit(TRAIN, start=model, candidates=["a"])
