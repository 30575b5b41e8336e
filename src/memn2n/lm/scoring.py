"""How well a network predicts a text: its loss, and the log-probability of each word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from memn2n.lm.networks.output import log_probability
from memn2n.lm.windows import contiguous, window_batch

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from torch import Tensor

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.networks.memn2n import LMNetwork


@torch.no_grad()
def mean_loss(
    network: LMNetwork, ids: Ids, precision: torch.dtype, stop: threading.Event | None = None
) -> float | None:
    """Mean loss in nats over every word of a text but the first; None where ``stop`` was set meanwhile."""
    total = 0.0
    for log_probabilities in log_probabilities_of(network, ids, precision):
        if stop is not None and stop.is_set():
            return None
        total -= log_probabilities.double().sum().item()
    return total / (len(ids) - 1)


@torch.no_grad()
def log_probabilities_of(network: LMNetwork, ids: Ids, precision: torch.dtype) -> Iterator[Tensor]:
    """Yield the log-probabilities of a text's words in their order, some at a time; the first word has none.

    Args:
        network: whatever device it is on.
        ids: (words) two or more.
        precision: of the products.
    """
    device = network.A.device
    for starts, length in contiguous(len(ids)):
        batch = window_batch(ids, starts, length, network.config.memory_size, device)
        state = network(batch.words, batch.missing, None, precision).state
        yield log_probability(state.flatten(0, 1), network.W, batch.target.flatten(), precision)
