"""Predictions of networks, and the executor that computes them."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from memn2n import Example, NetworkConfig, StoryQA
from memn2n.errors import ConfigError
from memn2n.qa import engine
from memn2n.qa import predict as module
from memn2n.qa.batch import make_batch
from memn2n.qa.config import DataShape
from memn2n.qa.networks import NETWORKS
from memn2n.qa.networks.forward import forward
from memn2n.qa.parameters import Parameters
from memn2n.qa.predict import Prediction, most_probable, predict
from memn2n.qa.stories import StorySet
from memn2n.qa.vocabulary import Vocabulary

EXECUTORS = ("engine", "numpy", "torch")
needs_engine = pytest.mark.skipif(bool(engine.unavailable()), reason=f"no engine: {engine.unavailable()}")


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The executors that compute predictions, in the order in which they are chosen."""
    found: list[str] = []

    def recorded(name: str, real: Callable[..., Iterator[Prediction]]) -> Callable[..., Iterator[Prediction]]:
        def predictions(*arguments: object) -> Iterator[Prediction]:
            found.append(name)
            return real(*arguments)

        return predictions

    for name in EXECUTORS:
        monkeypatch.setattr(module, f"_by_{name}", recorded(name, getattr(module, f"_by_{name}")))
    return found


@pytest.fixture(params=[pytest.param("engine", marks=needs_engine), "numpy", "torch"])
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """One of the executors, because those before it are missing."""
    name: str = request.param
    if name != "engine":
        without_engine(monkeypatch)
    if name == "torch":
        without_numpy(monkeypatch)
    return name


def without_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_missing", "it was not built")


def without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "memn2n", dataclasses.replace(NETWORKS["memn2n"], forward=None))


def test_the_executor_is_the_engine_or_numpy_or_pytorch(
    qa: StoryQA, examples: list[Example], executor: str, used: list[str]
) -> None:
    stories = StorySet.encode(examples[:3], qa.vocabulary)
    (found,) = predict(qa.network, stories)
    assert used == [executor]
    assert found.probabilities.dtype == found.attention.dtype == np.float32


def test_all_executors_answer_the_same(
    qa: StoryQA, examples: list[Example], executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = qa.answer_many((example.story, example.question) for example in examples)
    evaluation = qa.evaluate(examples)
    monkeypatch.undo()  # all executors are there again
    for mine, example in zip(answers, examples, strict=True):
        theirs = qa.answer(example.story, example.question)
        assert mine.text == theirs.text
        assert mine.probability == pytest.approx(theirs.probability, abs=1e-5)
        np.testing.assert_allclose(mine.attention, theirs.attention, rtol=0, atol=1e-5)
    assert evaluation == qa.evaluate(examples)


def test_without_any_executor_pytorch_is_asked_for(
    qa: StoryQA, examples: list[Example], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_engine(monkeypatch)
    monkeypatch.setattr("memn2n.machine.has_torch", lambda: False)
    example = examples[0]
    assert qa.answer(example.story, example.question).text == example.answer, "NumPy needs no PyTorch"
    without_numpy(monkeypatch)
    with pytest.raises(ConfigError, match=r"^\S.* needs PyTorch; install it: pip install 'memn2n\[torch\]'$"):
        qa.answer(example.story, example.question)


def test_predictions_are_complete_and_in_order(qa: StoryQA, examples: list[Example], executor: str) -> None:
    many = examples * 4  # more than one batch
    stories = StorySet.encode(many, qa.vocabulary)
    found = list(predict(qa.network, stories))
    assert len(found) > 1, executor
    assert np.concatenate([part.examples for part in found]).tolist() == list(range(len(many)))
    for part in found:
        assert part.probabilities.shape == (len(part.examples), len(qa.vocabulary) - 2)
        assert part.attention.shape[:2] == (NetworkConfig().hops, len(part.examples))


def test_gradients_stay_on_between_predictions(qa: StoryQA, examples: list[Example], executor: str) -> None:
    """The caller may train between two batches."""
    stories = StorySet.encode(examples * 4, qa.vocabulary)
    for _ in predict(qa.network, stories):
        assert torch.is_grad_enabled(), executor


def test_the_numpy_forward_pass_does_not_change_the_parameters(qa: StoryQA, examples: list[Example]) -> None:
    before = qa.network.copy()
    forward(qa.network, make_batch(StorySet.encode(examples, qa.vocabulary), np.arange(50), 50))
    for name, array in qa.network.arrays.items():
        assert np.array_equal(array, before.arrays[name])


@pytest.mark.parametrize("width", [1, 7, 300, 1500])
def test_the_most_probable_answers_are_those_of_a_stable_sort(width: int) -> None:
    drawn = np.random.default_rng(0)
    several = drawn.random((40, width), np.float32)
    tied = drawn.integers(0, 4, (40, width)).astype(np.float32)
    confident = np.zeros((40, width), np.float32)  # the smallest probabilities underflow to 0
    confident[:, -1] = 1
    broken = np.full((1, width), np.nan, np.float32)
    for probabilities in (several, tied, confident, np.concatenate([several, tied, confident, broken])):
        every = np.argsort(-probabilities, axis=1, kind="stable")
        for top in (1, 2, 5, width, 10**9):
            np.testing.assert_array_equal(most_probable(probabilities, top), every[:, :top])


def test_a_wide_vocabulary_is_answered_in_small_batches(executor: str) -> None:
    words = Vocabulary(tuple(sorted(f"w{i}" for i in range(50_000))))
    config = NetworkConfig(dim=2, hops=1, memory_size=2)
    shape = DataShape(vocabulary=len(words), longest_sentence=2, slots=1)
    model = StoryQA([Parameters.draw(config, shape, np.random.default_rng(0))], words)
    questions = [([f"w{i} w{i + 1}"], f"w{i}") for i in range(90)]
    stories = StorySet.encode([Example(tuple(story), question, "") for story, question in questions], words)
    assert max(part.probabilities.nbytes for part in predict(model.network, stories)) <= 2**24
    together = model.answer_many(questions)
    for i in (0, 82, 83, 89):  # around the border between two batches
        alone = model.answer(*questions[i])
        assert alone.text == together[i].text
        assert alone.probability == pytest.approx(together[i].probability, rel=1e-5)
