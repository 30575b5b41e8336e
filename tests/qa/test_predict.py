"""Predictions of networks."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import Example, NetworkConfig, StoryQA
from memn2n.qa import engine
from memn2n.qa import predict as predictions
from memn2n.qa.networks import NETWORKS
from memn2n.qa.predict import predict
from memn2n.qa.stories import StorySet

engine_built = not engine.unavailable()


def test_predictions_are_complete_and_in_order(qa: StoryQA, examples: list[Example]) -> None:
    many = examples * 4  # more than one batch
    stories = StorySet.encode(many, qa.vocabulary)
    found = list(predict(qa.network, stories))
    assert len(found) > 1
    assert np.concatenate([part.examples for part in found]).tolist() == list(range(len(many)))
    for part in found:
        assert part.probabilities.shape == (len(part.examples), len(qa.vocabulary) - 2)
        assert part.attention.shape[:2] == (NetworkConfig().hops, len(part.examples))


def test_the_executors_agree_and_are_chosen_in_order(
    qa: StoryQA, examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine, else NumPy, else PyTorch."""
    stories = StorySet.encode(examples[:300], qa.vocabulary)
    used: list[str] = []
    for name in ("_by_engine", "_by_numpy", "_by_torch"):
        compute = getattr(predictions, name)
        monkeypatch.setattr(predictions, name, partial(record, used, name, compute))
    found = [list(predict(qa.network, stories))]
    monkeypatch.setattr(engine, "_missing", "it was not built")
    found.append(list(predict(qa.network, stories)))
    monkeypatch.setitem(NETWORKS, "memn2n", replace(NETWORKS["memn2n"], forward=None))
    found.append(list(predict(qa.network, stories)))
    for parts in found[1:]:
        for field in ("probabilities", "attention"):
            mine, theirs = (
                np.concatenate([getattr(part, field).reshape(-1) for part in some]) for some in (found[0], parts)
            )
            np.testing.assert_allclose(np.sort(mine[mine > 0]), np.sort(theirs[theirs > 0]), atol=1e-5)
    assert used[-2:] == ["_by_numpy", "_by_torch"]
    assert used[0] == ("_by_engine" if engine_built else "_by_numpy")


def record(used: list[str], name: str, compute: Any, *arguments: Any) -> Any:
    used.append(name)
    return compute(*arguments)


def test_gradients_stay_on_between_predictions(
    qa: StoryQA, examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller may train between two batches."""
    stories = StorySet.encode(examples, qa.vocabulary)
    monkeypatch.setattr(engine, "_missing", "it was not built")
    monkeypatch.setitem(NETWORKS, "memn2n", replace(NETWORKS["memn2n"], forward=None))  # PyTorch computes
    for _ in predict(qa.network, stories):
        assert torch.is_grad_enabled()
