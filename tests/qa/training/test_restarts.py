"""Restarts by PyTorch: selection, validation data, Ctrl-C, divergence, and the metrics file."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memn2n import Example, NetworkConfig, TrainingConfig
from memn2n.errors import ConfigError, TrainingError
from memn2n.qa.networks import Stage
from memn2n.qa.stories import BabiTask, StorySet, vocabulary_of
from memn2n.qa.training import problem as module
from memn2n.qa.training.metrics import QAMetricsLog
from memn2n.qa.training.problem import INTERRUPTED, Problem, Restart, hold_out
from memn2n.qa.training.restarts import Outcome, train_restarts
from memn2n.qa.training.schedule import DivergedError, Epoch, Score, train
from memn2n.qa.training.torch_loop import TorchLoop
from memn2n.qa.vocabulary import SPECIAL

EXAMPLES = [
    Example((f"{name} is here.",), f"who {i}?", name, task=str(i % 2)) for i, name in enumerate("abcdefghij" * 3)
]
VOCABULARY = vocabulary_of(EXAMPLES)
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)
QUICK = TrainingConfig(restarts=3, epochs=2, linear_start_epochs=1)


def problem(config: TrainingConfig = QUICK, valid: StorySet | None = None) -> Problem:
    return Problem.make(
        stories=STORIES,
        valid=valid,
        network=NetworkConfig(dim=3, hops=1),
        training=config,
        vocabulary_size=len(VOCABULARY),
        backend="torch",
    )


def run(config: TrainingConfig, events: list[Epoch | Restart] | None = None, valid: StorySet | None = None) -> Outcome:
    sink: list[Epoch | Restart] = [] if events is None else events
    return train_restarts(problem(config, valid), sink.append)


@pytest.mark.parametrize("select", ["train", "validation"])
def test_the_restart_of_the_lowest_loss_is_kept(select: str) -> None:
    events: list[Epoch | Restart] = []
    outcome = run(dataclasses.replace(QUICK, restarts=5, select=select), events)  # type: ignore[arg-type]
    losses = []
    for restart in outcome.restarts:
        score = restart.train if select == "train" else restart.valid
        assert score is not None
        losses.append(score.loss)
    assert [restart.kept for restart in outcome.restarts] == [loss == min(losses) for loss in losses]
    assert len(set(losses)) == 5, "restarts differ"
    assert [event.restart for event in events if isinstance(event, Restart)] == list(range(5))


@pytest.mark.parametrize("valid", [True, False])
def test_the_good_networks_are_kept(monkeypatch: pytest.MonkeyPatch, valid: bool) -> None:
    """Those whose loss is at most twice the lowest one, plus 0.01."""
    losses = {0: 0.05, 1: 0.02, 2: 0.049, 3: 0.051}
    real = Problem.train

    def trained(self: Problem, number: int, on_epoch: object) -> object:
        found = real(self, number, on_epoch)  # type: ignore[arg-type]
        score = Score(losses[number], 0.0)
        return found._replace(restart=dataclasses.replace(found.restart, train=score, valid=score if valid else None))

    monkeypatch.setattr(Problem, "train", trained)
    outcome = run(dataclasses.replace(QUICK, restarts=4, select="good"))
    assert [restart.kept for restart in outcome.restarts] == [True, True, True, False]
    assert len(outcome.networks) == 3


def test_restarts_do_not_depend_on_how_many_there_are() -> None:
    few, many = run(dataclasses.replace(QUICK, restarts=2)), run(QUICK)
    assert [r.train for r in few.restarts] == [r.train for r in many.restarts[:2]]


def test_the_number_of_torch_threads_is_restored() -> None:
    before = torch.get_num_threads()
    run(QUICK)
    assert torch.get_num_threads() == before


def diverge(monkeypatch: pytest.MonkeyPatch, *numbers: int) -> None:
    real = train

    def sometimes(*args: object) -> bool:
        if args[4] in numbers:
            raise DivergedError("the loss became nan in softmax epoch 1")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "train", sometimes)


def test_a_restart_that_diverges_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    diverge(monkeypatch, 0, 2)
    outcome = run(QUICK)
    assert [restart.kept for restart in outcome.restarts] == [False, True, False]
    assert outcome.restarts[0].stopped == "the loss became nan in softmax epoch 1"
    assert outcome.restarts[0].train is None


def test_all_restarts_diverging_is_an_error() -> None:
    with pytest.raises(
        TrainingError, match=r"every restart failed: the loss became .* lower learning_rate or init_std"
    ):
        run(dataclasses.replace(QUICK, learning_rate=1e30, clip_norm=1e30))


def test_ctrl_c_keeps_the_best_restart_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    real = train

    def interrupted(*args: object) -> bool:
        if args[4] == 1:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "train", interrupted)
    outcome = run(QUICK)
    assert [(restart.kept, restart.stopped) for restart in outcome.restarts] == [(True, ""), (False, INTERRUPTED)]


def test_an_interrupted_restart_can_be_selected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "train", lambda *_: False)
    outcome = run(QUICK)
    assert [(restart.kept, restart.stopped) for restart in outcome.restarts] == [(True, INTERRUPTED)]


def test_ctrl_c_before_the_first_epoch_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(QUICK)


def test_the_tail_of_each_task_is_held_out() -> None:
    config = dataclasses.replace(QUICK, validation=0.2, validation_split="tail")
    examples, held_out = hold_out(STORIES, config)
    assert held_out.tolist() == [24, 25, 26, 27, 28, 29]
    assert sorted([*examples, *held_out]) == list(range(30))
    by_task = StorySet.encode(sorted(EXAMPLES, key=lambda e: e.task), VOCABULARY)
    _, held_out = hold_out(by_task, config)
    assert held_out.tolist() == [12, 13, 14, 27, 28, 29]


def labelled(*parts: tuple[str, str]) -> StorySet:
    """An example for each (task, answer)."""
    examples = [Example(("a b.",), "c?", answer, task=task) for task, answer in parts]
    return StorySet.encode(examples, vocabulary_of(examples))


def test_by_default_the_tail_of_a_babi_task_is_held_out() -> None:
    """These splits are part of published tables."""
    babi = labelled(*[(BabiTask("1"), "x")] * 10, *[(BabiTask("2"), "y")] * 20)
    assert hold_out(babi, TrainingConfig())[1].tolist() == [9, 28, 29]


def test_by_default_sorted_data_is_held_out_at_random_in_each_task() -> None:
    parts = [(task, answer) for task in "12" for answer in "abcde" for _ in range(20)]
    stories = labelled(*parts)
    examples, held_out = hold_out(stories, TrainingConfig())
    assert sorted([*examples, *held_out]) == list(range(200))
    assert [sum(parts[i][0] == task for i in held_out) for task in "12"] == [10, 10]
    assert len({parts[i] for i in held_out}) > 5
    assert hold_out(stories, TrainingConfig())[1].tolist() == held_out.tolist()
    assert hold_out(stories, TrainingConfig(seed=1))[1].tolist() != held_out.tolist()


@given(st.lists(st.tuples(st.sampled_from("123456"), st.sampled_from("abcdefgh")), min_size=1, max_size=60),
       st.floats(0, 0.9), st.integers(0, 5))  # fmt: skip
def test_by_default_each_task_and_each_answer_keeps_a_question_to_train_on(
    parts: list[tuple[str, str]], share: float, seed: int
) -> None:
    """Also with tasks of one, two and three examples."""
    examples, held_out = hold_out(labelled(*parts), TrainingConfig(validation=share, seed=seed))
    assert sorted([*examples, *held_out]) == list(range(len(parts)))
    assert {task for task, _ in parts} == {parts[i][0] for i in examples}
    assert {answer for _, answer in parts} == {parts[i][1] for i in examples}
    assert len(held_out) <= round(share * len(parts))


def test_a_random_share_is_held_out() -> None:
    config = dataclasses.replace(QUICK, validation=0.2, validation_split="random")
    examples, held_out = hold_out(STORIES, config)
    assert sorted([*examples, *held_out]) == list(range(30))
    assert len(held_out) == 6
    assert held_out.tolist() == hold_out(STORIES, config)[1].tolist()
    assert held_out.tolist() != hold_out(STORIES, dataclasses.replace(config, seed=1))[1].tolist()


def test_given_validation_data_is_used() -> None:
    own = StorySet.encode(EXAMPLES[:3], VOCABULARY)
    score = run(dataclasses.replace(QUICK, restarts=1), valid=own).restarts[0].valid
    assert score is not None
    assert score.error in {0, 1 / 3, 2 / 3, 1}


@pytest.mark.parametrize("name", ["select", "linear_start"])
def test_settings_that_need_validation_data_are_refused_without_it(name: str) -> None:
    config = TrainingConfig.from_dict({"validation": 0.0, name: "validation"})
    with pytest.raises(ConfigError, match=f'{name} is "validation", but there is no validation data'):
        run(config)


def test_training_without_validation() -> None:
    outcome = run(dataclasses.replace(QUICK, validation=0.0))
    assert all(restart.valid is None for restart in outcome.restarts)


def test_something_must_be_left_to_train_on() -> None:
    one = StorySet.encode(EXAMPLES[:1], VOCABULARY)
    with pytest.raises(ConfigError, match="nothing is left to train on"):
        hold_out(one, dataclasses.replace(QUICK, validation=0.9, validation_split="tail"))


def test_metrics_are_json_lines_that_replace_the_old_ones_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("the old run's")
    log = QAMetricsLog(tmp_path)
    outcome = train_restarts(problem(), log)
    assert (tmp_path / "metrics.jsonl").read_text() == "the old run's"
    assert len((tmp_path / "metrics.partial.jsonl").read_text().splitlines()) == 4 * 3
    log.publish()
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [record["event"] for record in records] == ["epoch", "epoch", "epoch", "restart"] * 3
    last = records[-1]
    del last["event"]
    assert Restart.from_dict(last) == dataclasses.replace(outcome.restarts[-1], kept=False)
    assert list(tmp_path.iterdir()) == [tmp_path / "metrics.jsonl"]


def test_scores_are_shares_and_nats() -> None:
    outcome = run(QUICK)
    score = outcome.restarts[0].train
    assert isinstance(score, Score)
    assert 0 <= score.error <= 1
    assert score.loss == pytest.approx(np.log(len(VOCABULARY)), rel=0.5), (
        "hardly trained: about the loss of a uniform guess"
    )


def test_sizes_come_from_the_training_data() -> None:
    shape = run(dataclasses.replace(QUICK, restarts=1)).networks[0].shape
    assert (shape.vocabulary, shape.longest_sentence, shape.slots) == (len(VOCABULARY), 3, 1)
    long = StorySet.encode([Example(("a b c d.",) * 9, "a?", "b")] * 20, VOCABULARY)
    config = dataclasses.replace(QUICK, restarts=1)
    longer = Problem.make(
        stories=long,
        network=NetworkConfig(dim=3, memory_size=4),
        training=config,
        vocabulary_size=len(VOCABULARY),
    )
    outcome = train_restarts(longer, lambda _: None)
    assert (outcome.networks[0].shape.longest_sentence, outcome.networks[0].shape.slots) == (4, 4)


def test_parameters_start_with_the_given_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "train", lambda *_: True)
    config = dataclasses.replace(QUICK, init_std=3.0, restarts=1)
    table = run(config).networks[0].arrays["tables.0"]
    assert table[SPECIAL:].std() == pytest.approx(3.0, rel=0.4)
    assert not table[:SPECIAL].any(), "null and unknown words start at zero"


def test_what_is_held_out_is_not_trained_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[set[int], set[int]]] = []

    def spy(loop: TorchLoop, valid: tuple[object, np.ndarray], *_: object) -> bool:
        given.append((set(loop.examples.tolist()), set(valid[1].tolist())))
        return True

    monkeypatch.setattr(module, "train", spy)
    run(dataclasses.replace(QUICK, restarts=1, validation=0.2))
    ((trained, held_out),) = given
    assert trained.isdisjoint(held_out)
    assert trained | held_out == set(range(len(EXAMPLES)))


def test_divergence_in_the_last_update_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "train", lambda *_: True)
    monkeypatch.setattr(TorchLoop, "score", lambda *_: Score(float("nan"), 1.0))
    with pytest.raises(TrainingError, match="every restart failed: the loss became nan in the last update"):
        run(QUICK)


def test_ctrl_c_while_scoring_does_not_lose_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    validate = TorchLoop.score

    def interrupted(self: TorchLoop, stories: StorySet, examples: np.ndarray, *stage: Stage) -> Score:
        if not stage:  # the call after the training
            raise KeyboardInterrupt
        return validate(self, stories, examples, *stage)

    monkeypatch.setattr(TorchLoop, "score", interrupted)
    events: list[Epoch | Restart] = []
    outcome = run(dataclasses.replace(QUICK, restarts=1), events)
    (restart,) = outcome.restarts
    last = [event for event in events if isinstance(event, Epoch)][-1]
    assert (restart.kept, restart.stopped, restart.train) == (True, INTERRUPTED, last.train)


def test_ctrl_c_between_restarts_keeps_the_finished_ones() -> None:
    def interrupt(event: Epoch | Restart) -> None:
        if isinstance(event, Restart) and event.restart == 1:
            raise KeyboardInterrupt

    outcome = train_restarts(problem(), interrupt)
    assert [restart.stopped for restart in outcome.restarts] == ["", "", INTERRUPTED]
    assert sum(restart.kept for restart in outcome.restarts) == 1
