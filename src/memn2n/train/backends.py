"""Which backend trains a network: the native engine on a CPU, PyTorch elsewhere and where there is no engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, get_args

import torch

from memn2n import engine
from memn2n.config import Backend
from memn2n.errors import ConfigError
from memn2n.train.native_loop import NativeLoop
from memn2n.train.torch_loop import TorchLoop

if TYPE_CHECKING:
    import numpy as np

    from memn2n.config import NetworkConfig, TrainingConfig
    from memn2n.nn.batch import Longs
    from memn2n.nn.qa import QANetwork
    from memn2n.stories import StorySet
    from memn2n.train.qa import Loop


def choose_backend(backend: Backend, device: str, config: NetworkConfig) -> Literal["native", "torch"]:
    """The backend that trains such a network on such a device.

    Raises:
        ConfigError: if there is no such device, or the engine is asked for and cannot serve.
    """
    if backend not in get_args(Backend):
        raise ConfigError(f"backend is {backend!r}: it must be one of {', '.join(get_args(Backend))}")
    on_cpu = check_device(device).type == "cpu"
    reason = engine.unavailable(config) if on_cpu else "it runs on the CPU only"
    if backend == "native" and reason:
        raise ConfigError(f'backend is "native", but the engine cannot serve: {reason}; take "auto" or "torch"')
    return "native" if backend != "torch" and not reason else "torch"


def choose_threads(threads: int | None) -> int:
    """How many restarts are trained at a time by the engine: ``threads``, by default one a core.

    Raises:
        ConfigError: if there are fewer cores than that.
    """
    cores = available_cores()
    if threads is None:
        return cores
    if not 1 <= threads <= cores:
        raise ConfigError(f"threads is {threads}: it must be from 1 to the number of cores, {cores}")
    return threads


def available_cores() -> int:
    """The number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_loop(
    backend: Literal["native", "torch"],
    network: QANetwork,
    stories: StorySet,
    examples: Longs,
    config: TrainingConfig,
    rng: np.random.Generator,
) -> Loop:
    """The loop that trains a network on some examples."""
    return (NativeLoop if backend == "native" else TorchLoop)(network, stories, examples, config, rng)


def check_device(device: str) -> torch.device:
    """The device of that name; raises ConfigError if PyTorch cannot use it here."""
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ConfigError(f"device is {device!r}, which PyTorch cannot use here: {reason}") from None
    if found.type == "meta":
        raise ConfigError("device is 'meta', which cannot compute")
    return found
