"""The selected restart, and the errors over restarts."""

from __future__ import annotations

from statistics import fmean, stdev

import numpy as np
import pytest

from memn2n import Example, NetworkConfig
from memn2n.qa.config import DataShape
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet
from memn2n.qa.training.problem import Restart, TrainedNetwork
from memn2n.qa.training.schedule import Score
from memn2n.qa.vocabulary import SPECIAL, Vocabulary
from memn2n.reproduce.babi.task_errors import TaskErrors, best_restart, task_errors

WORDS = Vocabulary(("a", "b", "c"))
QUESTIONS = [Example(("a b.",), "c?", answer, task=task) for task, answer in
             (("1", "a"), ("1", "b"), ("1", "a"), ("1", "unheard"), ("7", "b"))]  # fmt: skip
STORIES = StorySet.encode(QUESTIONS, WORDS)


def restart(number: int, train: float | None, valid: float | None) -> Restart:
    score, valid_score = (None if loss is None else Score(loss, 0.5) for loss in (train, valid))
    return Restart(number, score, valid_score, 1.0, "diverged" if train is None else "")


def network_answering(answer: str, logit: float) -> Parameters:
    """A network that gives the same answer to each question."""
    shape = DataShape(len(WORDS), longest_sentence=2, slots=1)
    config = NetworkConfig(dim=1, hops=1, encoding="bow", temporal="none", tying="layerwise")
    A, C, W = (np.zeros((len(WORDS), 1), np.float32) for _ in range(3))
    W[WORDS.words.index(answer) + SPECIAL] = logit
    B, H = np.ones_like(W), np.ones((1, 1), np.float32)
    return Parameters.of(config, shape, {"tables.0": A, "tables.1": C, "tables.2": B, "tables.3": W, "H": H})


def test_the_restart_with_the_lowest_loss_is_selected() -> None:
    restarts = [restart(0, None, None), restart(1, 0.3, 0.1), restart(2, 0.2, 0.5), restart(3, 0.2, 0.1)]
    assert best_restart(restarts, "train") == 2, "the first of two with the same loss"
    assert best_restart(restarts, "valid") == 1
    assert best_restart([restart(0, None, None)], "train") is None
    assert best_restart([restart(0, 0.2, None)], "valid") is None


def test_the_errors_of_networks_with_known_answers() -> None:
    # the ensemble's probabilities: "a" (0.98 + 0.08 + 0.08) / 3, "b" (0.01 + 0.84 + 0.84) / 3
    trained = [
        TrainedNetwork(restart(0, 0.2, 0.9), network_answering("a", 5.0)),
        TrainedNetwork(restart(1, None, None), network_answering("a", 5.0)),
        TrainedNetwork(restart(2, 0.3, 0.8), network_answering("b", 3.0)),
        TrainedNetwork(restart(3, 0.4, 0.7), network_answering("b", 3.0)),
    ]
    first, seventh = task_errors(trained, STORIES)
    assert (first.task, first.questions, seventh.task, seventh.questions) == (1, 4, 7, 1)
    assert first.restarts == (0.5, None, 0.75, 0.75), "an answer that training does not know is wrong"
    assert (first.by_training, first.by_validation, first.ensemble) == (0.5, 0.75, 0.75)
    assert (seventh.by_training, seventh.by_validation, seventh.ensemble) == (1.0, 0.0, 0.0)
    assert task_errors(trained[1:2], STORIES) == []
    sure = TrainedNetwork(restart(4, 0.5, 0.9), network_answering("a", 5.0))
    assert task_errors([*trained, sure], STORIES)[0].ensemble == 0.5, "two high probabilities outweigh two lower ones"


def test_means_leave_out_diverged_restarts() -> None:
    errors = TaskErrors(1, 10, (0.1, None, 0.3, 0.4), 0.1, None, 0.2)
    assert errors.mean == pytest.approx(fmean([0.1, 0.3, 0.4]))
    assert errors.spread == pytest.approx(stdev([0.1, 0.3, 0.4]))
    assert errors.spread == pytest.approx(np.std([0.1, 0.3, 0.4], ddof=1))
    assert TaskErrors(1, 10, (0.1, None), 0.1, None, 0.1).spread is None
