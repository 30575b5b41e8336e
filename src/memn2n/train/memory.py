"""How much memory a training needs, told before it is allocated."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from memn2n.errors import ConfigError

if TYPE_CHECKING:
    from memn2n.config import LMConfig, LMTraining

_BYTES = 4  # float32
_PROGRAM = 400 * 2**20  # PyTorch itself, and blocks of logits
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def parameters(network: LMConfig, vocabulary: int) -> int:
    """Number of parameters of a language model."""
    tables = 2 if network.tied else 3
    return network.dim * (tables * vocabulary + 2 * network.memory_size + network.dim)


def training_memory(network: LMConfig, training: LMTraining, vocabulary: int) -> int:
    """Bytes that training takes at most, about: parameters, gradients, moments, and one batch.

    Args:
        network: settings.
        training: settings.
        vocabulary: number of words.
    """
    d, N, K = network.dim, network.memory_size, network.hops
    copies = 4 if training.optimizer == "adamw" else 2
    L = 1 if training.batching == "random" else min(training.block, training.batch_size)
    blocks = max(1, training.batch_size // L)
    embedded = 8 * blocks * (L + N) * d  # both sides, their gradients and what they are made from
    hops = blocks * L * (K * (N + 2 * d) + 6 * (L + N))
    best = 1  # a copy of the best network, or of the one that is saved
    return _PROGRAM + _BYTES * ((copies + best) * parameters(network, vocabulary) + embedded + hops)


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
