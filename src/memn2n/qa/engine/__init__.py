"""The native engine (C++): trains and answers on the CPU, equal to ``memn2n.qa.networks.memn2n`` and far faster.

It works on the arrays that are there: a StorySet's and the network's own parameters, in place. Where it was not built,
or does not know a setting, ``unavailable`` says why, and PyTorch serves.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError

if TYPE_CHECKING:
    from memn2n.qa.config import NetworkConfig
    from memn2n.qa.networks.memn2n import QANetwork
    from memn2n.qa.stories import StorySet

_missing = ""
try:
    from memn2n.qa.engine import _native
except ImportError as error:
    built = find_spec("memn2n.qa.engine._native") is not None
    _missing = f"it cannot be loaded ({error})" if built else "it was not built"


def unavailable(config: NetworkConfig | None = None) -> str:
    """Why the engine cannot serve such a network, or any; "" where it can."""
    if _missing or config is None:
        return _missing
    if config.hops > _native.MOST_HOPS:
        return f"hops is {config.hops}, and it has at most {_native.MOST_HOPS}"
    if config.dim > _native.LARGEST_DIM:
        return f"dim is {config.dim}, and it has at most {_native.LARGEST_DIM}"
    return ""


def instruction_sets() -> list[str]:
    """The instruction sets that can be used here, from the narrowest to the widest; none without the engine."""
    return [] if _missing else _native.instruction_sets()


def native_stories(stories: StorySet) -> _native.Stories:
    """A StorySet as the engine reads it, in place.

    The arrays are checked here, once, and must not be written to afterwards; those of ``StorySet.encode`` cannot be.

    Raises:
        ValueError, TypeError: if the arrays are not what a StorySet holds.
    """
    return _native.Stories(stories.words, stories.sentence_start, stories.story, stories.story_start,
                           stories.question, stories.answer)  # fmt: skip


def native_network(network: QANetwork, instruction_set: str = "") -> _native.Network:
    """A network as the engine has it: on the same parameters, which must be on the CPU and stay where they are.

    Args:
        network: of float32.
        instruction_set: one of ``instruction_sets``; by default the one that suits ``dim``.

    Raises:
        ConfigError: if the engine does not know such a network.
        ValueError, TypeError: if a parameter is not of the shape and type that the settings ask for.
    """
    config, shape = network.config, network.shape
    reason = unavailable(config)
    if reason:
        raise ConfigError(f"the engine cannot serve: {reason}")
    return _native.Network(
        [table.detach().numpy() for table in network.tables],
        [times.detach().numpy() for times in network.times],
        None if network.H is None else network.H.detach().numpy(),
        hops=config.hops,
        encoding=config.encoding,
        temporal=config.temporal,
        tying=config.tying,
        relu=config.relu,
        keep_empty=config.empty_slots == "keep",
        all_rows=config.answer_softmax == "all",
        memory_size=config.memory_size,
        vocabulary=shape.vocabulary,
        longest_sentence=shape.longest_sentence,
        slots=shape.slots,
        instruction_set=instruction_set,
    )
