"""The engine against the PyTorch network: loss, every gradient and training, for all combinations of settings."""

import itertools
from typing import Any

import numpy as np
import pytest

from memn2n import TrainingConfig
from memn2n.qa import engine
from memn2n.qa.batch import Layout, make_batch
from memn2n.qa.engine import native_network, native_stories
from memn2n.qa.networks import Stage
from memn2n.qa.parameters import Parameters
from memn2n.qa.predict import predict
from memn2n.qa.training.native_loop import NativeLoop
from memn2n.qa.training.torch_loop import TorchLoop
from memn2n.qa.vocabulary import NULL
from tests.qa.engine.cases import (
    EVERYTHING,
    EXAMPLES,
    MEMORY,
    SENTENCES,
    STORIES,
    batch_of,
    in_double,
    network,
    reference,
)

LOSS, GRADIENT, TRAINED = 1e-5, 1e-4, 1e-3  # relative, the gradients' to the largest component
DIMS = (1, 5, 20, 50, 100)


def check_gradients(net: Parameters, found: tuple[float, list[Any]], expected: tuple[float, dict[str, Any]]) -> None:
    assert found[0] == pytest.approx(expected[0], rel=LOSS)
    assert len(found[1]) == len(expected[1])
    for name, gradient in zip(net.arrays, found[1], strict=True):
        scale = np.abs(expected[1][name]).max()
        np.testing.assert_allclose(gradient, expected[1][name], rtol=0, atol=GRADIENT * scale + 1e-12, err_msg=name)


@pytest.mark.parametrize(("encoding", "temporal"), SENTENCES)
@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
@pytest.mark.parametrize("dim", DIMS)
def test_loss_and_gradients(encoding: str, temporal: str, tying: str, dim: int) -> None:
    stories, batch = native_stories(STORIES), batch_of(EVERYTHING)
    options = itertools.product((False, True), ("keep", "mask"), ("words", "all"), (1, 2, 3, 4), (False, True))
    for relu, empty_slots, answer_softmax, hops, linear in options:
        net = network(0.4 / dim**0.25, dim=dim, hops=hops, encoding=encoding, temporal=temporal, tying=tying, relu=relu,
                      empty_slots=empty_slots, answer_softmax=answer_softmax)  # fmt: skip
        expected = reference(net, batch, linear)
        for instructions in engine.instruction_sets():
            found = native_network(net, instructions).gradients(stories, EVERYTHING, linear)
            check_gradients(net, found, expected)


@pytest.mark.parametrize("dim", [7, 8, 16, 17, 31, 40, 64, 112, 128, 200, 511, 512])
def test_dims_around_the_width_of_vectors(dim: int) -> None:
    for hops, instructions in itertools.product((1, 8), engine.instruction_sets()):
        net = network(0.2, dim=dim, hops=hops, tying="layerwise", relu=True)
        found = native_network(net, instructions).gradients(native_stories(STORIES), EVERYTHING, False)
        check_gradients(net, found, reference(net, batch_of(EVERYTHING), False))


SMALL = [[1], [2], [0], [1, 1], [0, 2], [2, 5], [3, 5, 2], [2, 0], [15, 2, 3], [1, 16]]


@pytest.mark.parametrize("examples", [*SMALL, list(range(33)), list(range(46)) * 3], ids=lambda some: str(some[:4]))
def test_batches_of_any_size(examples: list[int]) -> None:
    chosen = np.array(examples)
    for tying, instructions in itertools.product(("adjacent", "layerwise"), engine.instruction_sets()):
        net = network(dim=20, tying=tying)
        found = native_network(net, instructions).gradients(native_stories(STORIES), chosen, False)
        check_gradients(net, found, reference(net, batch_of(chosen), False))


@pytest.mark.parametrize("seed", range(40))
def test_random_settings_stories_and_batches(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def one_of(*values: Any) -> Any:
        return values[rng.integers(len(values))]

    encoding, temporal = one_of(*SENTENCES)
    dim = int(rng.integers(1, 80))
    relu = one_of({}, {"relu": True}, {"relu": True, "linear": float(rng.random())})
    net = network(
        0.25 / dim**0.25, encoding=encoding, temporal=temporal, tying=one_of("adjacent", "layerwise"),
        state_matrix=one_of("auto", "none", "random", "identity"), **relu,
        empty_slots=one_of("keep", "mask"), answer_softmax=one_of("all", "words"), dim=dim,
        hops=int(rng.integers(1, 9)),
    )  # fmt: skip
    for _ in range(5):
        chosen, linear = rng.choice(EVERYTHING, rng.integers(1, 12)), one_of(False, True)
        expected = reference(net, batch_of(chosen), linear)
        for instructions in engine.instruction_sets():
            check_gradients(net, native_network(net, instructions).gradients(native_stories(STORIES), chosen, linear),
                            expected)  # fmt: skip


@pytest.mark.parametrize("noise", ["jitter", "empty"])
@pytest.mark.parametrize("temporal", ["none", "add", "word"])
def test_memories_with_noise(noise: str, temporal: str) -> None:
    """The engine draws the noise, and both compute with the same memories."""
    net = network(dim=20, temporal=temporal)
    config = TrainingConfig.from_dict({"noise": noise, "noise_rate": 0.6})
    loop = NativeLoop(net, STORIES, EVERYTHING, config, np.random.default_rng(0))
    start, sentence, time, fact = (np.array(part, np.int32) for part in loop.trainer.draw(EVERYTHING))
    assert (np.diff(start) <= MEMORY).all()

    class Same:
        def memory(self, layout: Layout) -> Layout:
            filled = np.diff(start).astype(np.int64)
            padded = np.zeros((2, len(EXAMPLES), filled.max()), np.int64)
            present = np.arange(filled.max()) < filled[:, None]
            padded[:, present] = sentence, time
            return Layout(padded[0], padded[0], np.zeros(present.shape, np.bool_), padded[1], filled)

        def words(self, words: Any) -> Any:
            return words

    batch = make_batch(STORIES, EVERYTHING, MEMORY, Same())
    found = native_network(net).gradients(native_stories(STORIES), EVERYTHING, False, (start, sentence, time, fact))
    check_gradients(net, found, reference(net, batch, False))
    plain = native_network(net).gradients(native_stories(STORIES), EVERYTHING, False)
    assert (temporal == "none" and noise == "jitter") == (found[0] == pytest.approx(plain[0], rel=1e-7))


STEPS = 50
SGD = [  # every way to encode a sentence, combined with different values of the other settings
    {"encoding": encoding, "temporal": temporal, "tying": tying, "relu": i % 2 == 0, "dim": DIMS[i % 5],
     "empty_slots": ("keep", "mask")[i // 2 % 2], "answer_softmax": ("all", "words")[i // 4 % 2], "hops": 1 + i % 4}
    for i, ((encoding, temporal), tying) in enumerate(itertools.product(SENTENCES, ("adjacent", "layerwise")))
]  # fmt: skip


@pytest.mark.parametrize("options", SGD, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize(
    ("optimizer", "clip", "clip_norm"),
    [("sgd", "frobenius", 40.0), ("sgd", "frobenius", 0.5), ("sgd", "spectral", 0.5), ("adam", "spectral", 0.5)],
)
def test_fifty_steps(options: dict[str, Any], optimizer: str, clip: str, clip_norm: float) -> None:
    """Fifty steps from the default initial parameters.

    With much larger ones, rounding of a unit near 0 decides whether the ReLU passes it, and the trainings diverge.
    """
    config = TrainingConfig.from_dict({"optimizer": optimizer, "clip": clip, "clip_norm": clip_norm, "noise": "none"})
    theirs, mine = network(0.1, **options), network(0.1, **options)
    start = mine.copy()
    rng = np.random.default_rng(3)
    loop = NativeLoop(mine, STORIES, EVERYTHING, config, rng)
    torch_loop = TorchLoop(theirs, STORIES, EVERYTHING, config, rng)
    for step in range(STEPS):
        chosen = rng.choice(EVERYTHING, 32)
        linear, rate = step < 20, config.first_rate * 0.5 ** (step // 20)
        their_loss, their_mistakes = torch_loop.step(batch_of(chosen), rate, Stage(linear))
        loss, mistakes = loop.trainer.step(chosen, rate, linear)
        assert loss == pytest.approx(their_loss, rel=1e-3)
        assert abs(mistakes - their_mistakes) <= 1
    for name, one in mine.arrays.items():
        other = theirs.arrays[name]
        np.testing.assert_allclose(one, other, rtol=0, atol=TRAINED * float(np.abs(other).max()), err_msg=name)
        assert not np.array_equal(one, start.arrays[name]), "trained"
    for name in mine.words():
        assert not mine.arrays[name][NULL].any()


def test_scores_and_predictions() -> None:
    for options in ({}, {"tying": "layerwise", "relu": True}, {"empty_slots": "mask", "answer_softmax": "words"}):
        net = network(dim=20, **options)
        loops = [
            loop(net, STORIES, EVERYTHING, TrainingConfig(), np.random.default_rng(0))
            for loop in (NativeLoop, TorchLoop)
        ]
        for linear in (False, True):
            mine, theirs = (loop.score(STORIES, EVERYTHING, Stage(linear)) for loop in loops)
            assert mine.loss == pytest.approx(theirs.loss, rel=LOSS)
            assert mine.error == theirs.error
        (found,) = predict(net, STORIES)
        logits, attention = in_double(net)(batch_of(EVERYTHING).tensors())
        probabilities = logits.softmax(1)[:, net.shape.answers].detach().numpy()
        assert probabilities.dtype == np.float64
        np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-5)
        np.testing.assert_allclose(found.attention, attention.detach().numpy(), atol=1e-5)


def test_answers_follow_the_parameters() -> None:
    """The engine uses the current parameters, even after they have moved in memory."""
    net = network(dim=20)
    before = next(predict(net, STORIES)).probabilities
    net.arrays["tables.0"] *= 2
    changed = next(predict(net, STORIES)).probabilities
    assert not np.allclose(before, changed)
    net.arrays["tables.0"] = net.arrays["tables.0"] / np.float32(2)
    np.testing.assert_allclose(next(predict(net, STORIES)).probabilities, before, atol=1e-6)
