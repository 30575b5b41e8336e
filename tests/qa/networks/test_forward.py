"""The network in NumPy against the PyTorch network, which is the reference, and against the engine."""

import itertools
import warnings

import numpy as np
import pytest
import torch

from memn2n import Example, NetworkConfig
from memn2n.qa import engine
from memn2n.qa.batch import make_batch
from memn2n.qa.candidates import Candidates
from memn2n.qa.config import DataShape
from memn2n.qa.networks import torch_network
from memn2n.qa.networks.forward import forward
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet
from tests.qa.networks.test_memn2n import CONFIGS, EXAMPLES, MEMORY, SHAPE, VOCABULARY, parameters

ALL = [
    *EXAMPLES,
    Example((), "a b?", "c"),  # no sentence
    Example(("...", "a.", "!"), "q?", "a"),  # sentences without words
    Example(("q r.",), "s t?", "a"),  # unknown words only
]
CANDIDATES = Candidates(("a b c", "d", "e e a"))


def check(network: Parameters, stories: StorySet) -> None:
    """Compare probabilities and attention of all stories, each in a batch with the others and alone."""
    reference, _ = torch_network(network)
    native = None if engine.unavailable(network.config, network.shape) else engine.native_network(network)
    for chosen in (np.arange(len(stories)), *np.arange(len(stories))[:, None]):
        batch = make_batch(stories, chosen, network.config.memory_size)
        with torch.no_grad():
            logits, attention = reference(batch.tensors())
        found, looked = forward(network, batch)
        expected = logits.softmax(1)[:, network.shape.answers].numpy()
        assert found.dtype == looked.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
        np.testing.assert_allclose(looked, attention.numpy(), rtol=0, atol=1e-5)
        if native is not None:
            expected, attended = native.predict(engine.native_stories(stories), chosen)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
            np.testing.assert_allclose(looked, attended, rtol=0, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_numpy_computes_what_pytorch_computes(config: NetworkConfig) -> None:
    check(parameters(config, 0.3), StorySet.encode(ALL, VOCABULARY))


@pytest.mark.parametrize("tying", ["adjacent", "layerwise"])
def test_candidate_answers(tying: str) -> None:
    shape = DataShape(len(VOCABULARY), longest_sentence=5, slots=6, candidates=3)
    config = NetworkConfig.from_dict({"dim": 8, "memory_size": MEMORY, "tying": tying})
    network = Parameters.draw(config, shape, np.random.default_rng(0), 0.5)
    stories = StorySet.encode(ALL, VOCABULARY, CANDIDATES)
    check(network, stories)
    probabilities, _ = forward(network, make_batch(stories, np.arange(len(ALL)), MEMORY))
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("empty_slots", ["keep", "mask"])
def test_extreme_parameters_give_probabilities_without_a_warning(empty_slots: str) -> None:
    batch = make_batch(StorySet.encode(ALL, VOCABULARY), np.arange(len(ALL)), MEMORY)
    deep = [config for config in CONFIGS if config.hops == 4 and config.empty_slots == empty_slots]
    for config, scale in itertools.product(deep, (1e3, -1e3, 1e-30)):
        network = Parameters.draw(config, SHAPE, np.random.default_rng(0))
        for array in network.arrays.values():
            array *= scale
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            probabilities, attention = forward(network, batch)
        assert np.isfinite(probabilities).all()
        assert np.isfinite(attention).all()
        assert (attention.sum(2) < 1 + 1e-5).all()


@pytest.mark.parametrize("empty_slots", ["keep", "mask"])
@pytest.mark.parametrize("score", [1e4, -1e4])
def test_one_score_that_a_softmax_cannot_exponentiate(empty_slots: str, score: float) -> None:
    """The latest sentence has a score of 0, the one before it 1e4 or -1e4."""
    config = NetworkConfig.from_dict({
        "dim": 1, "hops": 1, "encoding": "bow", "temporal": "none", "tying": "layerwise", "memory_size": MEMORY,
        "empty_slots": empty_slots,
    })  # fmt: skip
    network = parameters(config)
    for array in network.arrays.values():
        array[...] = 0
    (a, b) = VOCABULARY.encode("a b")
    network.arrays["tables.0"][a] = score
    network.arrays["tables.2"][b] = 1
    stories = StorySet.encode([Example(("a.", "c."), "b?", "c")], VOCABULARY)
    _, attention = forward(network, make_batch(stories, np.arange(1), MEMORY))
    rest = SHAPE.slots - 2 if empty_slots == "keep" else 0
    expected = [0, 1] if score > 0 else [1 / (1 + rest), 0]
    np.testing.assert_allclose(attention[0, 0], expected, rtol=0, atol=1e-6)
    check(network, stories)


def test_a_flag_of_the_matrix_library_gives_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy looks at the flag for invalid values after a product; some libraries set it although all is finite."""
    einsum = np.einsum

    def flagged(*arguments: object, **options: object) -> object:
        np.subtract(np.float32("inf"), np.float32("inf"))  # sets the flag, and warns of it
        return einsum(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(np, "einsum", flagged)
    check(parameters(CONFIGS[0], 0.3), StorySet.encode(ALL, VOCABULARY))
