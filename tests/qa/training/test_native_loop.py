"""Training by the engine: independent of the number of threads, interruptible by Ctrl-C, with the right noise."""

import dataclasses
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from memn2n import NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.errors import TrainingError
from memn2n.machine import available_cores
from memn2n.qa import engine
from memn2n.qa.batch import lay_out
from memn2n.qa.networks import Stage
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training.native_loop import NativeLoop
from memn2n.qa.training.noise import RandomNoise
from memn2n.qa.training.problem import INTERRUPTED, Problem, Restart, TrainedNetwork
from memn2n.qa.training.restarts import run_restarts, train_restarts
from memn2n.qa.training.schedule import Epoch, Score
from memn2n.qa.vocabulary import UNKNOWN

pytestmark = pytest.mark.skipif(bool(engine.unavailable()), reason=f"no engine: {engine.unavailable()}")
several = pytest.mark.skipif(available_cores() < 2, reason="there is only one core")

EXAMPLES = simulate(task=1, n_train=300, n_test=0, seed=1).train
VOCABULARY = vocabulary_of(EXAMPLES)
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)
ALL = np.arange(len(STORIES))
QUICK = TrainingConfig(restarts=4, epochs=6, linear_start_epochs=3)
LONG = TrainingConfig(restarts=6, epochs=1_000_000, linear_start_epochs=1)


def problem(config: TrainingConfig = QUICK, network: NetworkConfig | None = None) -> Problem:
    return Problem.make(
        stories=STORIES,
        network=network or NetworkConfig(),
        training=config,
        vocabulary_size=len(VOCABULARY),
        backend="native",
    )


def fresh() -> Parameters:
    made = problem()
    return Parameters.draw(made.network, made.shape, np.random.default_rng(0))


def loop(config: TrainingConfig, examples: np.ndarray = ALL, seed: int = 0) -> NativeLoop:
    return NativeLoop(fresh(), STORIES, examples, config, np.random.default_rng(seed))


@several
def test_threads_do_not_change_what_is_trained() -> None:
    def trained(threads: int) -> dict[int, TrainedNetwork]:
        found: list[TrainedNetwork] = []
        assert run_restarts(problem(), range(4), lambda _: None, found.append, threads)
        return {one.restart.restart: one for one in found}

    alone, together = trained(1), trained(2)
    assert alone.keys() == together.keys() == set(range(4))
    for number, one in alone.items():
        assert (one.restart.train, one.restart.valid) == (
            together[number].restart.train,
            together[number].restart.valid,
        )
        for name, array in one.network.arrays.items():
            assert np.array_equal(array, together[number].network.arrays[name])


def test_restarts_have_the_same_initial_parameters_as_with_pytorch() -> None:
    """Only the order of the questions and the noise differ."""
    config = dataclasses.replace(QUICK, restarts=1, epochs=1, linear_start="none", learning_rate=1e-12)
    networks = [
        train_restarts(dataclasses.replace(problem(config), backend=backend), lambda _: None).networks[0]
        for backend in ("native", "torch")
    ]
    for name, array in networks[0].arrays.items():
        np.testing.assert_allclose(array, networks[1].arrays[name], rtol=0, atol=1e-7)


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=several)])
def test_events_are_reported_in_the_callers_thread(threads: int) -> None:
    events: list[Epoch | Restart] = []
    threads_of_events = set()

    def on_event(event: Epoch | Restart) -> None:
        events.append(event)
        threads_of_events.add(threading.get_ident())

    outcome = train_restarts(problem(), on_event, threads)
    assert threads_of_events == {threading.get_ident()}
    assert [restart.restart for restart in outcome.restarts] == [0, 1, 2, 3]
    for number in range(4):
        mine = [event for event in events if event.restart == number]
        assert [type(event) for event in mine] == [Epoch] * 9 + [Restart]


def test_ensembles_keep_every_restart() -> None:
    outcome = train_restarts(problem(dataclasses.replace(QUICK, select="ensemble")), lambda _: None)
    assert len(outcome.networks) == 4
    assert all(restart.kept for restart in outcome.restarts)


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=several)])
def test_ctrl_c_stops_within_an_epoch(threads: int) -> None:
    """A million epochs would take minutes; the running restarts end with their current epoch."""
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    outcome = train_restarts(problem(LONG), lambda _: None, threads)
    assert time.monotonic() - begin < 8
    assert len(outcome.networks) >= 1
    assert {restart.stopped for restart in outcome.restarts} == {INTERRUPTED}
    assert len(outcome.restarts) <= threads + 1


@pytest.mark.parametrize("threads", [1, pytest.param(2, marks=several)])
def test_ctrl_c_loses_no_finished_restart(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed several times, also while a result is being passed on."""
    begun: list[int] = []
    begun_before: list[int] = []
    ended: list[int] = []
    stopped: list[str] = []
    real = Problem.train

    def counted(self: Problem, number: int, *rest: object) -> TrainedNetwork:
        begun.append(number)
        return real(self, number, *rest)  # type: ignore[arg-type]

    def on_trained(trained: TrainedNetwork) -> None:
        if len(ended) == 1:
            begun_before.extend(begun)
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.01)
        ended.append(trained.restart.restart)
        stopped.append(trained.restart.stopped)

    monkeypatch.setattr(Problem, "train", counted)
    before = signal.getsignal(signal.SIGINT)
    config = dataclasses.replace(QUICK, restarts=200)
    assert not run_restarts(problem(config), range(200), lambda _: None, on_trained, threads)
    assert len(begun) <= len(begun_before) + threads, "each thread may have been about to begin one"
    assert len(begun) < 200
    assert sorted(ended) == sorted(begun), "every restart that began is passed on, once"
    assert set(stopped[2:]) <= {"", INTERRUPTED}
    assert signal.getsignal(signal.SIGINT) is before


def interrupted_after(number: int, config: TrainingConfig) -> list[Restart]:
    """The restarts of a training where Ctrl-C is pressed in the first epoch after ``number`` restarts have ended."""
    ended = 0

    def on_event(event: Epoch | Restart) -> None:
        nonlocal ended
        ended += isinstance(event, Restart)
        if ended == number:
            os.kill(os.getpid(), signal.SIGINT)

    outcome = train_restarts(problem(config), on_event, 1)
    assert sum(restart.kept for restart in outcome.restarts) == len(outcome.networks)
    return list(outcome.restarts)


def test_an_ensemble_leaves_out_interrupted_restarts() -> None:
    restarts = interrupted_after(2, dataclasses.replace(QUICK, select="ensemble", epochs=2000))
    assert [restart.kept for restart in restarts[:2]] == [True, True]
    assert [restart.stopped for restart in restarts[2:]] == [INTERRUPTED]
    assert not restarts[2].kept


def test_an_interruption_is_recorded_beside_a_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Problem.train

    def first_diverges(self: Problem, number: int, *rest: object) -> TrainedNetwork:
        trained = real(self, number, *rest)  # type: ignore[arg-type]
        gone = Restart(0, None, None, 0.0, "the loss became nan in softmax epoch 1")
        return TrainedNetwork(gone, trained.network) if number == 0 else trained

    monkeypatch.setattr(Problem, "train", first_diverges)
    restarts = interrupted_after(2, QUICK)
    assert INTERRUPTED in {restart.stopped for restart in restarts}
    assert sorted({restart.restart for restart in restarts}) == [restart.restart for restart in restarts]


@several
def test_an_error_in_a_thread_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Score:
        raise MemoryError("no room")

    monkeypatch.setattr(NativeLoop, "epoch", broken)
    with pytest.raises(MemoryError, match="no room"):
        train_restarts(problem(), lambda _: None, 2)


def test_an_error_in_the_callback_is_raised() -> None:
    def on_event(_: Epoch | Restart) -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        train_restarts(problem(LONG), on_event)


def test_divergence_is_reported() -> None:
    config = dataclasses.replace(QUICK, learning_rate=1e30, clip_norm=1e30, linear_start="none")
    with pytest.raises(TrainingError, match=r"every restart failed: the loss became (nan|inf) in softmax epoch"):
        train_restarts(problem(config), lambda _: None)


@pytest.mark.parametrize("settings", [
    {"noise": "none", "sampling": "permutation"}, {"noise": "jitter"}, {"noise": "empty"},
    {"unknown_rate": 0.02}, {"optimizer": "adam"}, {"clip": "frobenius", "batch_size": 7},
])  # fmt: skip
def test_training_learns_with_every_setting(settings: dict[str, object]) -> None:
    config = TrainingConfig.from_dict({"restarts": 3, "epochs": 40, "linear_start_epochs": 15} | settings)
    qa = StoryQA.fit(EXAMPLES, training=config, backend="native")
    assert qa.evaluate(simulate(task=1, n_train=0, n_test=200, seed=2).test).error < 0.2


@pytest.mark.parametrize("kind", ["jitter", "empty"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 3.0])
def test_noise_has_the_same_distribution_as_with_pytorch(kind: str, rate: float) -> None:
    """The times of one story, drawn many times by both."""
    n, draws = 6, 4000
    example = next(i for i in ALL if STORIES.story_start[i + 1] - STORIES.story_start[i] == n)
    config = TrainingConfig.from_dict({"noise": kind, "noise_rate": rate})
    start, sentence, times, _ = (np.array(part) for part in loop(config).trainer.draw(np.full(draws, example)))
    noise = RandomNoise(config, 50, np.random.default_rng(1))
    layout = noise.memory(lay_out(STORIES, np.full(draws, example), 50))
    present = np.arange(layout.time.shape[1]) < layout.filled[:, None]
    assert np.diff(start).mean() == pytest.approx(layout.filled.mean(), rel=0.05)
    size = times.max() + 1
    assert size == layout.time.max() + 1 == n + np.ceil(rate * n)
    mine, theirs = (np.bincount(found, minlength=size) / draws for found in (times, layout.time[present]))
    np.testing.assert_allclose(mine, theirs, atol=5 * np.sqrt(0.25 / draws))
    kept = sentence[sentence >= 0].reshape(draws, n)
    assert (kept == kept[0]).all(), "every sentence once, in order"
    assert kept[0].tolist() == layout.sentence[present][layout.sentence[present] >= 0][:n].tolist()


def test_short_stories_have_noise_too() -> None:
    example = next(i for i in ALL if STORIES.story_start[i + 1] - STORIES.story_start[i] == 2)
    _, _, times, _ = loop(TrainingConfig()).trainer.draw(np.full(100, example))
    assert set(times) == {0, 1, 2}


def test_a_permutation_has_each_question_once() -> None:
    score = loop(TrainingConfig(sampling="permutation"), ALL[:70]).trainer.epoch(0.01, False)
    assert score[2] == 70
    assert loop(TrainingConfig(sampling="replacement"), ALL[:70]).trainer.epoch(0.01, False)[2] == 64
    few = loop(TrainingConfig(sampling="replacement"), ALL[:7]).trainer.epoch(0.01, False)
    assert few[2] == 7


def test_only_the_given_examples_are_trained_on() -> None:
    """Words of other examples keep their initial embeddings."""
    stories = StorySet.encode([EXAMPLES[0], *EXAMPLES], VOCABULARY)
    for sampling in ("permutation", "replacement"):
        config = TrainingConfig.from_dict({"sampling": sampling})
        net = fresh()
        before = net.copy()
        NativeLoop(net, stories, np.array([0, 1]), config, np.random.default_rng(0)).epoch(0.01, Stage())
        used = set(VOCABULARY.encode(" ".join((*EXAMPLES[0].story, EXAMPLES[0].question))))
        moved = (net.arrays["tables.0"] != before.arrays["tables.0"]).any(1)[: len(VOCABULARY)]
        assert set(np.flatnonzero(moved).tolist()) == used


@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_the_unknown_word_is_trained_only_with_unknown_rate(rate: float) -> None:
    outcome = train_restarts(problem(dataclasses.replace(QUICK, restarts=1, unknown_rate=rate)), lambda _: None)
    network = outcome.networks[0]
    moved = [bool(network.arrays[name][UNKNOWN].any()) for name in network.words()]
    assert moved == [rate > 0] * len(moved)


def test_several_threads_may_use_one_network() -> None:
    native = engine.native_network(fresh())
    stories = engine.native_stories(STORIES)
    expected = native.predict(stories, ALL)
    with ThreadPoolExecutor(4) as pool:
        for probabilities, attention in pool.map(lambda _: native.predict(stories, ALL), range(40)):
            np.testing.assert_array_equal(probabilities, expected[0])
            np.testing.assert_array_equal(attention, expected[1])
