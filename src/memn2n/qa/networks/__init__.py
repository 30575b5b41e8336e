"""The networks that answer questions, by family.

A family is a config dataclass, which names the parameters, and a PyTorch network on them. ``NETWORKS`` lists the
families; a program adds its own with ``NETWORKS["name"] = Family(Config, Network)`` (docs/adding-a-network.md).

``memn2n`` is the end-to-end memory network in PyTorch, ``forward`` the same in NumPy. ``parts`` has what PyTorch
networks share: encoding a sentence, attention, reading, the loss. The PyTorch network is the reference for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeVar

from memn2n.errors import ConfigError, Setting
from memn2n.machine import need_torch
from memn2n.qa.config import NetworkConfig
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import numpy.typing as npt
    import torch

    from memn2n.qa.batch import Batch
    from memn2n.qa.config import FamilyConfig
    from memn2n.qa.parameters import Floats, Parameters
    from memn2n.qa.stories import StorySet

    Forward = Callable[[Parameters, Batch[npt.NDArray[np.int64]]], tuple[Floats, Floats]]


C = TypeVar("C")


class Stage(NamedTuple):
    """The point that a training has reached, as far as it changes the loss.

    Args:
        linear: whether the softmax of the attention is left out (linear start, section 4.1).
        supervision: weight of the attention supervision.
    """

    linear: bool = False
    supervision: float = 0.0


SOFTMAX = Stage()


class Loss(NamedTuple):
    """The loss of a batch.

    Args:
        total: () the sum over the batch, in nats.
        wrong: number of wrong answers.
    """

    total: torch.Tensor
    wrong: int


class Network(Protocol):
    """A family's network: a ``torch.nn.Module`` that is constructed from a config, the data's sizes and the parameters.

    ``Network(config, shape, tensors)`` makes a ``torch.nn.Parameter`` of each tensor, in the tensor's memory.
    """

    def __call__(self, batch: Batch[torch.Tensor], stage: Stage = SOFTMAX) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the logits (batch, row) and the attention (hop, batch, slot), latest sentence first.

        The columns ``shape.answers`` of the logits are the answers; others compete with them but are not returned.
        """

    def loss(self, batch: Batch[torch.Tensor], stage: Stage = SOFTMAX) -> Loss:
        """Compute the loss that training minimizes. This is all that training asks of a network."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """The parameters, as ``torch.nn.Module`` lists them."""

    def train(self, mode: bool = True) -> Network:
        """Turn dropout and the like on or off, as ``torch.nn.Module`` does."""


@dataclass(frozen=True)
class Family:
    """A family of networks.

    Args:
        config: its settings, a frozen dataclass.
        network: its PyTorch network.
        forward: computes the probabilities (batch, answer) and attention (hop, batch, slot) in NumPy, so that the
            family answers without PyTorch; None if it cannot.
        reads: what the network reads besides sentences: "values", "candidates".

    ``network`` and ``forward`` may be ``"module:name"``, which is imported when it is first needed.

    Raises:
        ConfigError: if ``forward`` is that of ``memn2n`` and ``network`` is another one. Then a model would be trained
            by one network and answer by the other.
    """

    config: type[FamilyConfig]
    network: Callable[..., Network] | str
    forward: Forward | str | None = None
    reads: frozenset[Literal["values", "candidates"]] = frozenset()

    def __post_init__(self) -> None:
        if _spelled(self.forward) == _FORWARD and _spelled(self.network) != _NETWORK:
            raise ConfigError(f"forward is the one of memn2n, but network is {_spelled(self.network)}; give this "
                              "network a forward of its own, or None")  # fmt: skip


def _spelled(code: object) -> str | None:
    """A function or class as ``"module:name"``; None if there is none."""
    if code is None or isinstance(code, str):
        return code
    return f"{getattr(code, '__module__', '')}:{getattr(code, '__qualname__', code)}"


_NETWORK, _FORWARD = "memn2n.qa.networks.memn2n:QANetwork", "memn2n.qa.networks.forward:forward"
NETWORKS: dict[str, Family] = {
    "memn2n": Family(NetworkConfig, _NETWORK, _FORWARD, reads=frozenset({"candidates"})),
}


def family_named(name: object) -> Family:
    """The family of a name.

    Raises:
        ConfigError: if no family of this name is registered, another family has the same config class, or the
            network of ``memn2n`` was replaced.
    """
    if not isinstance(name, str) or name not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise ConfigError(Setting("family"), f" is {quoted(name)}: the families are {known}; to add one, import the "
                          "module that registers it (memn2n --import FILE)")  # fmt: skip
    family = NETWORKS[name]
    for other, its in NETWORKS.items():
        if other != name and its.config is family.config:
            raise ConfigError(f"the families {name} and {other} have the same config class; derive a class for each")
    if name == "memn2n" and _spelled(family.network) != _NETWORK:
        raise ConfigError("the network of the family memn2n was replaced, but the engine and saved models have only "
                          "the package's; register yours by another name, with a config class of its own")  # fmt: skip
    return family


def family_name(config: FamilyConfig) -> str:
    """The name of the family that settings belong to.

    Raises:
        ConfigError: if no family has settings of this class; also like ``family_named``.
    """
    for name, family in NETWORKS.items():
        if family.config is type(config):
            family_named(name)
            return name
    raise ConfigError(f'{type(config).__name__} is not registered; add NETWORKS["name"] = Family(...)')


def check_reads(config: FamilyConfig, stories: StorySet) -> None:
    """Raise ConfigError if the data has values or candidates, and the family of these settings does not read them."""
    name = family_name(config)
    given: dict[Literal["values", "candidates"], object] = {"values": stories.values, "candidates": stories.candidates}
    for what in given:
        if given[what] is not None and what not in NETWORKS[name].reads:
            raise ConfigError(Setting("family"), f" is {name}, which does not read {what}; choose another family, or "
                              "remove them from the data")  # fmt: skip


def numpy_forward(config: FamilyConfig) -> Forward | None:
    """The NumPy function of the family that settings belong to, or None if it has none."""
    forward = NETWORKS[family_name(config)].forward
    return None if forward is None else _imported(forward)


def _imported(code: Callable[..., C] | str) -> Callable[..., C]:
    """A function or class, imported if it is ``"module:name"``."""
    if not isinstance(code, str):
        return code
    module, _, name = code.partition(":")
    found: Callable[..., C] = getattr(import_module(module), name)
    return found


def torch_network(
    parameters: Parameters, device: torch.device | str = "cpu"
) -> tuple[Network, dict[str, torch.Tensor]]:
    """The PyTorch network of some parameters.

    On the CPU it uses the memory of ``parameters.arrays``, so that a change of one is a change of the other. A model
    has nothing else: a program's hooks on this network, and parameters that it replaces, are not part of a model. Its
    own computation needs a family of its own.

    Returns:
        The network, and its tensors by the names of the arrays.

    Raises:
        ConfigError: if PyTorch is not installed, or the network's parameters are not the tensors.
    """
    need_torch("this network")
    import torch

    network = _imported(NETWORKS[family_name(parameters.config)].network)
    tensors = {name: torch.from_numpy(array).to(device) for name, array in parameters.arrays.items()}
    made = network(parameters.config, parameters.shape, tensors)
    memory = {tensor.data_ptr() for tensor in tensors.values()}
    if {parameter.data_ptr() for parameter in made.parameters()} != memory:
        raise ConfigError(f"the parameters of {type(made).__name__} must be the tensors that it was given, all of them "
                          "and not copies; a model keeps only those")  # fmt: skip
    return made, tensors
