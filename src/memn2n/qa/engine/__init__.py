"""The native engine (C++): trains and runs ``memn2n.qa.networks.memn2n`` on the CPU, with the same results but faster.

It uses the arrays of a StorySet and of Parameters in place. If it was not built or does not support a setting,
``unavailable`` returns the reason, and another executor is used instead.

``kernel.cpp`` has the hops, ``network.hpp`` the structs that all C++ files share. ``session`` makes batches,
``trainer`` runs epochs, and ``module.cpp`` with its headers checks everything that comes from Python.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError
from memn2n.qa.config import NetworkConfig

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from memn2n.qa.config import DataShape, FamilyConfig
    from memn2n.qa.parameters import Parameters
    from memn2n.qa.stories import StorySet

_missing = ""
try:
    from memn2n.qa.engine import _native
except ImportError as error:
    built = find_spec("memn2n.qa.engine._native") is not None
    _missing = f"it cannot be loaded ({error})" if built else "it was not built"


def unavailable(config: FamilyConfig | None = None, shape: DataShape | None = None) -> str:
    """Why the engine cannot run this network (without ``config``: any network), or "" if it can."""
    if _missing or config is None:
        return _missing
    if type(config) is not NetworkConfig:
        return f"it does not know networks with {type(config).__name__}"
    if shape is not None and shape.candidates:
        return "it does not know candidate answers"
    if config.hops > _native.MOST_HOPS:
        return f"hops is {config.hops}, and it supports at most {_native.MOST_HOPS}"
    if config.dim > _native.LARGEST_DIM:
        return f"dim is {config.dim}, and it supports at most {_native.LARGEST_DIM}"
    return ""


def instruction_sets() -> list[str]:
    """The instruction sets that the engine can use on this machine, narrowest vectors first; [] without the engine."""
    return [] if _missing else _native.instruction_sets()


def native_stories(stories: StorySet) -> _native.Stories:
    """Pass a StorySet to the engine, without copying it.

    The arrays are checked once, here. Do not write to them afterwards; those of ``StorySet.encode`` are read-only.

    Raises:
        ValueError, TypeError: if the arrays are not those of a valid StorySet.
    """
    return _native.Stories(words=stories.words, sentence_start=stories.sentence_start, story=stories.story,
                           story_start=stories.story_start, question=stories.question,
                           answer=stories.answer, support=stories.support,
                           support_start=stories.support_start)  # fmt: skip


def native_network(parameters: Parameters, instruction_set: str = "") -> _native.Network:
    """Pass a network to the engine. Both share the arrays, which must not move in memory.

    Args:
        parameters: the parameters of a network.
        instruction_set: one of ``instruction_sets()``; by default the fastest one for ``dim``.

    Raises:
        ConfigError: if the engine cannot run this network.
        ValueError, TypeError: if a parameter does not have the shape and type of its settings.
    """
    config, shape, arrays = parameters.config, parameters.shape, parameters.arrays
    reason = unavailable(config, shape)
    if reason:
        raise ConfigError(f"the engine cannot be used: {reason}")
    assert isinstance(config, NetworkConfig)

    def named(prefix: str) -> list[npt.NDArray[np.float32]]:
        return [array for name, array in arrays.items() if name.startswith(f"{prefix}.")]

    return _native.Network(
        named("tables"), named("times"), arrays.get("H"), gates=named("gates"), gate_biases=named("gate_biases"),
        hops=config.hops, encoding=config.encoding, temporal=config.temporal, tying=config.tying,
        linear=config.linear_components, keep_empty=config.empty_slots == "keep",
        all_rows=config.answer_softmax == "all", memory_size=config.memory_size, vocabulary=shape.vocabulary,
        longest_sentence=shape.longest_sentence, slots=shape.slots, instruction_set=instruction_set,
    )  # fmt: skip
