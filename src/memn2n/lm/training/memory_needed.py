"""How much memory a training needs, told before it is allocated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError
from memn2n.lm.networks.output import LEAST_ROWS
from memn2n.lm.windows import MEASURED_AT_A_TIME, MEASURED_BLOCK

if TYPE_CHECKING:
    from memn2n.lm.config import LMConfig, LMTraining

_BYTES = 4  # float32
_PROGRAM = 400 * 2**20  # PyTorch itself
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def parameters(network: LMConfig, vocabulary: int) -> int:
    """Number of parameters of a language model."""
    tables = 2 if network.tied else 3
    return network.dim * (tables * vocabulary + 2 * network.memory_size + network.dim)


def training_memory(network: LMConfig, training: LMTraining, vocabulary: int) -> int:
    """Bytes that training takes at most, about: to train on a batch, to measure one, or to write a checkpoint.

    Args:
        network: settings.
        training: settings.
        vocabulary: number of words.
    """
    d, N, K = network.dim, network.memory_size, network.hops
    kept = 3 if training.optimizer == "adamw" else 1
    L = 1 if training.batching == "random" else min(training.block, training.batch_size)
    blocks = max(1, training.batch_size // L)
    embedded = 8 * blocks * (L + N) * d  # both sides, their gradients and what they are made from
    trained = embedded + blocks * L * (K * (N + 2 * d) + 6 * (L + N))
    L, blocks = MEASURED_BLOCK, MEASURED_AT_A_TIME // MEASURED_BLOCK
    measured = 2 * blocks * (L + N) * d + blocks * L * (K * (N + d) + 3 * (L + N))
    logits = LEAST_ROWS * vocabulary
    size = parameters(network, vocabulary)
    working = (kept + 2) * size + max(trained, measured) + logits  # with the gradient, and the best network
    saving = 3 * kept * size  # a checkpoint is there twice more while it is written
    return _PROGRAM + _BYTES * max(working, saving)


def check_memory(network: LMConfig, training: LMTraining, vocabulary: int) -> None:
    """Refuse a training that cannot fit into this machine's memory.

    Raises:
        ConfigError: says how much it needs, and how much there is.
    """
    needed, there = training_memory(network, training, vocabulary), total_memory()
    if there is not None and needed > there:
        raise ConfigError(
            f"this would need about {needed / 2**30:,.1f} GiB of memory, of which there are {there / 2**30:,.1f}: "
            f"{vocabulary:,} words x dim {network.dim:,}, memory_size {network.memory_size:,}, batch_size "
            f"{training.batch_size:,}; lower one of them (max_words and min_count lower the number of words)"
        )


def total_memory() -> int | None:
    """Bytes of memory that this process may use in all; None where the system does not say."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(memory, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # no such limit, or "max"
        return memory
