"""The parameters of a network: named NumPy arrays, with the settings and sizes that give them their meaning.

A trained network is its parameters. The engine, NumPy and PyTorch compute with the same arrays, in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from memn2n.errors import ConfigError
from memn2n.files.model_file import ArrayForm, layout_of
from memn2n.qa.vocabulary import NULL, UNKNOWN
from memn2n.terminal import listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from memn2n.files.model_file import Layout
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
        check_layout(self.config, self.shape, layout_of(self.arrays))
        wanted = self.config.parameters(self.shape)
        if list(self.arrays) != list(wanted):
            raise _other_arrays(self.arrays, wanted)
        for name, array in self.arrays.items():
            if not array.flags.carray or array.dtype != np.float32:
                raise ConfigError(f"{name} must be float32, contiguous and writable")

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
            if start.identity:
                array += np.eye(*start.shape, dtype=np.float32)
            if start.words:
                array[[NULL, UNKNOWN]] = 0
            arrays[name] = array
        return cls(config, shape, arrays)

    def draw_again(self, rng: np.random.Generator, std: float = 0.1) -> None:
        """Set the arrays to other first values, in place."""
        for name, array in self.draw(self.config, self.shape, rng, std).arrays.items():
            self.arrays[name][...] = array

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


def check_layout(config: FamilyConfig, shape: DataShape, layout: Layout) -> None:
    """Raise ConfigError if settings and sizes need other arrays than those of a layout; the order is free."""
    wanted = {name: ArrayForm("float32", start.shape) for name, start in config.parameters(shape).items()}
    if wanted.keys() != layout.keys():
        raise _other_arrays(layout, wanted)
    for name, found in layout.items():
        if found != wanted[name]:
            raise ConfigError(f"{name} has the shape {found.shape} and type {found.dtype}, but these settings need "
                              f"{wanted[name].shape} and float32")  # fmt: skip


def _other_arrays(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> ConfigError:
    lacking = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    problems = [f"lack {listed(lacking)}"] if lacking else []
    if unknown:
        problems.append(f"have {listed(unknown)}, which these settings do not need")
    return ConfigError(f"the arrays {' and '.join(problems) or 'are not in the order of the settings'}")
