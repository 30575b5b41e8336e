"""Floating-point operations of a training step of the language model, counted from the shapes.

What is counted is matrix products, a multiply-add as two operations; all else (softmax, ReLU, dropout, the update) is
left out, as it is from the peak that they are compared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memn2n.lm.config import LMConfig


def sliding_operations(network: LMConfig, vocabulary: int, block: int) -> dict[str, float]:
    """Operations a word by part, of the package's training on blocks of L words.

    With d components, K hops, memory N and vocabulary V, a word takes forward::

        output   2 V d
        words    2 (L + N - 1) d  in each hop's read, and as many in each hop's scores but the first's
        times    2 N d            likewise
        state    2 d d            in each hop but the first

    and twice as many back, since both factors of a product have a gradient. The first hop's state is constant: it
    needs no product of matrices but for what is read. A block's scores and reads are products with all the L + N - 1
    words that its positions look at together, of which each looks at N only: these operations are done, and so counted.
    The zeros that fill rows of d up to a multiple of 8 in the gradient of W are not.
    """
    d, K, N = network.dim, network.hops, network.memory_size
    return {
        "output": 3 * 2 * vocabulary * d,
        "words": 3 * (2 * K - 1) * 2 * (block + N - 1) * d,
        "times": 3 * (2 * K - 1) * 2 * N * d,
        "state": 3 * (K - 1) * 2 * d * d,
    }


def naive_operations(network: LMConfig, vocabulary: int) -> dict[str, float]:
    """The same of ``LMNetwork.windows``: word and time are one vector, which autograd gives a gradient in every hop.

    Forward, a word takes 2 V d, and in each of K hops 2 N d for the scores, as many for the read, and 2 d d. Twice as
    many go back, but for the gradient of the first hop's state, which is constant.
    """
    d, K, N = network.dim, network.hops, network.memory_size
    return {
        "output": 3 * 2 * vocabulary * d,
        "words": (3 * 2 * K - 1) * 2 * N * d,
        "state": (3 * K - 1) * 2 * d * d,
    }
