"""Errors on each task's test questions: of every restart, of the selected one, and of all restarts as an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np

from memn2n.qa.predict import predict
from memn2n.qa.vocabulary import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.problem import Restart, TrainedNetwork


@dataclass(frozen=True)
class TaskErrors:
    """Shares of wrong answers on the test questions of one task, 0 to 1."""

    task: int
    questions: int  # number of test questions
    restarts: tuple[float | None, ...]  # the error of each restart; None where it diverged
    by_training: float  # of the restart with the lowest loss on the training data, as the paper selects
    by_validation: float | None  # of the restart with the lowest loss on the validation data; None without such data
    ensemble: float  # of the mean of all restarts' probabilities

    @property
    def mean(self) -> float:
        """Mean over the restarts that did not diverge."""
        return fmean(known(self.restarts))

    @property
    def spread(self) -> float | None:
        """Sample standard deviation over the restarts that did not diverge; None for fewer than two."""
        return deviation(known(self.restarts))


def known(values: Iterable[float | None]) -> list[float]:
    """The values that are not None."""
    return [value for value in values if value is not None]


def deviation(values: Sequence[float]) -> float | None:
    """Sample standard deviation; None for fewer than two values."""
    return stdev(values) if len(values) > 1 else None


def best_restart(restarts: Iterable[Restart], by: str) -> int | None:
    """Number of the restart with the lowest loss on the data ``by`` ("train" or "valid"); None if no restart has it."""
    losses = [(score.loss, restart.restart) for restart in restarts if (score := getattr(restart, by)) is not None]
    return min(losses)[1] if losses else None


def task_errors(restarts: Iterable[TrainedNetwork], stories: StorySet) -> list[TaskErrors]:
    """Answer all test questions with each network.

    An answer that is not in the networks' vocabulary counts as wrong.

    Args:
        restarts: all restarts of one training, in order of their numbers.
        stories: test questions of one task or several.

    Returns:
        The errors on each task, in the order of ``stories.tasks``; an empty list if every restart diverged.
    """
    records: list[Restart] = []
    wrong: dict[int, npt.NDArray[np.bool_]] = {}
    total: npt.NDArray[np.float64] | None = None
    for restart, network in restarts:
        records.append(restart)
        if restart.train is None:
            continue
        # (question, word); column 0 belongs to the word with id SPECIAL
        probabilities = np.concatenate([prediction.probabilities for prediction in predict(network, stories)])
        wrong[restart.restart] = _wrong(probabilities, stories)
        total = probabilities.astype(np.float64) if total is None else total + probabilities
    by_training, by_validation = best_restart(records, "train"), best_restart(records, "valid")
    if total is None or by_training is None:
        return []
    wrong_of_ensemble = _wrong(total, stories)

    def errors(number: int, label: str) -> TaskErrors:
        mine = stories.task == number

        def error(answers: npt.NDArray[np.bool_]) -> float:
            return int(answers[mine].sum()) / int(mine.sum())

        return TaskErrors(
            task=int(label), questions=int(mine.sum()), ensemble=error(wrong_of_ensemble),
            restarts=tuple(error(wrong[r.restart]) if r.restart in wrong else None for r in records),
            by_training=error(wrong[by_training]),
            by_validation=None if by_validation is None else error(wrong[by_validation]),
        )  # fmt: skip

    return [errors(number, label) for number, label in enumerate(stories.tasks)]


def _wrong(probabilities: npt.NDArray[np.floating], stories: StorySet) -> npt.NDArray[np.bool_]:
    wrong: npt.NDArray[np.bool_] = probabilities.argmax(1) + SPECIAL != stories.answer
    return wrong
