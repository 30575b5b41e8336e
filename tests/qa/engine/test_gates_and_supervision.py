"""The gates and the attention supervision of the engine against PyTorch: loss, every gradient and training."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from memn2n import Example, NetworkConfig, TrainingConfig
from memn2n.qa import engine
from memn2n.qa.batch import Batch, Layout, make_batch
from memn2n.qa.engine import native_network, native_stories
from memn2n.qa.networks import Stage
from memn2n.qa.networks.memn2n import QANetwork
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet
from memn2n.qa.training.native_loop import NativeLoop
from memn2n.qa.training.torch_loop import TorchLoop
from tests.qa.engine.cases import EVERYTHING, MEMORY, SHAPE, STORIES, VOCABULARY

LOSS, GRADIENT, TRAINED = 1e-5, 1e-4, 1e-3  # relative, the gradients' to the largest component of their kind
LEAST = 1e-20  # see supervision.hpp
BOOLEANS = [False, True]

Ints = npt.NDArray[np.int32]
Doubles = npt.NDArray[np.float64]


def network(std: float = 0.4, **settings: Any) -> Parameters:
    config = NetworkConfig(**{"memory_size": MEMORY, **settings})
    return Parameters.draw(config, SHAPE, np.random.default_rng(1), std)


def in_double(net: Parameters) -> QANetwork:
    """The network of PyTorch in float64, on a copy of the parameters."""
    assert isinstance(net.config, NetworkConfig)
    return QANetwork(
        net.config, net.shape, {name: torch.from_numpy(array).double() for name, array in net.arrays.items()}
    )


def expected(net: Parameters, batch: Batch[Any], stage: Stage) -> tuple[float, dict[str, Doubles]]:
    """Loss and gradients by PyTorch's autograd in float64."""
    double = in_double(net)
    loss = double.loss(batch.tensors(), stage).total
    torch.autograd.backward(loss)
    gradients = {name: parameter.grad for name, parameter in double.named_parameters()}
    return loss.item(), {
        name: np.zeros(array.shape) if (found := gradients[name]) is None else found.numpy()
        for name, array in net.arrays.items()
    }


def check(found: tuple[float, list[Any]], wanted: tuple[float, dict[str, Doubles]]) -> None:
    assert found[0] == pytest.approx(wanted[0], rel=LOSS)
    largest: dict[str, float] = {}
    for name, gradient in wanted[1].items():
        kind = name.split(".")[0]
        largest[kind] = max(largest.get(kind, 0.0), float(np.abs(gradient).max()))
    for (name, gradient), mine in zip(wanted[1].items(), found[1], strict=True):
        tolerance = GRADIENT * largest[name.split(".")[0]] + 1e-12
        np.testing.assert_allclose(mine.reshape(gradient.shape), gradient, rtol=0, atol=tolerance, err_msg=name)


def flags(stories: StorySet, memory: int) -> list[list[bool]]:
    """Whether each sentence in the memory of each example is a supporting fact, latest sentence first."""
    parts = (np.split(values, start[1:-1]) for values, start in
             ((stories.story, stories.story_start), (stories.support, stories.support_start)))  # fmt: skip
    return [
        [position in support for position in reversed(range(len(story)))][:memory]
        for story, support in zip(*parts, strict=True)
    ]


def test_the_cases_have_what_is_special() -> None:
    """Facts beyond the memory, several facts in one memory, stories without facts, and facts whose text is repeated."""
    in_memory = [sum(of_example) for of_example in flags(STORIES, MEMORY)]
    assert sum(in_memory) < len(STORIES.support)
    assert set(in_memory) >= {0, 1, 2}
    stories = np.split(STORIES.story, STORIES.story_start[1:-1])
    supports = np.split(STORIES.support, STORIES.support_start[1:-1])
    assert any((story[support, None] == story).sum(1).max(initial=0) > 1
               for story, support in zip(stories, supports, strict=True))  # fmt: skip


@pytest.mark.parametrize("gate", BOOLEANS)
@pytest.mark.parametrize("supervision", [0.0, 0.7])
@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
@pytest.mark.parametrize("relu", BOOLEANS)
@pytest.mark.parametrize("dim", [1, 7, 20, 50, 130])
def test_loss_and_gradients(gate: bool, supervision: float, tying: str, relu: bool, dim: int) -> None:
    stories, batch = native_stories(STORIES), make_batch(STORIES, EVERYTHING, MEMORY)
    for hops in range(1, 9):
        net = network(0.4 / dim**0.25, gate=gate, dim=dim, hops=hops, tying=tying, relu=relu,
                      temporal=("none", "add", "word")[hops % 3], empty_slots=("keep", "mask")[hops % 2])  # fmt: skip
        linear = hops == 2  # with more hops, the values grow so large that rounding shows
        wanted = expected(net, batch, Stage(linear, supervision))
        for instructions in engine.instruction_sets():
            native = native_network(net, instructions)
            check(native.gradients(stories, EVERYTHING, linear, supervision=supervision), wanted)


class SameMemories:
    """Noise that is no longer random: the memories that the engine drew."""

    def __init__(self, start: Ints, sentence: Ints, time: Ints, fact: Ints) -> None:
        filled = np.diff(start).astype(np.int64)
        present = np.arange(filled.max()) < filled[:, None]

        def padded(values: Ints) -> npt.NDArray[np.int64]:
            rows = np.zeros(present.shape, np.int64)
            rows[present] = values
            return rows

        self.layout = Layout(padded(sentence), padded(sentence), padded(fact) > 0, padded(time), filled)

    def memory(self, layout: Layout) -> Layout:
        return self.layout

    def words(self, words: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return words


@pytest.mark.parametrize("noise", ["none", "jitter", "empty"])
@pytest.mark.parametrize("gate", BOOLEANS)
def test_memories_with_noise(noise: str, gate: bool) -> None:
    """The engine draws the noise, and both compute with the same memories."""
    net = network(gate=gate)
    start, sentence, time, fact = drawn(net, STORIES, EVERYTHING, noise=noise, noise_rate=0.6)
    batch = make_batch(STORIES, EVERYTHING, MEMORY, SameMemories(start, sentence, time, fact))
    native = native_network(net)
    found = native.gradients(native_stories(STORIES), EVERYTHING, False, (start, sentence, time, fact), 0.5)
    check(found, expected(net, batch, Stage(supervision=0.5)))
    without_noise = native.gradients(native_stories(STORIES), EVERYTHING, False, supervision=0.5)
    assert (noise == "none") == (found[0] == without_noise[0])


def drawn(net: Parameters, stories: StorySet, examples: npt.NDArray[np.int64], **settings: Any) -> list[Ints]:
    loop = NativeLoop(net, stories, np.arange(len(stories)), TrainingConfig(**settings), np.random.default_rng(0))
    return [np.array(part, np.int32) for part in loop.trainer.draw(examples)]


@pytest.mark.parametrize("noise", ["none", "jitter", "empty"])
@pytest.mark.parametrize("memory", [MEMORY, 3])
def test_facts_are_positions_with_any_noise(noise: str, memory: int) -> None:
    """Sentences with the same text are told apart, and facts that the memory drops are gone."""
    wanted, dropped = flags(STORIES, memory), 0
    examples = np.repeat(EVERYTHING, 20)
    start, sentence, _, fact = drawn(network(memory_size=memory), STORIES, examples, noise=noise, noise_rate=1.0)
    for e, first, end in zip(examples, start[:-1], start[1:], strict=True):
        of_words = sentence[first:end] >= 0
        found = fact[first:end]
        assert not found[~of_words].any(), "an empty sentence is no fact"
        assert found[of_words].tolist() == wanted[e][: of_words.sum()]
        dropped += len(wanted[e]) - of_words.sum()
    assert (dropped > 0) == (noise == "empty")


def test_a_fact_that_is_given_twice_counts_once() -> None:
    once, twice = (
        StorySet.encode([Example(("a.", "b."), "a?", "b", support)], VOCABULARY) for support in ((1,), (1, 1))
    )
    native, first = native_network(network()), np.array([0])
    losses = [native.gradients(native_stories(stories), first, False, supervision=1)[0] for stories in (once, twice)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("hops", [1, 2, 3])
@pytest.mark.parametrize("logarithm", [-15, -19, -21, -24, -30])
def test_attention_around_the_floor(hops: int, logarithm: int) -> None:
    """The fact's score is below that of the other sentence by a known amount, in every hop."""
    stories = StorySet.encode([Example(("a.", "b."), "c?", "d", (0,))], VOCABULARY)
    net = network(0.02, dim=8, hops=hops, temporal="none", encoding="bow", tying="layerwise", empty_slots="mask")
    a, b, c = (VOCABULARY.encode(word)[0] for word in "abc")
    net.arrays["tables.0"][a, 0] = logarithm * np.log(10)
    net.arrays["tables.0"][b, 0] = 0
    net.arrays["tables.2"][c, 0] = 1
    net.arrays["H"][...] = np.eye(8)
    wanted = expected(net, make_batch(stories, np.array([0]), MEMORY), Stage(supervision=2.0))
    for instructions in engine.instruction_sets():
        found = native_network(net, instructions).gradients(
            native_stories(stories), np.array([0]), False, supervision=2.0
        )
        check(found, wanted)


@pytest.mark.parametrize("std", [3.0, 30.0, 1e3])
@pytest.mark.parametrize("gate", BOOLEANS)
@pytest.mark.parametrize("hops", [1, 3])
def test_attention_that_underflows_gives_finite_values(std: float, gate: bool, hops: int) -> None:
    net = network(std, hops=hops, gate=gate)
    batch = make_batch(STORIES, EVERYTHING, MEMORY)
    _, attention = in_double(net)(batch.tensors())
    assert (std >= 30) <= bool((attention.detach().numpy()[:, batch.support].max(0) < LEAST).any())
    for instructions in engine.instruction_sets():
        loss, gradients = native_network(net, instructions).gradients(
            native_stories(STORIES), EVERYTHING, False, supervision=1e6
        )
        assert np.isfinite(loss)
        assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("supervision", [0.0, 0.5])
@pytest.mark.parametrize(("tying", "relu"), [("adjacent", False), ("layerwise", True)])
@pytest.mark.parametrize(
    ("optimizer", "clip", "clip_norm"),
    [("sgd", "frobenius", 40.0), ("sgd", "frobenius", 0.5), ("sgd", "spectral", 0.5), ("adam", "spectral", 0.5)],
)
def test_fifty_steps(supervision: float, tying: str, relu: bool, optimizer: str, clip: str, clip_norm: float) -> None:
    config = TrainingConfig.from_dict({"optimizer": optimizer, "clip": clip, "clip_norm": clip_norm, "noise": "none"})
    theirs, mine, start = (network(0.1, gate=True, dim=13, tying=tying, relu=relu) for _ in range(3))
    rng = np.random.default_rng(3)
    loop = NativeLoop(mine, STORIES, EVERYTHING, config, rng)
    torch_loop = TorchLoop(theirs, STORIES, EVERYTHING, config, rng)
    for step in range(50):
        chosen, rate = rng.choice(EVERYTHING, 32), config.first_rate * 0.5 ** (step // 20)
        stage = Stage(step < 10, supervision)
        their_loss, their_mistakes = torch_loop.step(make_batch(STORIES, chosen, MEMORY), rate, stage)
        loss, mistakes = loop.trainer.step(chosen, rate, *stage)
        assert loss == pytest.approx(their_loss, rel=1e-3)
        assert abs(mistakes - their_mistakes) <= 1
    for name, one in mine.arrays.items():
        scale = float(np.abs(theirs.arrays[name]).max())
        np.testing.assert_allclose(one, theirs.arrays[name], rtol=0, atol=TRAINED * scale, err_msg=name)
        assert not np.array_equal(one, start.arrays[name]), f"{name} is trained"


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
def test_scores_and_predictions_of_a_gated_network(tying: str) -> None:
    net, batch = network(gate=True, tying=tying), make_batch(STORIES, EVERYTHING, MEMORY).tensors()
    native, stories = native_network(net), native_stories(STORIES)
    for linear in BOOLEANS:
        loss, wrong = in_double(net).loss(batch, Stage(linear))
        found_loss, found_wrong = native.score(stories, EVERYTHING, linear)
        assert found_loss == pytest.approx(loss.item(), rel=LOSS)
        assert found_wrong == wrong
    logits, attention = in_double(net)(batch)
    probabilities, found = native.predict(stories, EVERYTHING)
    np.testing.assert_allclose(probabilities, logits.softmax(1)[:, net.shape.answers].detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(found, attention.detach().numpy(), atol=1e-5)


def test_supervision_draws_attention_to_the_facts() -> None:
    """An epoch passes the weight on, and the linear start ignores it."""
    losses, picked = {}, {}
    config = TrainingConfig(noise="jitter")
    facts = make_batch(STORIES, EVERYTHING, MEMORY).support
    for weight in (0.0, 1.0):
        net = network(0.1)
        trainer = NativeLoop(net, STORIES, EVERYTHING, config, np.random.default_rng(0)).trainer
        losses[weight] = trainer.epoch(0.01, True, weight)[0]
        for _ in range(200):
            trainer.epoch(0.01, False, weight)
        _, p = native_network(net).predict(native_stories(STORIES), EVERYTHING)
        picked[weight] = 1 - np.prod(1 - p, axis=0)[facts].mean()
    assert losses[0.0] == losses[1.0]
    assert picked[1.0] > 0.8 > picked[0.0]
