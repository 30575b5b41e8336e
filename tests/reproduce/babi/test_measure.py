"""Which restart is selected, and the figures over restarts."""

from __future__ import annotations

from statistics import fmean, stdev

import numpy as np
import pytest
import torch

from memn2n import Example, NetworkConfig
from memn2n.qa.networks.memn2n import DataShape, QANetwork
from memn2n.qa.stories import StorySet
from memn2n.qa.training.problem import Restart, Trained
from memn2n.qa.training.schedule import Score
from memn2n.qa.vocabulary import SPECIAL, Vocabulary
from memn2n.reproduce.babi.measure import TaskErrors, measure, select

WORDS = Vocabulary(("a", "b", "c"))
QUESTIONS = [Example(("a b.",), "c?", answer, task=task) for task, answer in
             (("1", "a"), ("1", "b"), ("1", "a"), ("1", "unheard"), ("7", "b"))]  # fmt: skip
STORIES = StorySet.encode(QUESTIONS, WORDS)


def restart(number: int, train: float | None, valid: float | None) -> Restart:
    score, valid_score = (None if loss is None else Score(loss, 0.5) for loss in (train, valid))
    return Restart(number, score, valid_score, 1.0, "diverged" if train is None else "")


def saying(answer: str, surely: float) -> QANetwork:
    """A network that gives the same answer to each question."""
    shape = DataShape(len(WORDS), longest_sentence=2, slots=1)
    config = NetworkConfig(dim=1, hops=1, encoding="bow", temporal="none", tying="layerwise")
    network = QANetwork(config, shape, torch.Generator())
    A, C, B, W = network.tables
    with torch.no_grad():
        for table in (A, C, W):
            table.zero_()
        assert network.H is not None
        network.H.fill_(1.0)
        B.fill_(1.0)
        W[WORDS.words.index(answer) + SPECIAL] = surely
    return network


def test_selected_is_the_lowest_loss_of_those_that_did_not_diverge() -> None:
    restarts = [restart(0, None, None), restart(1, 0.3, 0.1), restart(2, 0.2, 0.5), restart(3, 0.2, 0.1)]
    assert select(restarts, "train") == 2, "the first of two with the same loss"
    assert select(restarts, "valid") == 1
    assert select([restart(0, None, None)], "train") is None
    assert select([restart(0, 0.2, None)], "valid") is None


def test_the_figures_of_networks_whose_answers_are_known() -> None:
    # the ensemble: "a" has 0.98 + 0.08 + 0.08 of three, "b" 0.01 + 0.84 + 0.84
    trained = [
        Trained(restart(0, 0.2, 0.9), saying("a", 5.0)),
        Trained(restart(1, None, None), saying("a", 5.0)),
        Trained(restart(2, 0.3, 0.8), saying("b", 3.0)),
        Trained(restart(3, 0.4, 0.7), saying("b", 3.0)),
    ]
    first, seventh = measure(trained, STORIES)
    assert (first.task, first.questions, seventh.task, seventh.questions) == (1, 4, 7, 1)
    assert first.restarts == (0.5, None, 0.75, 0.75), "an answer that training does not know is wrong"
    assert (first.by_training, first.by_validation, first.ensemble) == (0.5, 0.75, 0.75)
    assert (seventh.by_training, seventh.by_validation, seventh.ensemble) == (1.0, 0.0, 0.0)
    assert measure(trained[1:2], STORIES) == []
    sure = Trained(restart(4, 0.5, 0.9), saying("a", 5.0))
    assert measure([*trained, sure], STORIES)[0].ensemble == 0.5, "two that are sure outweigh two that are less so"


def test_means_leave_out_what_diverged() -> None:
    errors = TaskErrors(1, 10, (0.1, None, 0.3, 0.4), 0.1, None, 0.2)
    assert errors.mean == pytest.approx(fmean([0.1, 0.3, 0.4]))
    assert errors.spread == pytest.approx(stdev([0.1, 0.3, 0.4]))
    assert errors.spread == pytest.approx(np.std([0.1, 0.3, 0.4], ddof=1))
    assert TaskErrors(1, 10, (0.1, None), 0.1, None, 0.1).spread is None
