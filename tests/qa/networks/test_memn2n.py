"""The network against an independent implementation of the paper's equations, its gradients and its invariances."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memn2n import Example, NetworkConfig
from memn2n.qa.batch import Batch, make_batch
from memn2n.qa.config import DataShape
from memn2n.qa.networks import Stage
from memn2n.qa.networks.memn2n import QANetwork
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet
from memn2n.qa.vocabulary import NULL, UNKNOWN, Vocabulary

Array = npt.NDArray[np.float64]

EXAMPLES = [
    Example(("a b c.", "d e.", "b.", "c a d e."), "a e?", "b"),
    Example(("e d c b a.",), "b d c?", "e"),
    Example(("a b.", "a b.", "c q."), "d?", "a"),  # q is unknown
    Example(("a b c d e a b c d.",), "e a e a e a e?", "c"),  # sentences longer than longest_sentence
    Example(tuple("a b d."[i % 3] + " c e." for i in range(9)), "c?", "d"),  # longer than the memory
]
VOCABULARY = Vocabulary.build(["a b c d e"], [])
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)
SHAPE = DataShape(len(VOCABULARY), longest_sentence=5, slots=6)
MEMORY = 7  # more than slots: the oldest sentence shares the last time

OPTIONS: dict[str, tuple[Any, ...]] = {
    "encoding": ("bow", "pe", "pe-official"),
    "temporal": ("none", "add", "word"),
    "tying": ("adjacent", "layerwise"),
    "relu": (False, True),
    "empty_slots": ("keep", "mask"),
    "answer_softmax": ("words", "all"),
    "gate": (False, True),
    "hops": (1, 2, 4),
}
CONFIGS = [
    NetworkConfig(dim=5, memory_size=MEMORY, **dict(zip(OPTIONS, values, strict=True)))
    for values in itertools.product(*OPTIONS.values())
    if values[:2] != ("pe", "word")
]
CONFIGS += [
    NetworkConfig(dim=5, memory_size=MEMORY, tying=tying, state_matrix=matrix, relu=linear is not None,
                  linear=linear or 0.0, gate=gate)
    for tying in ("adjacent", "layerwise")
    for matrix in ("none", "random", "identity")
    for linear in (None, 0.0, 0.4, 1.0)
    for gate in (False, True)
]  # fmt: skip


def parameters(config: NetworkConfig, std: float = 0.7) -> Parameters:
    """Parameters whose unknown word is not zero, as after training."""
    drawn = Parameters.draw(config, SHAPE, np.random.default_rng(1), std)
    for name in drawn.words():
        drawn.arrays[name][UNKNOWN] = np.random.default_rng(2).standard_normal(config.dim)
    return drawn


def network(config: NetworkConfig, std: float = 0.7) -> QANetwork:
    """A network in float64."""
    arrays = parameters(config, std).arrays
    return QANetwork(
        config, SHAPE, {name: torch.from_numpy(array.astype(np.float64)) for name, array in arrays.items()}
    )


def batch_of(*examples: int) -> Batch[torch.Tensor]:
    """The batch of these examples; by default of all."""
    chosen = np.array(examples) if examples else np.arange(len(EXAMPLES))
    return make_batch(STORIES, chosen, MEMORY).tensors()


def transcription(net: QANetwork, example: Example, linear: bool) -> tuple[Array, Array]:
    """Equations 1 to 4 for one example, with every memory slot; returns logits and attention."""
    config, d = net.config, net.config.dim
    tables = [table.detach().numpy() for table in net.tables]
    hops = config.hops
    if config.tying == "adjacent":
        A, C, B, W = tables[:hops], tables[1:], tables[0], tables[hops]
    else:
        A, C, B, W = [tables[0]] * hops, [tables[1]] * hops, tables[2], tables[3]

    longest = SHAPE.longest_sentence + (config.temporal == "word")

    def official(k: int, j: int) -> float:
        return 1 + 4 * (k - (d + 1) / 2) * (j - (longest + 1) / 2) / (d * longest)

    def weight(k: int, j: int, J: int) -> float:
        if config.encoding == "bow":
            return 1.0
        if config.encoding == "pe":
            return (1 - j / J) - (k / d) * (1 - 2 * j / J)
        return official(k, min(j, SHAPE.longest_sentence))

    def sentence(text: str, E: Array) -> Array:
        words = VOCABULARY.encode(text)
        vector = np.zeros(d)
        for j, word in enumerate(words, 1):
            for k in range(1, d + 1):
                vector[k - 1] += weight(k, j, len(words)) * E[word, k - 1]
        return vector

    def time(i: int, E: Array, table: int) -> Array:
        i = min(i, SHAPE.slots - 1)
        if config.temporal == "none":
            return np.zeros(d)
        if config.temporal == "add":
            found: Array = net.times[table].detach().numpy()[i]
            return found
        last = [1.0 if config.encoding == "bow" else official(k, longest) for k in range(1, d + 1)]
        weighted: Array = np.array(last) * E[SHAPE.vocabulary + i]
        return weighted

    latest_first = example.story[::-1][:MEMORY]
    n = len(latest_first)
    size = max(n, SHAPE.slots) if config.empty_slots == "keep" else n
    u = sentence(example.question, B)
    attention = np.zeros((hops, n))
    for hop in range(hops):
        in_table, out_table = (hop, hop + 1) if config.tying == "adjacent" else (0, 1)
        m, c = np.zeros((size, d)), np.zeros((size, d))
        for i, text in enumerate(latest_first):
            m[i] = sentence(text, A[hop]) + time(i, A[hop], in_table)
            c[i] = sentence(text, C[hop]) + time(i, C[hop], out_table)
        p = m @ u
        if not linear:
            p = np.exp(p) / np.exp(p).sum()  # (1)
        attention[hop] = p[:n]
        o = sum(p[i] * c[i] for i in range(size))  # (2)
        carried = u if net.H is None else net.H.detach().numpy() @ u
        if config.gate:  # Liu and Perez 2016
            G, b = net.gates[hop].detach().numpy(), net.gate_biases[hop].detach().numpy()
            x = np.array([sum(G[k, j] * u[j] for j in range(d)) + b[k] for k in range(d)])
            T = np.exp(-np.logaddexp(0, -x))  # sigmoid
            u = o * T + carried * (1 - T)
        else:
            u = carried + o  # (4)
        if config.relu:
            u[config.linear_components :] = np.maximum(u[config.linear_components :], 0)
    return W @ u, attention  # (3) without its softmax


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_forward_is_the_papers_equations(config: NetworkConfig) -> None:
    net = network(config)
    for linear in (False, True):
        logits, attention = net(batch_of(), Stage(linear))
        for i, example in enumerate(EXAMPLES):
            expected, weights = transcription(net, example, linear)
            open_ = np.ones(len(expected), bool)
            open_[UNKNOWN] = False
            if config.answer_softmax == "words":
                open_[NULL] = False
                open_[SHAPE.vocabulary :] = False
            found = logits[i].detach().numpy()
            np.testing.assert_allclose(found[open_], expected[open_], rtol=1e-9, atol=1e-9)
            assert np.all(found[~open_] == -np.inf)
            n = weights.shape[1]
            np.testing.assert_allclose(attention[:, i, :n].detach().numpy(), weights, rtol=1e-9, atol=1e-9)
            assert not attention[:, i, n:].any()


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.hops == 2 and c.answer_softmax == "all"], ids=str)
@pytest.mark.parametrize("linear", [False, True])
def test_gradients(config: NetworkConfig, linear: bool) -> None:
    net = network(config, 0.3)
    batch = batch_of(0, 1, 2)
    names = [name for name, _ in net.named_parameters()]

    def held(name: str, value: torch.Tensor) -> torch.Tensor:
        """The parameter with the null word's row at zero, where training keeps it; padding gets no gradient."""
        if not name.startswith("tables."):
            return value
        return torch.cat([torch.zeros_like(value[:1]), value[1:]])

    def cost(*parameters: torch.Tensor) -> torch.Tensor:
        given = {name: held(name, value) for name, value in zip(names, parameters, strict=True)}
        logits, _ = torch.func.functional_call(net, given, (batch, Stage(linear)))
        return torch.nn.functional.cross_entropy(logits, batch.answer, reduction="sum")

    assert torch.autograd.gradcheck(cost, tuple(p.detach().requires_grad_() for p in net.parameters()), fast_mode=True)


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.hops == 4], ids=str)
def test_an_answer_does_not_depend_on_its_batch(config: NetworkConfig) -> None:
    net, answers = network(config, 0.5), SHAPE.answers
    logits, attention = net(batch_of())
    shuffled, _ = net(batch_of(3, 1, 3, 0, 2, 4))
    for i in range(len(EXAMPLES)):
        alone, looked = net(batch_of(i))
        n = looked.shape[2]
        assert torch.allclose(alone[0, answers], logits[i, answers], atol=1e-9, rtol=0)
        assert torch.allclose(looked[:, 0], attention[:, i, :n], atol=1e-9, rtol=0)
        assert torch.allclose(alone[0, answers], shuffled[[3, 1, 4, 0, 5][i], answers], atol=1e-9, rtol=0)


def test_padding_gets_no_gradient() -> None:
    """Padding must not count in the norm that is clipped."""
    net = network(NetworkConfig(dim=5, hops=2, memory_size=MEMORY, answer_softmax="words"))
    batch = batch_of()
    assert (batch.sentences[1:] == NULL).any()
    logits, _ = net(batch)
    torch.autograd.backward(torch.nn.functional.cross_entropy(logits, batch.answer))
    for table in net.tables:
        assert table.grad is not None
        assert not table.grad[NULL].any()
