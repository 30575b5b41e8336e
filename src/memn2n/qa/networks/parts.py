"""The parts of an end-to-end memory network: sentences as vectors, and one hop of attention.

Sukhbaatar, Szlam, Weston, Fergus: End-To-End Memory Networks (2015), sections 2 and 4.1.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from memn2n.qa.config import Encoding
from memn2n.qa.vocabulary import NULL


def position_weights(
    words: Int[Tensor, "sentence word"], dim: int, encoding: Encoding, longest: int, last: int, dtype: torch.dtype
) -> Float[Tensor, "sentence word dim"] | None:
    """Weight l_kj of component k of the j-th word's embedding (section 4.1), or None where all weigh the same.

    With k = 1..d and j = 1..J::

        pe            l_kj = (1 - j/J) - (k/d) (1 - 2j/J)                    J: words in this sentence
        pe-official   l_kj = 1 + 4 (k - (d+1)/2) (j - (J+1)/2) / (d J)       J: longest, the same for all

    Args:
        words: word ids, padded with ``NULL`` at the end; the weights of padding mean nothing.
        dim: d.
        encoding: "bow", "pe" or "pe-official".
        longest: J of "pe-official".
        last: with "pe-official", the largest j: later words weigh as the word there does. Its weights grow without
            bound beyond J, where no sentence of the training data came.
        dtype: of the weights.
    """
    if encoding == "bow":
        return None
    k = torch.arange(1, dim + 1, dtype=dtype, device=words.device)  # (d)
    j = torch.arange(1, words.shape[1] + 1, dtype=dtype, device=words.device)[:, None]  # (word, 1)
    if encoding == "pe-official":
        weights = official_position_weights(k, j.clamp(max=last), dim, longest)
        return weights.expand(len(words), *weights.shape)  # (sentence, word, d)
    J = (words != NULL).sum(1).clamp(min=1)[:, None, None]  # (sentence, 1, 1)
    return (1 - j / J) - (k / dim) * (1 - 2 * j / J)  # (sentence, word, d)


def official_position_weights(
    k: Float[Tensor, " dim"], j: Float[Tensor, "word 1"], dim: int, longest: int
) -> Float[Tensor, "word dim"]:
    """The official code's weights; the last one, j = ``longest``, weighs the time word."""
    return 1 + 4 * (k - (dim + 1) / 2) * (j - (longest + 1) / 2) / (dim * longest)


def encode_sentences(
    words: Int[Tensor, "sentence word"],
    weights: Float[Tensor, "sentence word dim"] | None,
    table: Float[Tensor, "row dim"],
) -> Float[Tensor, "sentence dim"]:
    """Sum of the (weighted) word embeddings of each sentence: m_i = sum_j l_j * A x_ij.

    The row of ``NULL`` must be zero; then padding adds nothing. It takes no gradient from here either.
    """
    embedded = torch.nn.functional.embedding(words, table, padding_idx=NULL)  # (sentence, word, d)
    return embedded.sum(1) if weights is None else (embedded * weights).sum(1)


def attend(
    u: Float[Tensor, "batch dim"],
    m: Float[Tensor, "batch slot dim"],
    filled: Int[Tensor, " batch"],
    empty: Int[Tensor, " batch"],
    linear: bool = False,
) -> Float[Tensor, "batch slot"]:
    """Attention p = softmax(u . m_i) over the sentences in memory (equation 1).

    An empty slot has m = c = 0, so it scores 0 and weighs exp(0): all of them together are one more column of
    score log(empty), which is left off again. Nothing needs to be padded to the memory's size, and the attention
    of one story does not depend on the others in its batch.

    Args:
        u: state.
        m: memory, the first ``filled`` slots of each story; what the others hold is of no effect.
        filled: number of sentences.
        empty: number of empty slots that take part.
        linear: leave the softmax out, p = u . m_i (linear start, section 4.1); empty slots read 0 then.

    Returns:
        Weights; 0 beyond ``filled``. They sum to 1 less what the empty slots keep.
    """
    scores = torch.einsum("bd,bnd->bn", u, m)  # (batch, slot)
    present = torch.arange(m.shape[1], device=m.device) < filled[:, None]  # (batch, slot)
    if linear:
        return scores.masked_fill(~present, 0.0)
    empty = torch.where(filled == 0, 1, empty)  # a story without sentences reads nothing
    rest = empty.to(u.dtype).log()[:, None]  # (batch, 1), -inf where there is no empty slot
    masked = torch.cat([scores.masked_fill(~present, -torch.inf), rest], 1)  # (batch, slot + 1)
    return masked.softmax(1)[:, :-1]


def read(p: Float[Tensor, "batch slot"], c: Float[Tensor, "batch slot dim"]) -> Float[Tensor, "batch dim"]:
    """What the attention reads from memory: o = sum_i p_i c_i (equation 2)."""
    return torch.einsum("bn,bnd->bd", p, c)
