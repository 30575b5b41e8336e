"""The parts of a memory network: encoding sentences as vectors, attention over the memory, reading, and the loss.

Sukhbaatar, Szlam, Weston, Fergus: End-To-End Memory Networks (2015), sections 2 and 4.1.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from memn2n.qa.batch import Batch
from memn2n.qa.config import DataShape, Encoding
from memn2n.qa.networks import Loss, Stage
from memn2n.qa.vocabulary import NULL

LEAST_ATTENTION = 1e-20
"""Smallest attention whose logarithm the supervision takes."""


def position_weights(
    words: Int[Tensor, "sentence word"], *, dim: int, encoding: Encoding, longest: int, last: int, dtype: torch.dtype
) -> Float[Tensor, "sentence word dim"] | None:
    """The position encoding: weight l_kj of component k of the j-th word (section 4.1); None if all weights are 1.

    With k = 1..d and j = 1..J::

        pe            l_kj = (1 - j/J) - (k/d) (1 - 2j/J)                    J: words in this sentence
        pe-official   l_kj = 1 + 4 (k - (d+1)/2) (j - (J+1)/2) / (d J)       J: ``longest``, for all sentences

    Args:
        words: word ids, padded with ``NULL`` at the end. The weights of padding have no meaning.
        dim: d.
        encoding: "bow", "pe" or "pe-official".
        longest: J of "pe-official".
        last: with "pe-official", the largest j: later words have the weight of this one. The formula grows without
            bound beyond the longest training sentence.
        dtype: type of the weights.
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
    """The weights of the official code. With time words, j = ``longest`` is the time word."""
    return 1 + 4 * (k - (dim + 1) / 2) * (j - (longest + 1) / 2) / (dim * longest)


def encode_sentences(
    words: Int[Tensor, "sentence word"],
    weights: Float[Tensor, "sentence word dim"] | None,
    table: Float[Tensor, "row dim"],
) -> Float[Tensor, "sentence dim"]:
    """Encode each sentence as the weighted sum of its word embeddings: m_i = sum_j l_j * A x_ij (section 4.1).

    Row ``NULL`` of the table must be zero, so that padding adds nothing. It gets no gradient.
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
    """Attention over the sentences in memory: p = softmax(u . m_i) (equation 1).

    An empty slot has m = 0, so its score is 0. All empty slots together act like one more slot with the score
    log(empty), which is added for the softmax and removed from the result. So stories need no padding to the size of
    the memory, and the attention of a story does not depend on the other stories of its batch.

    Args:
        u: the state.
        m: the memory inputs. Only the first ``filled`` slots of each story count.
        filled: number of sentences.
        empty: number of empty slots that take part.
        linear: leave out the softmax: p = u . m_i (linear start, section 4.1). Empty slots have no effect then.

    Returns:
        The weights, 0 beyond ``filled``. They sum to 1 minus the attention on empty slots.
    """
    scores = torch.einsum("bd,bnd->bn", u, m)  # (batch, slot)
    present = torch.arange(m.shape[1], device=m.device) < filled[:, None]  # (batch, slot)
    if linear:
        return scores.masked_fill(~present, 0.0)
    empty = torch.where(filled == 0, 1, empty)  # an empty story: all attention is on an empty slot
    rest = empty.to(u.dtype).log()[:, None]  # (batch, 1), -inf without empty slots
    masked = torch.cat([scores.masked_fill(~present, -torch.inf), rest], 1)  # (batch, slot + 1)
    return masked.softmax(1)[:, :-1]


def read(p: Float[Tensor, "batch slot"], c: Float[Tensor, "batch slot dim"]) -> Float[Tensor, "batch dim"]:
    """Read from memory: o = sum_i p_i c_i (equation 2)."""
    return torch.einsum("bn,bnd->bd", p, c)


def loss_of(
    logits: Float[Tensor, "batch row"],
    attention: Float[Tensor, "hop batch slot"],
    batch: Batch[Tensor],
    stage: Stage,
    shape: DataShape,
) -> Loss:
    """The loss of a batch: the cross-entropy of the right answers, and the supervision of the attention.

    Args:
        logits: what the network computed.
        attention: what the network computed, latest sentence first.
        batch: has the right answers and the supporting facts.
        stage: the weight of the supervision.
        shape: which columns of the logits are answers.
    """
    total = torch.nn.functional.cross_entropy(logits, batch.answer, reduction="sum")
    if stage.supervision and batch.support is not None and not stage.linear:
        total = total + stage.supervision * attention_loss(attention, batch.support)
    best = logits[:, shape.answers].argmax(1) + shape.answers.start
    return Loss(total, int((best != batch.answer).sum()))


def attention_loss(
    attention: Float[Tensor, "hop batch slot"], support: Bool[Tensor, "batch slot"]
) -> Float[Tensor, ""]:
    """The cost of attention that misses supporting facts, summed over the batch.

    Each fact s costs -log(1 - prod_k (1 - p_s^k)), where p_s^k is what hop k gives to it: minus the logarithm of the
    probability that at least one hop picks it, if each hop picked a sentence by its attention.
    """
    of_facts = attention[:, support]  # (hop, fact)
    some_hop = torch.zeros_like(of_facts[0])
    for p in of_facts:
        some_hop = some_hop + (1 - some_hop) * p
    # Below the least attention, the logarithm and its gradient are those of the least.
    missing = (LEAST_ATTENTION - some_hop).clamp(min=0).detach()
    return -(some_hop + missing).log().sum()
