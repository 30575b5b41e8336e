"""The network against an independent implementation of the paper's equations, its gradients and its invariances."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memn2n import Example, NetworkConfig
from memn2n.qa.batch import make_batch
from memn2n.qa.networks.memn2n import DataShape, QANetwork
from memn2n.qa.stories import StorySet
from memn2n.qa.vocabulary import NULL, SPECIAL, UNKNOWN, Vocabulary

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
    "hops": (1, 2, 4),
}
CONFIGS = [
    NetworkConfig(dim=5, memory_size=MEMORY, **dict(zip(OPTIONS, values, strict=True)))
    for values in itertools.product(*OPTIONS.values())
    if values[:2] != ("pe", "word")
]


def network(config: NetworkConfig, std: float = 0.7) -> QANetwork:
    made = QANetwork(config, SHAPE, torch.Generator().manual_seed(1), std).double()
    with torch.no_grad():
        for table in made.tables:
            table[UNKNOWN] = torch.randn(config.dim, generator=torch.Generator().manual_seed(2))
    return made


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
        u = (u if net.H is None else net.H.detach().numpy() @ u) + o  # (4)
        if config.relu:
            u = np.maximum(u, 0)
    return W @ u, attention  # (3) without its softmax


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_forward_is_the_papers_equations(config: NetworkConfig) -> None:
    net = network(config)
    for linear in (False, True):
        logits, attention = net(make_batch(STORIES, np.arange(len(EXAMPLES)), MEMORY), linear)
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
    batch = make_batch(STORIES, np.arange(3), MEMORY)
    names = [name for name, _ in net.named_parameters()]

    def held(name: str, value: torch.Tensor) -> torch.Tensor:
        """The parameter with the null word's row at zero, where training keeps it; padding gets no gradient."""
        if not name.startswith("tables."):
            return value
        return torch.cat([torch.zeros_like(value[:1]), value[1:]])

    def cost(*parameters: torch.Tensor) -> torch.Tensor:
        given = {name: held(name, value) for name, value in zip(names, parameters, strict=True)}
        logits, _ = torch.func.functional_call(net, given, (batch, linear))
        return torch.nn.functional.cross_entropy(logits, batch.answer, reduction="sum")

    assert torch.autograd.gradcheck(cost, tuple(p.detach().requires_grad_() for p in net.parameters()), fast_mode=True)


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.hops == 4], ids=str)
def test_an_answer_does_not_depend_on_its_batch(config: NetworkConfig) -> None:
    net = QANetwork(config, SHAPE, torch.Generator().manual_seed(3), 0.5)
    logits, attention = net(make_batch(STORIES, np.arange(len(EXAMPLES)), MEMORY))
    shuffled, _ = net(make_batch(STORIES, np.array([3, 1, 3, 0, 2, 4]), MEMORY))
    for i in range(len(EXAMPLES)):
        alone, looked = net(make_batch(STORIES, np.array([i]), MEMORY))
        n = looked.shape[2]
        assert torch.allclose(net.words(alone)[0], net.words(logits)[i], atol=1e-6, rtol=0)
        assert torch.allclose(looked[:, 0], attention[:, i, :n], atol=1e-6, rtol=0)
        assert torch.allclose(net.words(alone)[0], net.words(shuffled)[[3, 1, 4, 0, 5][i]], atol=1e-6, rtol=0)


def test_the_null_word_starts_at_zero_and_no_two_matrices_start_alike() -> None:
    for tying in ("adjacent", "layerwise"):
        net = QANetwork(NetworkConfig(tying=tying, temporal="add"), SHAPE, torch.Generator().manual_seed(0))
        tables = [*net.tables, *net.times]
        for table in net.tables:
            assert not table[NULL].any()
            assert table[SPECIAL:].std().item() == pytest.approx(0.1, rel=0.3)
        for one, other in itertools.combinations(tables, 2):
            rows = min(len(one), len(other))
            assert not torch.allclose(one[SPECIAL:rows], other[SPECIAL:rows])


def test_only_words_are_given_as_answers() -> None:
    net = network(NetworkConfig(dim=5, hops=1, memory_size=MEMORY))
    logits = torch.zeros(1, net.tables[0].shape[0], dtype=torch.float64)
    logits[0, NULL] = logits[0, SHAPE.vocabulary] = 9
    logits[0, SPECIAL + 2] = 1
    assert net.best(logits).tolist() == [SPECIAL + 2]
    assert net.words(logits).shape == (1, SHAPE.vocabulary - SPECIAL)
    assert net.words(logits).argmax() == 2


def test_padding_gets_no_gradient() -> None:
    """Padding must not count in the norm that is clipped."""
    net = network(NetworkConfig(dim=5, hops=2, memory_size=MEMORY, answer_softmax="words"))
    batch = make_batch(STORIES, np.arange(len(EXAMPLES)), MEMORY)
    assert (batch.sentences[1:] == NULL).any()
    logits, _ = net(batch)
    torch.autograd.backward(torch.nn.functional.cross_entropy(logits, batch.answer.clamp(min=SPECIAL)))
    for table in net.tables:
        assert table.grad is not None
        assert not table.grad[NULL].any()
