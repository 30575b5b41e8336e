"""How the networks of a table are trained: the options of a call, with their defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.machine import Precision
    from memn2n.qa.config import Backend


@dataclass(frozen=True, kw_only=True)
class BabiOptions:
    """Options of ``run_table`` and ``run_transfer``.

    Args:
        tasks: the tasks to report, by default all. Joint training always learns every task that has a training file.
        restarts: networks trained for each task, or jointly (paper: 10).
        seed: the same seed gives the same figures.
        threads: restarts that the engine trains at the same time, by default one a core. The figures do not depend on
            it.
        backend: what trains, as for ``StoryQA.fit``. Restarts of different backends are not mixed.
    """

    tasks: Sequence[int] | None = None
    restarts: int = 10
    seed: int = 0
    threads: int | None = None
    backend: Backend = "auto"


TRANSFER = BabiOptions(restarts=5)
"""The default options of ``run_transfer``."""


@dataclass(frozen=True, kw_only=True)
class PTBOptions:
    """Options of ``run_lm_table``.

    Args:
        restarts: trainings of each row, with the seeds ``seed``, ``seed + 1`` and so on (paper: 10). The one with the
            lowest validation loss is reported.
        seed: the same seed, machine and number of threads give the same figures.
        threads: PyTorch's threads, by default one a core.
        device: where to train, such as "cuda".
        precision: of the matrix products in training. The perplexities of the table are always computed in float32.
    """

    restarts: int = 1
    seed: int = 0
    threads: int | None = None
    device: str = "cpu"
    precision: Precision = "auto"
