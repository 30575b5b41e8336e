"""The parameters of a network: named NumPy arrays, with the settings and sizes that give them their meaning.

A trained network is its parameters. The engine, NumPy and PyTorch compute with the same arrays, in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from memn2n.errors import ConfigError
from memn2n.qa.vocabulary import NULL, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from memn2n.qa.config import DataShape, FamilyConfig

    Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Parameters:
    """The parameters of one network.

    Args:
        config: the network's settings.
        shape: the sizes taken from the training data.
        arrays: the arrays by name, float32, contiguous and writable. ``config.parameters(shape)`` gives names and
            shapes.

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
            if array.shape != wanted[name] or array.dtype != np.float32 or not array.flags.carray:
                raise ConfigError(f"{name} has the shape {array.shape} and type {array.dtype}, but these settings need "
                                  f"{wanted[name]}, float32, contiguous and writable")  # fmt: skip

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
