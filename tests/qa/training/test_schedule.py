"""The schedule of a training, and the PyTorch loop."""

import dataclasses
import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import NetworkConfig, TrainingConfig, simulate
from memn2n.qa.batch import Batch, make_batch
from memn2n.qa.config import DataShape
from memn2n.qa.networks import SOFTMAX, Loss, Stage
from memn2n.qa.networks.memn2n import QANetwork
from memn2n.qa.parameters import Parameters
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training import torch_loop
from memn2n.qa.training.noise import RandomNoise
from memn2n.qa.training.schedule import DivergedError, Epoch, Score, schedule, train
from memn2n.qa.training.torch_loop import TorchLoop, sgd_step
from memn2n.qa.vocabulary import NULL, UNKNOWN

EXAMPLES = simulate(task=1, n_train=200, n_test=0, seed=1).train
VOCABULARY = vocabulary_of(EXAMPLES)
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)
ALL = np.arange(len(STORIES))
SHAPE = DataShape(len(VOCABULARY), STORIES.longest_sentence, STORIES.longest_story)
START = 4  # seed of the first parameters; networks this small end in a bad minimum from a third of all seeds
SHORT = TrainingConfig(epochs=3, linear_start_epochs=2, decay_every=2)


def network(**settings: Any) -> Parameters:
    return Parameters.draw(NetworkConfig(**{"dim": 8, "hops": 2} | settings), SHAPE, np.random.default_rng(START))


def tables(net: Parameters) -> list[np.ndarray]:
    return [net.arrays[name] for name in net.words()]


def score(net: Parameters, stories: StorySet, examples: np.ndarray) -> Score:
    return TorchLoop(net, stories, examples, SHORT, np.random.default_rng(0)).score(stories, examples)


def train_on(
    net: Parameters,
    stories: StorySet,
    examples: np.ndarray,
    config: TrainingConfig,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    valid: tuple[StorySet, np.ndarray] | None = None,
) -> bool:
    return train(TorchLoop(net, stories, examples, config, np.random.default_rng(0)), valid, config, on_epoch)


def run(config: TrainingConfig, net: Parameters | None = None, valid: bool = True) -> list[Epoch]:
    events: list[Epoch] = []
    held_out = (STORIES, ALL[150:]) if valid else None
    train_on(net or network(), STORIES, ALL[:150], config, events.append, held_out)
    return events


def test_the_cosine_ends_near_zero_without_a_jump() -> None:
    config = TrainingConfig(decay="cosine", epochs=100, learning_rate=0.02)
    rates = [config.rate(epoch) for epoch in range(1, 101)]
    assert rates[0] == 0.02
    assert rates[50] == pytest.approx(0.01)
    assert 0 < rates[-1] < 1e-4 * 0.02 * 4
    assert all(0 < before - after < 0.02 * 0.02 for before, after in itertools.pairwise(rates))


def test_the_schedule_is_a_linear_start_and_then_halving() -> None:
    assert list(schedule(SHORT)) == [
        ("linear", 1, 0.005), ("linear", 2, 0.005),
        ("softmax", 1, 0.005), ("softmax", 2, 0.0025), ("softmax", 3, 0.0025),
    ]  # fmt: skip
    assert [phase for phase, _, _ in schedule(dataclasses.replace(SHORT, linear_start="none"))] == ["softmax"] * 3


def test_each_epoch_is_reported() -> None:
    events = run(SHORT)
    assert [(event.phase, event.epoch, event.rate) for event in events] == list(schedule(SHORT))
    assert all(event.valid is not None and event.valid.loss > 0 for event in events)
    assert run(SHORT, valid=False)[0].valid is None


@pytest.mark.parametrize(
    ("sampling", "noise"), [("permutation", "none"), ("replacement", "jitter"), ("permutation", "empty")]
)
def test_training_learns(sampling: str, noise: str) -> None:
    config = TrainingConfig.from_dict(
        {"sampling": sampling, "noise": noise, "epochs": 40, "linear_start_epochs": 15, "unknown_rate": 0.01}
    )
    net = network()
    before = score(net, STORIES, ALL[:150])
    run(config, net)
    after = score(net, STORIES, ALL[:150])
    assert after.loss < before.loss / 2
    assert after.error < 0.3


def test_the_same_seed_gives_the_same_network() -> None:
    one, other = network(), network()
    assert run(SHORT, one)[-1].train == run(SHORT, other)[-1].train
    for name, array in one.arrays.items():
        assert np.array_equal(array, other.arrays[name])


def test_a_linear_start_ends_when_validation_stops_falling(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter([3.0, 2.0, 2.5, 1.9, 2.0, 1.9, 9.0, 9.0, 9.0])
    monkeypatch.setattr(TorchLoop, "score", lambda *_, **__: Score(next(losses), 0.5))
    config = TrainingConfig(linear_start="validation", linear_start_epochs=20, linear_start_patience=2, epochs=3)
    assert [(event.phase, event.epoch) for event in run(config)] == [
        *(("linear", epoch) for epoch in range(1, 7)), *(("softmax", epoch) for epoch in range(1, 4)),
    ]  # fmt: skip


def test_a_linear_start_that_keeps_falling_ends_at_its_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    losses = iter(range(100, 0, -1))
    monkeypatch.setattr(TorchLoop, "score", lambda *_, **__: Score(next(losses), 0.5))
    config = TrainingConfig(linear_start="validation", linear_start_epochs=4, epochs=1)
    assert [event.phase for event in run(config)] == ["linear"] * 4 + ["softmax"]


def with_gradient(gradient: torch.Tensor) -> list[torch.nn.Parameter]:
    """Two tables, the second one with this gradient."""
    both = [torch.nn.Parameter(torch.randn(gradient.shape)) for _ in range(2)]
    both[0].grad, both[1].grad = torch.zeros_like(gradient), gradient
    return both


def test_a_step_goes_down_the_gradient() -> None:
    gradient = torch.randn(30, 8)
    both = with_gradient(gradient)
    before = [table.detach().clone() for table in both]
    sgd_step(both, 0.1, 1e9, "frobenius")
    assert torch.allclose(both[1], before[1] - 0.1 * gradient)
    assert torch.equal(both[0], before[0])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_training_keeps_the_null_word_at_zero(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with a network whose loss has a gradient there."""
    real = QANetwork.loss

    def loss(self: QANetwork, batch: Batch[torch.Tensor], stage: Stage) -> Loss:
        total, wrong = real(self, batch, stage)
        return Loss(total + sum(table.sum() for table in self.tables), wrong)

    monkeypatch.setattr(QANetwork, "loss", loss)
    net = network()
    before = net.copy()
    run(TrainingConfig.from_dict({"epochs": 1, "linear_start_epochs": 1, "optimizer": optimizer}), net)
    for table, start in zip(tables(net), tables(before), strict=True):
        assert not np.array_equal(table, start)
        assert not table[NULL].any()


@pytest.mark.parametrize("clip", ["frobenius", "spectral"])
def test_each_matrix_is_clipped_by_its_own_norm(clip: str) -> None:
    both = with_gradient(torch.randn(30, 8) * 100)
    small = torch.full((30, 8), 0.01)
    both[0].grad = small
    before = [table.detach().clone() for table in both]
    sgd_step(both, 1.0, 40.0, clip)  # type: ignore[arg-type]
    order = "fro" if clip == "frobenius" else 2
    assert torch.linalg.matrix_norm(before[1] - both[1], order).item() == pytest.approx(40.0, rel=1e-4)
    assert torch.allclose(before[0] - both[0], small, atol=1e-6)


def test_costs_are_summed_over_the_batch() -> None:
    """The same question twice in a batch moves the parameters twice as far."""

    def moved(copies: int) -> np.ndarray:
        stories = StorySet.encode([EXAMPLES[0]] * copies, VOCABULARY)
        net = network()
        start = net.copy()
        config = TrainingConfig(epochs=1, linear_start="none", noise="none", sampling="permutation", learning_rate=0.1)
        train_on(net, stories, np.arange(copies), config)
        difference: np.ndarray = tables(net)[1] - tables(start)[1]
        return difference

    assert np.allclose(moved(2), 2 * moved(1), rtol=1e-3, atol=1e-7)  # up to rounding


def batches_seen(config: TrainingConfig, n: int, monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    seen = []
    real = make_batch

    def spy(stories: StorySet, chosen: np.ndarray, *rest: object) -> object:
        seen.append(chosen.tolist())
        return real(stories, chosen, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(torch_loop, "make_batch", spy)
    train_on(network(), STORIES, ALL[:n], config)
    return seen


def test_an_epoch_of_permutations_has_each_question_once(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainingConfig(epochs=1, linear_start="none", sampling="permutation")
    seen = batches_seen(config, 70, monkeypatch)
    assert [len(batch) for batch in seen] == [32, 32, 6]
    assert sorted(chain(*seen)) == list(range(70))


def test_sampling_with_replacement_draws_full_batches_only(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainingConfig(epochs=1, linear_start="none", sampling="replacement")
    seen = batches_seen(config, 70, monkeypatch)
    assert [len(batch) for batch in seen] == [32, 32]
    assert len(set(chain(*seen))) < 64


def test_divergence_is_reported() -> None:
    config = dataclasses.replace(SHORT, learning_rate=1e30, clip_norm=1e30, linear_start="none")
    with pytest.raises(DivergedError, match=r"the loss became (nan|inf) in softmax epoch 1"):
        run(config)


def test_ctrl_c_restores_the_last_complete_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshots: list[Parameters] = []
    whole = network()
    train_on(whole, STORIES, ALL[:150], SHORT, lambda _: snapshots.append(whole.copy()))
    interrupt_step(monkeypatch, 4 * 2 + 3)  # 4 batches an epoch: in the third epoch
    net = network()
    assert train_on(net, STORIES, ALL[:150], SHORT) is False
    for name, array in net.arrays.items():
        assert np.array_equal(array, snapshots[1].arrays[name])


def test_ctrl_c_in_the_first_epoch_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_step(monkeypatch, 3)
    with pytest.raises(KeyboardInterrupt):
        run(SHORT)


def interrupt_step(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Raise KeyboardInterrupt after this many updates."""
    steps = 0

    def step(*args: object) -> None:
        nonlocal steps
        steps += 1
        sgd_step(*args)  # type: ignore[arg-type]
        if steps == number:
            raise KeyboardInterrupt

    monkeypatch.setattr("memn2n.qa.training.torch_loop.sgd_step", step)


def test_the_score_of_a_network() -> None:
    found = score(network(), STORIES, ALL)
    assert math.isfinite(found.loss)
    assert 0 < found.error <= 1


class Spy:
    """Records the arguments of the functions that a training calls: batches, noise, forward passes and updates."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.noises: list[object] = []
        self.memory_sizes: set[int] = set()
        self.trained_on: set[int] = set()
        self.steps: list[tuple[float, float, str]] = []
        self.linear: list[tuple[bool, bool]] = []  # (while training, whether without the softmax)
        forward = QANetwork.forward

        def batch(stories: StorySet, chosen: np.ndarray, memory_size: int, noise: object = None,
                  renaming: None = None) -> Batch[np.ndarray]:  # fmt: skip
            self.noises.append(noise)
            self.memory_sizes.add(memory_size)
            self.trained_on.update(chosen.tolist())
            return make_batch(stories, chosen, memory_size, noise, renaming)  # type: ignore[arg-type]

        def step(parameters: object, rate: float, clip_norm: float, clip: str) -> None:
            self.steps.append((rate, clip_norm, clip))
            sgd_step(parameters, rate, clip_norm, clip)  # type: ignore[arg-type]

        def look(network: QANetwork, batch: Batch[torch.Tensor], stage: Stage = SOFTMAX) -> object:
            self.linear.append((torch.is_grad_enabled(), stage.linear))
            return forward(network, batch, stage)

        monkeypatch.setattr("memn2n.qa.training.torch_loop.make_batch", batch)
        monkeypatch.setattr("memn2n.qa.training.torch_loop.sgd_step", step)
        monkeypatch.setattr(QANetwork, "forward", look)


def test_every_setting_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(memory_size=7)
    spy = Spy(monkeypatch)
    config = TrainingConfig(
        epochs=3, linear_start_epochs=2, decay_every=2, batch_size=50, clip_norm=9.0, clip="frobenius",
        noise="empty", noise_rate=0.7, unknown_rate=0.2,
    )  # fmt: skip
    run(config, net)
    per_epoch = 150 // 50
    assert spy.memory_sizes == {7}
    assert spy.trained_on <= set(range(150)), "no validation examples"
    assert spy.steps == [(rate, 9.0, "frobenius") for _, _, rate in schedule(config) for _ in range(per_epoch)]
    training = [linear for gradients, linear in spy.linear if gradients]
    validating = [linear for gradients, linear in spy.linear if not gradients]
    assert training == [True] * 2 * per_epoch + [False] * 3 * per_epoch
    assert validating == [True] * 2 + [False] * 3
    for noise in spy.noises:
        assert isinstance(noise, RandomNoise)
        assert (noise.kind, noise.rate, noise.unknown_rate, noise.memory_size) == ("empty", 0.7, 0.2, 7)


def test_scoring_uses_only_the_memory_size() -> None:
    small = network(memory_size=1)
    last_only = StorySet.encode(
        [replace(example, story=example.story[-1:], support=()) for example in EXAMPLES], VOCABULARY
    )
    assert score(small, STORIES, ALL) == score(small, last_only, ALL)


@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_the_unknown_word_is_trained_only_with_unknown_rate(rate: float) -> None:
    net = network()
    run(dataclasses.replace(SHORT, unknown_rate=rate), net)
    moved = [bool(table[UNKNOWN].any()) for table in tables(net)]
    assert moved == [rate > 0] * len(moved)


def test_a_training_ends_below_the_stop_loss() -> None:
    config = TrainingConfig(epochs=200, linear_start="none", stop_loss=0.4)
    events = run(config)
    assert len(events) < 200
    last = events[-1]
    assert last.valid is not None
    assert max(last.train.loss, last.valid.loss) < 0.4
    assert all(max(event.train.loss, event.valid.loss) >= 0.4 for event in events[:-1] if event.valid is not None)
    assert all(event.train.loss < 0.4 for event in run(config, valid=False)[-1:])
