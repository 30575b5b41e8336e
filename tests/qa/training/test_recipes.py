"""Recipes: which are trained, and which one is chosen."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from memn2n import NetworkConfig, Recipe, StoryQA, TrainingConfig, recipes, simulate, variant
from memn2n.errors import ConfigError, TrainingError
from memn2n.qa.parameters import Parameters
from memn2n.qa.recipes import choose_recipes
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training.problem import INTERRUPTED, Problem, Restart, TrainedNetwork
from memn2n.qa.training.restarts import train_recipes
from memn2n.qa.training.schedule import Score

EXAMPLES = simulate(task=1, n_train=40, n_test=0, seed=1).train
VOCABULARY = vocabulary_of(EXAMPLES)
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)


def train(
    losses: dict[int, float | None], monkeypatch: pytest.MonkeyPatch, stop: int | None = None, **settings: Any
) -> Any:
    """Choose among three recipes of three restarts with these losses by number; None is a diverged one."""
    begun = []

    def trained(self: Problem, number: int, on_epoch: Any) -> TrainedNetwork:
        begun.append(number)
        loss = losses[number]
        score = None if loss is None else Score(loss, 0.0)
        network = Parameters.draw(self.network, self.shape, np.random.default_rng(number))
        return TrainedNetwork(Restart(number, score, score, 0.0, INTERRUPTED if number == stop else ""), network)

    monkeypatch.setattr(Problem, "train", trained)
    training = TrainingConfig.from_dict({"restarts": 3, "select": "good"} | settings)
    problems = [
        Problem.make(stories=STORIES, network=NetworkConfig(dim=dim), training=training, backend="torch",
                     vocabulary_size=len(VOCABULARY))
        for dim in (3, 4, 5)
    ]  # fmt: skip
    problem, outcome = train_recipes(problems, lambda _event: None)
    kept = [restart.restart for restart in outcome.restarts if restart.kept]
    return begun, problem.network.dim, kept, outcome  # type: ignore[attr-defined]


def test_a_recipe_that_learns_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, dim, kept, _ = train({0: 0.002, 1: 0.5, 2: 0.01}, monkeypatch)
    assert (begun, dim, kept) == ([0, 1, 2], 3, [0, 2])


def test_the_recipe_of_the_best_network_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    losses: dict[int, float | None] = {0: 0.3, 1: 0.4, 3: 0.9, 4: 0.1, 5: 0.2, 6: 0.2, 7: None}
    begun, dim, kept, outcome = train(losses, monkeypatch)
    assert (begun, dim, kept) == ([0, 1, 3, 4, 6, 7, 5], 4, [4, 5])
    assert [restart.restart for restart in outcome.restarts] == sorted(losses)


@pytest.mark.parametrize("select", ["train", "validation"])
def test_one_network_is_kept_if_one_is_wanted(monkeypatch: pytest.MonkeyPatch, select: str) -> None:
    """Also if all restarts were trained to choose the recipe."""
    losses: dict[int, float | None] = {0: 0.5, 1: 0.4, 2: 0.1, 3: 0.2, 4: 0.9, 5: 0.9}
    monkeypatch.setattr("memn2n.qa.training.problem._check_needs_no_validation", lambda _: None)
    _, dim, kept, outcome = train(losses, monkeypatch, restarts=2, select=select)
    assert (dim, kept, len(outcome.networks)) == (4, [2], 1)


def test_recipes_that_diverge_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    _, dim, kept, _ = train({0: None, 1: None, 3: None, 4: None, 6: None, 7: 2.0, 8: 2.0}, monkeypatch)
    assert (dim, kept) == (5, [7, 8])
    with pytest.raises(TrainingError, match="every restart failed"):
        train(dict.fromkeys(range(9)), monkeypatch)


@pytest.mark.parametrize(("stop", "dim"), [(0, 3), (4, 4), (5, 4)])
def test_ctrl_c_keeps_what_is_trained(monkeypatch: pytest.MonkeyPatch, stop: int, dim: int) -> None:
    begun, found, kept, outcome = train({0: 0.3, 1: 0.4, 3: 0.9, 4: 0.1, 6: 0.2, 7: 0.2, 5: 0.2}, monkeypatch, stop)
    assert begun[-1] == stop
    assert found == dim
    assert kept
    assert any(restart.stopped == INTERRUPTED for restart in outcome.restarts)
    numbers = [restart.restart for restart in outcome.restarts]
    assert len(set(numbers)) == len(numbers)


def test_the_variants() -> None:
    assert variant("official") == Recipe(NetworkConfig(), TrainingConfig())
    assert len(recipes("best")) == len(recipes("quick")) == 3
    assert len(recipes("best", joint=True)) == 1
    assert recipes("paper", joint=True) == recipes("paper") == (variant("paper"),)
    for best, quick in zip(recipes("best"), recipes("quick"), strict=True):
        assert quick.network == best.network
        assert (quick.training.restarts, quick.training.epochs) == (1, best.training.epochs // 3)
    with pytest.raises(ConfigError, match=r"variant is best, which has 3 recipes; see memn2n\.recipes"):
        variant("best")


def test_what_is_given_is_trained() -> None:
    mine = Recipe(NetworkConfig(dim=7), TrainingConfig(epochs=3))
    assert choose_recipes(None, None, None, {}, joint=False) == recipes("quick")
    assert choose_recipes(None, None, None, {}, joint=True) == recipes("quick", joint=True)
    assert choose_recipes([mine], None, None, {"seed": 5, "restarts": None}, joint=False) == (
        Recipe(mine.network, dataclasses.replace(mine.training, seed=5)),
    )
    assert choose_recipes(None, mine.network, None, {}, joint=False) == (Recipe(mine.network, TrainingConfig()),)


@pytest.mark.parametrize(("given", "message"), [
    ({"recipes": []}, "recipes is empty: give at least one"),
    ({"recipes": [3]}, r"recipes has 3: it must be memn2n.Recipe\(network, training\)"),
    ({"recipes": recipes("official")[0]}, "recipes has NetworkConfig"),
    ({"recipes": 7}, "recipes has 7"),
    ({"recipes": recipes("best"), "network": NetworkConfig()}, "recipes cannot be given together with network"),
])  # fmt: skip
def test_wrong_recipes_are_refused(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        StoryQA.fit(EXAMPLES, **given)
