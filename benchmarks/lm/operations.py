"""Floating-point operations of a training step of the language model, counted from the shapes.

Only matrix products are counted, with two operations for a multiply-add. Softmax, ReLU, dropout and the update are left
out. The peak that these counts are compared with is that of a matrix product too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.lm.config import LMConfig


def sliding_operations(network: LMConfig, vocabulary: int, block: int) -> dict[str, float]:
    """Count the operations a word of the package's training on blocks of L words, by part.

    With d components, K hops, memory size N and V words in the vocabulary, the forward pass of a word takes::

        output   2 V d
        words    2 (L + N - 1) d  in each hop for the memory output, and in each hop but the first for the scores
        times    2 N d            likewise
        state    2 d d            in each hop but the first

    The backward pass takes twice as many, since both factors of a product have a gradient. The first hop has a constant
    state, whose scores need no product of matrices. The products of a block are with all L + N - 1 words that its
    positions read together, although each position reads only N of them. The count includes these operations. It does
    not include the zeros that pad rows of the gradient of W to a multiple of 8.
    """
    d, K, N = network.dim, network.hops, network.memory_size
    return {
        "output": 3 * 2 * vocabulary * d,
        "words": 3 * (2 * K - 1) * 2 * (block + N - 1) * d,
        "times": 3 * (2 * K - 1) * 2 * N * d,
        "state": 3 * (K - 1) * 2 * d * d,
    }


def naive_operations(network: LMConfig, vocabulary: int) -> dict[str, float]:
    """Count the operations a word of training with ``LMNetwork.windows``, where word and time are one vector.

    The forward pass takes 2 V d, and in each of K hops 2 N d for the scores, 2 N d for the memory output, and 2 d d.
    The backward pass takes twice as many, except that the first hop's state is constant and has no gradient.
    """
    d, K, N = network.dim, network.hops, network.memory_size
    return {
        "output": 3 * 2 * vocabulary * d,
        "words": (3 * 2 * K - 1) * 2 * N * d,
        "state": (3 * K - 1) * 2 * d * d,
    }
