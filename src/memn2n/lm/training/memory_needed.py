"""Refusal of trainings that cannot fit into this machine's memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from memn2n.errors import ConfigError, Setting

if TYPE_CHECKING:
    from memn2n.lm.config import LMConfig, LMTraining
    from memn2n.lm.networks import LanguageNetwork

_CGROUP = Path("/sys/fs/cgroup/memory.max")


def least_memory(build: type[LanguageNetwork], network: LMConfig, training: LMTraining, vocabulary: int) -> int:
    """Return how many bytes the parameters of a training take, with all that has their size.

    That is the copy of the best epoch's parameters and, with AdamW, two moments and dense gradients. Everything else is
    left out, so a training needs more than this.

    Args:
        build: class of the network.
        network: settings.
        training: settings.
        vocabulary: number of words.
    """
    with torch.device("meta"):  # tensors of this device have a shape, and take no memory
        parameters = sum(value.nbytes for value in build(network, vocabulary).parameters())
    return parameters * (5 if training.optimizer == "adamw" else 2)


def check_memory(build: type[LanguageNetwork], network: LMConfig, training: LMTraining, vocabulary: int) -> None:
    """Refuse a training whose parameters cannot fit into this machine's memory; the arguments are ``least_memory``'s.

    Raises:
        ConfigError: says how much memory it needs at least, and how much there is.
    """
    needed, available = least_memory(build, network, training, vocabulary), total_memory()
    if available is not None and needed > available:
        raise ConfigError(
            f"this needs more than {needed / 2**30:,.1f} GiB of memory, but there are {available / 2**30:,.1f}: its "
            f"parameters are those of {vocabulary:,} words x ", Setting("dim"), f" {network.dim:,} and ",
            Setting("memory_size"), f" {network.memory_size:,}; lower one of them (", Setting("max_words"), " and ",
            Setting("min_count"), " change the number of words)",
        )  # fmt: skip


def total_memory() -> int | None:
    """Return how many bytes of memory this process may use in all; None if the system does not say."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        return min(memory, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # the file is missing, or says "max"
        return memory
