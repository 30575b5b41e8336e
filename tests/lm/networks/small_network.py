"""Small networks, and the equations in plain loops, that the tests of the networks share."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from memn2n import LMConfig
from memn2n.lm.networks.memn2n import LMNetwork

Array = npt.NDArray[np.float64]
WORDS = 23


class Case(NamedTuple):
    net: LMNetwork
    words: Tensor
    target: Tensor
    missing: Tensor | None


def made(
    config: LMConfig, batch: int, block: int, missing: list[int] | None, seed: int, dtype: torch.dtype = torch.float64
) -> Case:
    generator = torch.Generator().manual_seed(seed)
    net = LMNetwork(config, WORDS, generator, init_std=0.3).to(dtype)
    ids = torch.randint(WORDS, (batch, config.memory_size + block), generator=generator)
    return Case(
        net, ids[:, :-1], ids[:, config.memory_size :], None if missing is None else torch.tensor(missing)
    )  # fmt: skip


def gradients(net: LMNetwork, loss: Tensor) -> dict[str, Tensor]:
    net.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    found = {}
    for name, value in net.named_parameters():
        assert value.grad is not None, name
        found[name] = value.grad.to_dense() if value.grad.is_sparse else value.grad.clone()
    return found


def assert_near(found: Tensor, wanted: Tensor, tolerance: float, what: str = "", scale: float = 0.01) -> None:
    """Equal relative to the largest component, or to ``scale`` where all are smaller."""
    assert found.shape == wanted.shape
    off = (found - wanted).abs().max().item()
    assert off <= tolerance * max(wanted.abs().max().item(), scale), f"{what}: {off}"


def transcription(net: LMNetwork, words: list[int], kept: Array | None = None) -> tuple[Array, Array]:
    """Equations 1 to 4 for one position, in plain loops; returns log-probabilities and attention.

    Args:
        net: the parameters.
        words: what the memory holds, oldest first; fewer than N at the beginning of a text.
        kept: (hops, d) factors of dropout.
    """
    config = net.config
    A, C, W, T_A, T_C, H = (x.detach().numpy() for x in (net.A, net.C, net.output_matrix, net.T_A, net.T_C, net.H))
    n = len(words)
    m = [A[word] + T_A[n - 1 - i] for i, word in enumerate(words)]  # the latest word has time 0
    c = [C[word] + T_C[n - 1 - i] for i, word in enumerate(words)]
    u = np.full(config.dim, config.query)
    attention = np.zeros((config.hops, n))
    for hop in range(config.hops):
        scores = np.exp([u @ m_i for m_i in m])
        attention[hop] = scores / scores.sum()  # (1)
        o = sum(p_i * c_i for p_i, c_i in zip(attention[hop], c, strict=True))  # (2)
        u = H @ u + o  # (4)
        for k in range(config.linear_components, config.dim):
            u[k] = max(u[k], 0.0)
        if kept is not None:
            u = u * kept[hop]
    logits = W @ u
    return logits - np.log(np.exp(logits).sum()), attention  # (3)


def gradients_of_state(net: LMNetwork, state: Tensor) -> dict[str, Tensor]:
    names = ("A", "C", "T_A", "T_C", "H")
    return dict(zip(names, torch.autograd.grad(state.sin().sum(), [getattr(net, name) for name in names]), strict=True))
