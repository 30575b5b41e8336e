"""The native engine (C++): trains and answers on the CPU, equal to ``memn2n.nn.qa`` and far faster.

It works on the arrays that are there: a StorySet's and the network's own parameters, in place. Where it was not built,
or does not know a setting, ``unavailable`` says why, and PyTorch serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memn2n.errors import ConfigError

if TYPE_CHECKING:
    from memn2n.config import NetworkConfig
    from memn2n.nn.qa import QANetwork
    from memn2n.stories import StorySet

try:
    from memn2n.engine import _native
except ImportError as error:  # a wheel without the extension, or one of another system
    _native = None  # type: ignore[assignment]
    _missing = "it was not built" if isinstance(error, ModuleNotFoundError) else f"it cannot be loaded ({error})"


def unavailable(config: NetworkConfig | None = None) -> str:
    """Why the engine cannot serve such a network, or any; "" where it can."""
    if _native is None:
        return _missing
    if config is not None and config.hops > _native.MOST_HOPS:
        return f"it has at most {_native.MOST_HOPS} hops"
    if config is not None and config.dim > _native.LARGEST_DIM:
        return f"its dim is at most {_native.LARGEST_DIM}"
    return ""


def instruction_sets() -> list[str]:
    """The instruction sets that can be used here, the one that is used last; none without the engine."""
    return [] if _native is None else _native.instruction_sets()


def native_stories(stories: StorySet) -> _native.Stories:
    """A StorySet as the engine reads it, in place.

    Raises:
        ValueError, TypeError: if its arrays are not what a StorySet holds; nothing is ever read out of range.
    """
    return _native.Stories(stories.words, stories.sentence_start, stories.story, stories.story_start,
                           stories.question, stories.answer)  # fmt: skip


def native_network(network: QANetwork, instruction_set: str = "") -> _native.Network:
    """A network as the engine has it: on the same parameters, which must be on the CPU and stay where they are.

    Args:
        network: of float32.
        instruction_set: one of ``instruction_sets``; by default the best.

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


def addresses(network: QANetwork) -> tuple[Any, ...]:
    """Where the parameters are: a network made by ``native_network`` serves as long as this is the same."""
    return tuple(parameter.data_ptr() for parameter in network.parameters())
