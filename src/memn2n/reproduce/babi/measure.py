"""Test errors of a problem's restarts: of each, of the one that is selected, and of all together."""

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

    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.problem import Restart, Trained


@dataclass(frozen=True)
class TaskErrors:
    """Shares of wrong answers on the test questions of one task, 0 to 1.

    Args:
        task: its number.
        questions: how many were asked.
        restarts: of each restart; None of one that diverged.
        by_training: of the restart with the lowest loss on the training data, as the paper selects.
        by_validation: of the one with the lowest loss on the validation data; None without such data.
        ensemble: of the mean of all restarts' probabilities.
    """

    task: int
    questions: int
    restarts: tuple[float | None, ...]
    by_training: float
    by_validation: float | None
    ensemble: float

    @property
    def mean(self) -> float:
        """Mean over the restarts that did not diverge."""
        return fmean(known(self.restarts))

    @property
    def spread(self) -> float | None:
        """Standard deviation over them, of the sample; None of fewer than two."""
        return deviation(known(self.restarts))


def known(values: Iterable[float | None]) -> list[float]:
    """The values that are not None."""
    return [value for value in values if value is not None]


def deviation(values: Sequence[float]) -> float | None:
    """Standard deviation of a sample; None of fewer than two values."""
    return stdev(values) if len(values) > 1 else None


def select(restarts: Iterable[Restart], by: str) -> int | None:
    """Number of the restart with the lowest loss on the data ``by`` ("train" or "valid"); None if none has one."""
    losses = [(score.loss, restart.restart) for restart in restarts if (score := getattr(restart, by)) is not None]
    return min(losses)[1] if losses else None


def measure(restarts: Iterable[Trained], stories: StorySet) -> list[TaskErrors]:
    """Ask each network all test questions.

    An answer that the networks do not know counts as wrong.

    Args:
        restarts: all restarts of a problem, in order of their numbers; taken one at a time.
        stories: test questions of one task or several.

    Returns:
        The errors on each task, in the order of ``stories.tasks``; none if every restart diverged.
    """
    records: list[Restart] = []
    wrong: dict[int, npt.NDArray[np.bool_]] = {}
    total: npt.NDArray[np.float64] | None = None
    for restart, network in restarts:
        records.append(restart)
        if restart.train is None:
            continue
        probabilities = _probabilities(network, stories)
        wrong[restart.restart] = _wrong(probabilities, stories)
        total = probabilities.astype(np.float64) if total is None else total + probabilities
    by_training, by_validation = select(records, "train"), select(records, "valid")
    if total is None or by_training is None:
        return []
    of_ensemble = _wrong(total, stories)

    def errors(number: int, label: str) -> TaskErrors:
        mine = stories.task == number

        def error(answers: npt.NDArray[np.bool_]) -> float:
            return int(answers[mine].sum()) / int(mine.sum())

        of_restarts = tuple(error(wrong[i]) if i in wrong else None for i in (record.restart for record in records))
        return TaskErrors(
            int(label), int(mine.sum()), of_restarts, error(wrong[by_training]),
            None if by_validation is None else error(wrong[by_validation]), error(of_ensemble),
        )  # fmt: skip

    return [errors(number, label) for number, label in enumerate(stories.tasks)]


def _probabilities(network: QANetwork, stories: StorySet) -> npt.NDArray[np.float32]:
    """(question, word); column 0 is the word of id SPECIAL."""
    return np.concatenate([prediction.probabilities for prediction in predict(network, stories)])


def _wrong(probabilities: npt.NDArray[np.floating], stories: StorySet) -> npt.NDArray[np.bool_]:
    wrong: npt.NDArray[np.bool_] = probabilities.argmax(1) + SPECIAL != stories.answer
    return wrong
