"""The engine checks everything that comes from Python once: invalid ids and arrays raise an error and are not used."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memn2n import NetworkConfig, TrainingConfig
from memn2n.errors import ConfigError
from memn2n.machine import available_cores, choose_threads
from memn2n.qa import engine
from memn2n.qa.engine import native_network, native_stories
from memn2n.qa.training.native_loop import NativeLoop
from memn2n.qa.training.problem import choose_backend
from tests.qa.engine.cases import EVERYTHING, EXAMPLES, SHAPE, STORIES, network


def ints(values: list[int]) -> Any:
    return np.array(values, np.int32)


def changed(array: Any, position: int, value: int) -> Any:
    copy = array.copy()
    copy[position] = value
    return copy


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"words": changed(STORIES.words, 0, -1)}, "words holds -1"),
        ({"story": changed(STORIES.story, 2, 10**6)}, "story holds 1000000: it must be from 0 to"),
        ({"story": changed(STORIES.story, 2, -1)}, "story holds -1"),
        ({"question": changed(STORIES.question, -1, 10**6)}, "question holds 1000000"),
        ({"answer": changed(STORIES.answer, 0, -2)}, "answer holds -2"),
        ({"sentence_start": changed(STORIES.sentence_start, 1, 10**6)}, "sentence_start must rise from 0 to"),
        ({"sentence_start": changed(STORIES.sentence_start, -1, 10**6)}, "sentence_start must rise"),
        ({"story_start": changed(STORIES.story_start, 0, 1)}, "story_start must rise"),
        ({"story_start": changed(STORIES.story_start, 3, -5)}, "story_start must rise"),
        ({"story_start": STORIES.story_start[:0]}, "must not be empty"),
        ({"answer": STORIES.answer[:-1]}, "must have an entry for each story"),
        ({"support": changed(STORIES.support, -1, 10**6)}, "support holds 1000000: it must be from 0 to"),
        ({"support": changed(STORIES.support, 0, -1)}, "support holds -1"),
        ({"support_start": changed(STORIES.support_start, -1, 3)}, "support_start must rise"),
        ({"support_start": STORIES.support_start[:-1]}, "support_start must have an entry for each story"),
        ({"words": STORIES.words[None]}, r"words has the shape \(1, \d+\): it must have 1 dimension"),
        ({"words": np.repeat(STORIES.words, 2)[::2]}, "words must be contiguous"),
    ],
)
def test_broken_stories_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        native_stories(replace(STORIES, **changes))


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="words must be an array of int32"):
        native_stories(replace(STORIES, words=STORIES.words.astype(np.int64)))
    with pytest.raises(TypeError, match="examples must be an array of int64"):
        native_network(network()).score(native_stories(STORIES), EVERYTHING.astype(np.int32), False)
    with pytest.raises(TypeError):
        native_network(network()).score(native_stories(STORIES), None, False)  # type: ignore[arg-type]


def test_supervision_needs_support_and_a_weight() -> None:
    known = {name: getattr(STORIES, name) for name in ("words", "sentence_start", "story", "story_start", "question",
                                                       "answer")}  # fmt: skip
    plain, net = engine._native.Stories(**known), native_network(network())
    with pytest.raises(ValueError, match="supervision needs supporting facts: pass support and support_start"):
        net.gradients(plain, EVERYTHING, False, supervision=0.1)
    assert net.gradients(plain, EVERYTHING, False)[0] == net.gradients(native_stories(STORIES), EVERYTHING, False)[0]
    for name in ("support", "support_start"):
        with pytest.raises(ValueError, match="support and support_start must be given together"):
            engine._native.Stories(**known, **{name: getattr(STORIES, name)})
    trainer = loop().trainer
    for weight in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="supervision must be from 0 to 1000000"):
            trainer.step(EVERYTHING, 0.1, False, weight)
        with pytest.raises(ValueError, match="supervision must be from 0 to 1000000"):
            trainer.epoch(0.1, False, weight)


@pytest.mark.parametrize("example", [-1, len(EXAMPLES), 2**40])
def test_examples_that_do_not_exist(example: int) -> None:
    net, stories = native_network(network()), native_stories(STORIES)
    chosen = np.array([0, example])
    for ask in (net.score, net.gradients):
        with pytest.raises(ValueError, match=f"example {example} does not exist; there are {len(EXAMPLES)}"):
            ask(stories, chosen, False)
    with pytest.raises(ValueError, match="does not exist"):
        net.predict(stories, chosen)
    with pytest.raises(ValueError, match="does not exist"):
        loop(examples=chosen)


def test_words_beyond_the_vocabulary() -> None:
    largest = int(STORIES.words.max())
    stories = native_stories(replace(STORIES, words=changed(STORIES.words, 0, largest + 1)))
    with pytest.raises(ValueError, match=f"a word id is {largest + 1}, but the vocabulary has only {largest + 1} ids"):
        native_network(network()).score(stories, EVERYTHING, False)


@pytest.mark.parametrize("answer", [-1, 0, 1])
def test_answers_that_are_not_words_cannot_be_learned(answer: int) -> None:
    stories = replace(STORIES, answer=changed(STORIES.answer, 3, answer))
    with pytest.raises(ValueError, match="the answer of example 3 is not a word"):
        native_network(network()).score(native_stories(stories), EVERYTHING, False)
    native_network(network()).predict(native_stories(stories), EVERYTHING)  # predicting needs no answer


def parts(**changes: Any) -> dict[str, Any]:
    net = network(dim=5, temporal="add", tying="layerwise")
    config, shape, arrays = net.config, net.shape, net.arrays
    assert isinstance(config, NetworkConfig)
    return {
        "tables": [arrays[f"tables.{i}"] for i in range(4)],
        "times": [arrays[f"times.{i}"] for i in range(2)],
        "H": arrays["H"],
        "gates": [np.zeros((5, 5), np.float32)] * 3, "gate_biases": [np.zeros(5, np.float32)] * 3,
        "hops": config.hops, "encoding": config.encoding, "temporal": config.temporal, "tying": config.tying,
        "linear": 3, "keep_empty": True, "all_rows": True, "memory_size": 7, "vocabulary": shape.vocabulary,
        "longest_sentence": 5, "slots": shape.slots,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("name", "change", "error", "message"),
    [
        ("tables", lambda tables: tables[:3], ValueError, "there must be 4 tables, not 3"),
        ("tables", lambda tables: [*tables[:3], tables[3][:-1]], ValueError, r"a table has the shape \(6, 5\)"),
        ("tables", lambda tables: [table.astype(np.float64) for table in tables], TypeError, "array of float32"),
        ("tables", lambda tables: [*tables[:3], tables[3].T.copy().T], ValueError, "must be contiguous"),
        ("tables", lambda tables: [table[:, :0] for table in tables], ValueError, "dim is 0"),
        ("tables", lambda tables: [np.zeros((7, 513), np.float32)] * 4, ValueError, "dim is 513"),
        ("times", lambda times: times[:1], ValueError, "there must be 2 times, not 1"),
        ("times", lambda times: [times[0], times[1][1:]], ValueError, r"times has the shape \(5, 5\)"),
        ("H", lambda H: H[:4], ValueError, r"H has the shape \(4, 5\)"),
        ("gates", lambda gates: gates[:1], ValueError, "there must be 3 gates, not 1"),
        ("gates", lambda gates: [], ValueError, "there must be 0 gate_biases, not 3"),
        ("gates", lambda gates: [*gates[:2], gates[2][1:]], ValueError, r"a gate has the shape \(4, 5\)"),
        ("gate_biases", lambda biases: [], ValueError, "there must be 3 gate_biases, not 0"),
        (
            "gate_biases",
            lambda biases: [bias[1:] for bias in biases],
            ValueError,
            r"a gate's bias has the shape \(4\): it must be \(5\)",
        ),
        ("gate_biases", lambda biases: [bias[None] for bias in biases], ValueError, "it must have 1 dimension"),
        ("linear", lambda linear: 6, ValueError, "linear is 6: it must be from 0 to 5"),
        ("linear", lambda linear: -1, ValueError, "linear is -1"),
        ("hops", lambda hops: 9, ValueError, "hops is 9"),
        ("hops", lambda hops: 0, ValueError, "hops is 0"),
        ("memory_size", lambda size: 0, ValueError, "memory_size is 0: it must be from 1 to"),
        ("slots", lambda slots: 0, ValueError, "slots is 0"),
        ("vocabulary", lambda size: -3, ValueError, "vocabulary is -3"),
        ("encoding", lambda encoding: "lstm", ValueError, "encoding is lstm, which the engine does not know"),
        ("temporal", lambda temporal: "late", ValueError, "temporal is late"),
        ("tying", lambda tying: "loose", ValueError, "tying is loose"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(name: str, change: Any, error: type[Exception], message: str) -> None:
    engine._native.Network(**parts())
    with pytest.raises(error, match=message):
        engine._native.Network(**parts(**{name: change(parts()[name])}))


def test_read_only_parameters_are_refused() -> None:
    tables = parts()["tables"]
    for table in tables:
        table.flags.writeable = False
    with pytest.raises((TypeError, ValueError)):
        engine._native.Network(**parts(tables=tables))


def loop(examples: Any = EVERYTHING, **settings: Any) -> NativeLoop:
    return NativeLoop(network(), STORIES, examples, TrainingConfig(**settings), np.random.default_rng(0))


def test_there_must_be_something_to_train_on() -> None:
    with pytest.raises(ValueError, match="there is no example to train on"):
        loop(EVERYTHING[:0])


@pytest.mark.parametrize(("start", "sentence", "time", "fact"), [
    ([0, 2], [0, 1], [0, 1], [0, 0]), ([0, 2, 1, 3], [0, 1, 2], [0, 0, 0], [0, 0, 0]),
    ([0, 1, 2, 2], [0, 10**6], [0, 0], [0, 0]), ([0, 1, 2, 2], [0, -2], [0, 0], [0, 0]),
    ([0, 1, 2, 2], [0, 1], [0, -1], [0, 0]), ([0, 1, 2, 2], [0, 1], [0], [0, 0]), ([0, 1, 2, 2], [0, 1], [0, 0], [1]),
])  # fmt: skip
def test_broken_layouts_are_refused(start: list[int], sentence: list[int], time: list[int], fact: list[int]) -> None:
    layout = (ints(start), ints(sentence), ints(time), ints(fact))
    with pytest.raises(ValueError, match="layout"):
        native_network(network()).gradients(native_stories(STORIES), EVERYTHING[:3], False, layout)


def test_no_examples_give_empty_arrays() -> None:
    net, stories = native_network(network()), native_stories(STORIES)
    probabilities, attention = net.predict(stories, EVERYTHING[:0])
    assert (probabilities.shape, attention.shape) == ((0, 5), (3, 0, 0))
    assert net.score(stories, EVERYTHING[:0], False) == (0.0, 0)


def test_networks_that_the_engine_does_not_support_use_pytorch() -> None:
    for config, reason in ((NetworkConfig(hops=9), "hops is 9, and it supports at most 8"),
                           (NetworkConfig(dim=513), "dim is 513, and it supports at most 512")):  # fmt: skip
        assert choose_backend("auto", "cpu", config, SHAPE) == "torch"
        with pytest.raises(ConfigError, match=f'backend is "native", but the engine cannot be used: {reason}'):
            choose_backend("native", "cpu", config, SHAPE)
    assert choose_backend("auto", "cpu", NetworkConfig(hops=8, dim=512), SHAPE) == "native"
    assert choose_backend("torch", "cpu", NetworkConfig(), SHAPE) == "torch"


def test_networks_with_candidates_use_pytorch() -> None:
    shape = replace(SHAPE, candidates=3)
    assert choose_backend("auto", "cpu", NetworkConfig(), shape) == "torch"
    with pytest.raises(ConfigError, match="the engine cannot be used: it does not know candidate answers"):
        choose_backend("native", "cpu", NetworkConfig(), shape)


@pytest.mark.parametrize("device", ["nowhere", "cuda:99", "meta"])
def test_devices_that_do_not_exist(device: str) -> None:
    with pytest.raises(ConfigError, match=f"device is '{device}', which"):
        choose_backend("auto", device, NetworkConfig(), SHAPE)


def test_no_more_threads_than_cores() -> None:
    assert choose_threads(None) == choose_threads(available_cores()) == available_cores()
    for threads in (0, -1, available_cores() + 1):
        with pytest.raises(ConfigError, match=f"threads is {threads}: it must be from 1 to the number of cores"):
            choose_threads(threads)


def test_an_instruction_set_that_this_machine_lacks() -> None:
    with pytest.raises(ValueError, match="this machine has no instruction set SVE; it has baseline"):
        native_network(network(), "SVE")
    assert native_network(network(), "baseline").instruction_set == "baseline"


def test_parameters_outlive_their_network() -> None:
    """The engine keeps the memory of its parameters alive."""
    net = network()
    native = native_network(net)
    expected = native.score(native_stories(STORIES), EVERYTHING, False)
    size = net.arrays["tables.0"].shape
    del net
    others = [np.ones(size, np.float32) for _ in range(1000)]  # would reuse the memory if it were free
    assert others
    assert native.score(native_stories(STORIES), EVERYTHING, False) == expected
