"""Which backend trains a network: the native engine on a CPU, PyTorch elsewhere and where there is no engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.machine import check_device
from memn2n.qa import engine
from memn2n.qa.config import Backend
from memn2n.qa.training.native_loop import NativeLoop
from memn2n.qa.training.torch_loop import TorchLoop

if TYPE_CHECKING:
    import numpy as np

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import NetworkConfig, TrainingConfig
    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.schedule import Loop


def choose_backend(backend: Backend, device: str, config: NetworkConfig) -> Literal["native", "torch"]:
    """The backend that trains such a network on such a device.

    Raises:
        ConfigError: if there is no such device, or the engine is asked for and cannot serve.
    """
    if backend not in get_args(Backend):
        raise ConfigError(Setting("backend"), f" is {backend!r}: it must be one of {', '.join(get_args(Backend))}")
    on_cpu = check_device(device).type == "cpu"
    reason = engine.unavailable(config) if on_cpu else "it runs on the CPU only"
    if backend == "native" and reason:
        raise ConfigError(
            Setting("backend"), f' is "native", but the engine cannot serve: {reason}; take "auto" or "torch"'
        )
    return "native" if backend != "torch" and not reason else "torch"


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
