"""The loss of a text under a network, and the log-probability of each of its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memn2n.lm.networks.output import log_probability
from memn2n.lm.windows import contiguous, window_batch
from memn2n.machine import own_torch_state

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    import torch
    from torch import Tensor

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.networks import LanguageNetwork


def mean_loss(
    network: LanguageNetwork, ids: Ids, precision: torch.dtype, stop: threading.Event | None = None
) -> float | None:
    """Return the mean loss, in nats, of all words of a text but the first; None once ``stop`` is set."""
    total = 0.0
    for log_probabilities in log_probabilities_of(network, ids, precision):
        if stop is not None and stop.is_set():
            return None
        total -= log_probabilities.double().sum().item()
    return total / (len(ids) - 1)


def log_probabilities_of(network: LanguageNetwork, ids: Ids, precision: torch.dtype) -> Iterator[Tensor]:
    """Yield the log-probabilities of a text's words in order, some words at a time; the first word has none.

    Args:
        network: on any device.
        ids: (words) ids of the text, 2 or more.
        precision: of the products.
    """
    device = network.A.device
    for starts, length in contiguous(len(ids)):
        with own_torch_state(grad=False):  # only here: the caller's code runs between two parts
            batch = window_batch(ids, starts, length, network.config.memory_size, device)
            state = network(batch.words, batch.missing, None, precision).state
            found = log_probability(state.flatten(0, 1), network.output_matrix, batch.target.flatten(), precision)
        yield found
