"""How the networks of a table are trained: the options of a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from memn2n.machine import Precision  # noqa: TC001 - the base class reads the types
from memn2n.qa.config import Backend  # noqa: TC001
from memn2n.settings import Range, Settings


@dataclass(frozen=True, kw_only=True)
class BabiOptions(Settings):
    """Options of ``run_table``."""

    restarts: Annotated[int, Range(1, 10_000)] = 10
    """Networks trained for each task, or jointly; the paper has 10."""
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0
    """The same seed gives the same figures."""
    threads: int | None = None
    """Restarts that the engine trains at the same time; by default one a core. The figures do not depend on it."""
    backend: Backend = "auto"
    """What trains: the native engine, PyTorch, or auto: the engine if it can. Restarts of different backends are not
    mixed."""


@dataclass(frozen=True, kw_only=True)
class TransferOptions(BabiOptions):
    """Options of ``run_transfer``."""

    restarts: Annotated[int, Range(1, 10_000)] = 5
    """Networks trained for each task on each kind of stories."""


@dataclass(frozen=True, kw_only=True)
class BestOptions(Settings):
    """Options of ``run_best``."""

    protocol: Literal["per-task", "joint", "both"] = "both"
    """per-task: a training for each task. joint: one training on all tasks. both: one after the other."""
    seeds: Annotated[int, Range(1, 10_000)] = 5
    """Number of seeds of each training; the figures are the mean and standard deviation over them."""
    seed: Annotated[int, Range(0, 2**63 - 10_000)] = 0
    """The first seed; the others follow it. The same seeds give the same figures."""
    threads: int | None = None
    """Restarts that the engine trains at the same time; by default one a core. The figures do not depend on it."""

    @property
    def protocols(self) -> tuple[Literal["per-task", "joint"], ...]:
        """The protocols to train."""
        return ("per-task", "joint") if self.protocol == "both" else (self.protocol,)


@dataclass(frozen=True, kw_only=True)
class PTBOptions(Settings):
    """Options of ``run_lm_table``."""

    restarts: Annotated[int, Range(1, 10_000)] = 1
    """Networks trained for each row, each with the next seed; the paper has 10. The one with the lowest validation loss
    is reported."""
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0
    """The same seed, machine and number of threads give the same figures."""
    threads: int | None = None
    """PyTorch's threads; by default one a core."""
    device: str = "cpu"
    """Where to train, such as cuda."""
    precision: Precision = "auto"
    """Number format of matrix products in training; auto: bf16 if the hardware has it. The perplexities of the table
    are always computed in float32."""
