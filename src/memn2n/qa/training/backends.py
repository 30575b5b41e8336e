"""The choice of the backend that trains a network: the native engine or PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.machine import check_device
from memn2n.qa import engine
from memn2n.qa.config import Backend
from memn2n.qa.training.native_loop import NativeLoop
from memn2n.qa.training.torch_loop import TorchLoop
from memn2n.settings import check_choice

if TYPE_CHECKING:
    import numpy as np

    from memn2n.qa.batch import Longs
    from memn2n.qa.config import NetworkConfig, TrainingConfig
    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet
    from memn2n.qa.training.schedule import Loop


def choose_backend(backend: Backend, device: str, config: NetworkConfig) -> Literal["native", "torch"]:
    """Resolve "auto": the engine if it can run this network on this device, otherwise PyTorch.

    Raises:
        ConfigError: if this machine does not have the device, or ``backend`` is "native" and the engine cannot run it.
    """
    check_choice("backend", backend, get_args(Backend))
    on_cpu = check_device(device).type == "cpu"
    reason = engine.unavailable(config) if on_cpu else "it runs on the CPU only"
    if backend == "native" and reason:
        raise ConfigError(
            Setting("backend"), f' is "native", but the engine cannot be used: {reason}; use "auto" or "torch"'
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
    """The backend's loop, which trains a network on some examples."""
    make = NativeLoop if backend == "native" else TorchLoop
    return make(network, stories, examples, config, rng)
