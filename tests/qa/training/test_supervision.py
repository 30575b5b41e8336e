"""Attention supervision: its cost, its weight over a training, and what it teaches."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from memn2n import ConfigError, Example, NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.qa.batch import Noise, make_batch
from memn2n.qa.config import DataShape, NoiseKind
from memn2n.qa.networks import SOFTMAX, Stage
from memn2n.qa.networks.parts import LEAST_ATTENTION, attention_loss, loss_of
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training.noise import RandomNoise
from memn2n.qa.training.schedule import Score, train

# (hop, batch, slot); the facts are slots 0 and 2 of the first story, and slot 1 of the second
ATTENTION = torch.tensor([[[0.5, 0.1, 0.2], [0.3, 0.0, 0.7]], [[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]]])
SUPPORT = torch.tensor([[True, False, True], [False, True, False]])

LONG = Example(tuple(f"s{i} x." for i in range(12)), "x?", "x", support=(1, 4, 11))
SHORT = Example(("s1 x.", "s1 x."), "x?", "x", support=(0,))
VOCABULARY = vocabulary_of([LONG, SHORT])
STORIES = StorySet.encode([LONG, SHORT], VOCABULARY)


def test_the_cost_of_a_fact_is_that_of_no_hop_picking_it() -> None:
    expected = -math.log(1 - 0.5 * 0.75) - math.log(1 - 0.8 * 0.75) - math.log(LEAST_ATTENTION)
    assert attention_loss(ATTENTION, SUPPORT).item() == pytest.approx(expected, rel=1e-6)
    assert attention_loss(ATTENTION, torch.zeros_like(SUPPORT)).item() == 0


def test_a_small_attention_keeps_its_digits() -> None:
    tiny = torch.full((3, 1, 1), 1e-10)
    assert attention_loss(tiny, torch.tensor([[True]])).item() == pytest.approx(-math.log(3e-10), rel=1e-6)


def test_the_cost_has_the_gradient_of_its_formula() -> None:
    attention = torch.rand(3, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 0.8 + 0.1
    assert torch.autograd.gradcheck(lambda p: attention_loss(p, SUPPORT), attention.requires_grad_())
    nothing = torch.zeros(2, 2, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(attention_loss(nothing, SUPPORT), nothing)
    assert torch.isfinite(gradient).all()


def test_the_loss_has_the_cost_with_its_weight_except_in_the_linear_start() -> None:
    batch = make_batch(STORIES, np.arange(2), 3).tensors()
    logits = torch.randn(2, len(VOCABULARY), generator=torch.Generator().manual_seed(0))
    shape = DataShape(len(VOCABULARY), 2, 3)

    def total(stage: Stage) -> float:
        return loss_of(logits, ATTENTION, batch, stage, shape).total.item()

    plain = torch.nn.functional.cross_entropy(logits, batch.answer, reduction="sum").item()
    assert total(Stage()) == pytest.approx(plain)
    assert batch.support is not None
    cost = attention_loss(ATTENTION, batch.support).item()
    assert total(Stage(supervision=0.3)) == pytest.approx(plain + 0.3 * cost, rel=1e-5)
    assert total(Stage(linear=True, supervision=0.3)) == pytest.approx(plain)
    batch = replace(batch, support=None)  # data without supporting facts
    assert total(Stage(supervision=0.3)) == pytest.approx(plain)


def facts(batch_support: Any) -> list[list[int]]:
    return [np.flatnonzero(row).tolist() for row in batch_support]


def test_a_batch_marks_the_slots_of_the_facts_that_are_in_the_memory() -> None:
    assert facts(make_batch(STORIES, np.arange(2), 50).support) == [[0, 7, 10], [1]], "the latest sentence is first"
    assert facts(make_batch(STORIES, np.arange(2), 8).support) == [[0, 7], [1]]
    assert facts(make_batch(STORIES, np.array([1]), 1).support) == [[]]
    assert make_batch(StorySet.encode([Example(("a.",), "x?", "x")], VOCABULARY), np.arange(1), 5).support is None


@pytest.mark.parametrize("kind", ["jitter", "empty"])
def test_noise_moves_the_marks_with_the_sentences(kind: NoiseKind) -> None:
    config = TrainingConfig(noise=kind, noise_rate=1.0)
    noise: Noise = RandomNoise(config, 10, np.random.default_rng(0))
    moved = 0
    for _ in range(30):
        batch = make_batch(STORIES, np.arange(2), 10, noise)
        texts = [" ".join(VOCABULARY.word(int(i)) for i in batch.sentences[row] if i > 1) for row in batch.memory[0]]
        marked = facts(batch.support)
        assert [texts[slot] for slot in marked[0]] == [text for text in texts if text in {"s1 x", "s4 x", "s11 x"}]
        assert len(marked[1]) == 1
        moved += marked[0] != [0, 7]
    assert moved == (0 if kind == "jitter" else pytest.approx(20, abs=10)), "jitter changes only the times"


def test_the_weight_falls_linearly_to_zero() -> None:
    config = TrainingConfig(supervise_attention=0.8, epochs=4)
    assert [config.supervision(epoch) for epoch in (1, 2, 3, 4)] == pytest.approx([0.8, 0.6, 0.4, 0.2])
    assert TrainingConfig().supervision(1) == 0


def test_a_training_has_the_weight_in_its_epochs_with_the_softmax_and_not_in_its_validation() -> None:
    trained: list[Stage] = []
    validated: list[Stage] = []

    class Loop:
        def epoch(self, rate: float, stage: Stage, order: object = None) -> Score:
            trained.append(stage)
            return Score(rate, 0.5)

        def score(self, stories: StorySet, examples: object, stage: Stage = SOFTMAX) -> Score:
            validated.append(stage)
            return Score(float(len(stories)), 0.5)

        def begin_anew(self) -> None: ...

        def keep(self) -> None: ...

        def restore(self) -> None: ...

        def finish(self) -> None: ...

    config = TrainingConfig(epochs=4, linear_start_epochs=2, supervise_attention=0.8)
    assert train(Loop(), (STORIES, np.arange(2)), config, lambda _: None)
    assert [stage.linear for stage in trained] == [stage.linear for stage in validated] == [True] * 2 + [False] * 4
    assert [stage.supervision for stage in trained] == pytest.approx([0, 0, 0.8, 0.6, 0.4, 0.2])
    assert [stage.supervision for stage in validated] == [0] * 6


def test_supervision_needs_supporting_facts() -> None:
    training = TrainingConfig(supervise_attention=0.1)
    examples = [Example(("a b.",), "a?", "b")] * 20
    with pytest.raises(ConfigError, match=r"supervise_attention is 0.1, but the data has no supporting facts"):
        StoryQA.fit(examples, training=training)


@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_a_supervised_network_finds_both_facts(backend: str) -> None:
    train, test = simulate(task=2, n_train=300, n_test=200, seed=0)
    training = TrainingConfig(restarts=1, epochs=25, linear_start="none", learning_rate=0.01, validation=0)
    network = NetworkConfig(dim=20, hops=2)

    def found(weight: float) -> tuple[float, float]:
        """The share of questions whose facts all get more than half of some hop, and the attention recall."""
        changed = training.changed({"supervise_attention": weight})
        qa = StoryQA.fit(train, network=network, training=changed, backend=backend)  # type: ignore[arg-type]
        answers = qa.answer_many((one.story, one.question) for one in test)
        (score,) = qa.evaluate(test).tasks
        assert score.attention_recall is not None
        return float(np.mean([(answer.attention[:, list(one.support)].max(0) > 0.5).all()
                              for answer, one in zip(answers, test, strict=True)])), score.attention_recall  # fmt: skip

    (share, recall), (plain_share, plain_recall) = found(0.5), found(0.0)
    assert share > 0.6
    assert share > plain_share + 0.2
    assert recall > plain_recall
