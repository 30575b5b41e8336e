"""Predictions of networks."""

import copy

import numpy as np
import torch

from memn2n import Example, StoryQA
from memn2n.qa.predict import predict
from memn2n.qa.stories import StorySet


def test_predictions_are_complete_and_in_order(qa: StoryQA, examples: list[Example]) -> None:
    many = examples * 4  # more than one batch
    stories = StorySet.encode(many, qa.vocabulary)
    found = list(predict(qa.network, stories))
    assert len(found) > 1
    assert np.concatenate([part.examples for part in found]).tolist() == list(range(len(many)))
    for part in found:
        assert part.probabilities.shape == (len(part.examples), len(qa.vocabulary) - 2)
        assert part.attention.shape[:2] == (qa.network.config.hops, len(part.examples))


def test_gradients_stay_on_between_predictions(qa: StoryQA, examples: list[Example]) -> None:
    """With both backends: the caller may train between two batches."""
    stories = StorySet.encode(examples, qa.vocabulary)
    for network in (qa.network, copy.deepcopy(qa.network).double()):  # PyTorch computes float64
        for _ in predict(network, stories):
            assert torch.is_grad_enabled()
