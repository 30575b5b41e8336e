"""The parameters of a network: named NumPy arrays, with the settings and sizes that give them their meaning.

A trained network is its parameters. The engine, NumPy and PyTorch compute with the same arrays, in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np

from memn2n.errors import ConfigError
from memn2n.qa.vocabulary import NULL, SPECIAL, UNKNOWN
from memn2n.settings import Range, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

_SIZES = Range(1, 10**8)


@dataclass(frozen=True)
class DataShape(Settings):
    """The sizes that a network takes from its training data."""

    vocabulary: Annotated[int, _SIZES]
    """Number of word ids, null and unknown included."""
    longest_sentence: Annotated[int, _SIZES]
    """Number of words of the longest sentence; J of encoding pe-official."""
    slots: Annotated[int, _SIZES]
    """Number of memory slots, which is also the number of times: the sentences of the longest story, at most
    ``memory_size``. In a longer story, the oldest sentences share the last time."""
    candidates: Annotated[int, Range(0, 10**8)] = 0
    """Number of candidate answers; 0 if the answers are the words of the vocabulary."""

    @property
    def answers(self) -> slice:
        """The columns of a network's logits that are answers; column i is the answer of id i."""
        return slice(0, self.candidates) if self.candidates else slice(SPECIAL, self.vocabulary)


@dataclass(frozen=True)
class Start:
    """The shape of a parameter, and the distribution of its first values.

    Args:
        shape: the shape of the array.
        mean: mean of the normal distribution of its first values.
        words: whether row i belongs to word i. Then row ``NULL`` is always zero, and row ``UNKNOWN`` starts at zero,
            so that an unknown word adds nothing until its embedding is trained.
    """

    shape: tuple[int, ...]
    mean: float = 0.0
    words: bool = False


@dataclass(frozen=True, kw_only=True)
class FamilyConfig(Settings):
    """Base class of the settings of a family of networks."""

    memory_size: Annotated[int, Range(1, 10_000)] = 50
    """Number of sentences that the memory holds at most. Only the last ``memory_size`` sentences of a longer story are
    used."""

    def parameters(self, shape: DataShape) -> dict[str, Start]:
        """The name, shape and start of each parameter, for data of these sizes."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Parameters:
    """The parameters of one network.

    Args:
        config: the network's settings.
        shape: the sizes taken from the training data.
        arrays: the arrays by name, float32 and contiguous; ``config.parameters(shape)`` gives names and shapes.

    Raises:
        ConfigError: if an array is missing, or has another shape or type.
    """

    config: FamilyConfig
    shape: DataShape
    arrays: dict[str, Floats]

    def __post_init__(self) -> None:
        wanted = {name: start.shape for name, start in self.config.parameters(self.shape).items()}
        if list(wanted) != list(self.arrays):
            raise ConfigError(f"the arrays are {_listed(self.arrays)}, but these settings need {_listed(wanted)}")
        for name, array in self.arrays.items():
            if array.shape != wanted[name] or array.dtype != np.float32 or not array.flags.c_contiguous:
                raise ConfigError(f"{name} has the shape {array.shape} and type {array.dtype}, but these settings need "
                                  f"{wanted[name]}, float32 and contiguous")  # fmt: skip

    @classmethod
    def draw(cls, config: FamilyConfig, shape: DataShape, rng: np.random.Generator, std: float = 0.1) -> Self:
        """Draw the first values of the parameters, each from a normal distribution.

        Args:
            config: the network's settings.
            shape: the sizes taken from the training data.
            rng: source of randomness.
            std: standard deviation.
        """
        arrays = {}
        for name, start in config.parameters(shape).items():
            array = rng.standard_normal(start.shape, np.float32) * np.float32(std) + np.float32(start.mean)
            if start.words:
                array[[NULL, UNKNOWN]] = 0
            arrays[name] = array
        return cls(config, shape, arrays)

    @classmethod
    def of(cls, config: FamilyConfig, shape: DataShape, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """The parameters with these arrays, in any order.

        Raises:
            ConfigError: if an array is missing, unknown, or has another shape or type.
        """
        order = {name: arrays[name] for name in config.parameters(shape) if name in arrays}
        return cls(config, shape, order | dict(arrays))

    def words(self) -> list[str]:
        """The names of the arrays whose rows belong to words."""
        return [name for name, start in self.config.parameters(self.shape).items() if start.words]

    def copy(self) -> Self:
        """The same parameters in other memory."""
        return type(self)(self.config, self.shape, {name: array.copy() for name, array in self.arrays.items()})


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "none"
