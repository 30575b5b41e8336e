"""Which questions an epoch has with sampling "hard"."""

from typing import Any

import numpy as np
import pytest

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.errors import ConfigError
from memn2n.qa import engine
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.training import sampling as module
from memn2n.qa.training.sampling import Sampling
from memn2n.qa.training.schedule import Epoch, Score

NATIVE = pytest.param(
    "native",
    marks=pytest.mark.skipif(bool(engine.unavailable()), reason=f"no engine: {engine.unavailable()}"),
)

ANSWERS = ("here", "there")  # their entropy is 0.69 nats
EXAMPLES = [Example(("a went.",), "where is a?", ANSWERS[i % 2], task=task) for task in "wxyz" for i in range(40)]
STORIES = StorySet.encode(EXAMPLES, vocabulary_of(EXAMPLES))
LOSSES = {"w": 0.3, "x": 0.0, "y": 0.05, "z": 2.0}


class Loop:
    """A loop with these losses."""

    def __init__(self) -> None:
        self.tests = 0

    def score(self, stories: StorySet, examples: Any, stage: Any = None) -> Score:
        self.tests += 1
        (task,) = set(stories.task[examples].tolist())
        return Score(LOSSES[stories.tasks[task]], 0.0)


def sampling(config: TrainingConfig, examples: Any = None, **options: Any) -> Sampling:
    chosen = np.arange(len(STORIES)) if examples is None else examples
    made = Sampling.of(STORIES, chosen, config, np.random.default_rng(0), **options)
    assert made is not None
    return made


def draw(made: Sampling, loop: Any, phase: Any = "softmax", epochs: Any = range(1, 41)) -> Any:
    return np.concatenate([made.draw(loop, phase, epoch) for epoch in epochs])


def shares(drawn: Any) -> dict[str, float]:
    return {task: float(np.mean(STORIES.task[drawn] == i)) for i, task in enumerate(STORIES.tasks)}


def test_tasks_that_are_not_learned_have_more_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_QUESTIONS_BETWEEN_TESTS", 5 * 160)
    made, loop = sampling(TrainingConfig(sampling="hard", batch_size=40)), Loop()
    drawn = draw(made, loop)
    assert len(drawn) == 40 * 160
    found = shares(drawn)
    for task, share in {"w": 1, "x": 0.1, "y": 0.5, "z": 1}.items():
        assert found[task] == pytest.approx(share / 2.6, rel=0.15)
    assert loop.tests == 4 * 8, "each task every five epochs"


def test_the_linear_start_draws_all_tasks_alike() -> None:
    made, loop = sampling(TrainingConfig(sampling="hard", batch_size=160)), Loop()
    assert all(share == pytest.approx(0.25, rel=0.15) for share in shares(draw(made, loop, "linear")).values())
    assert loop.tests == 0


def test_the_first_epochs_have_only_what_the_pilot_did_not_learn() -> None:
    made, loop = sampling(TrainingConfig(sampling="hard", hard_first=0.02)), Loop()
    assert made.needs_pilot
    assert set(shares(draw(made, loop, "pilot", [1]))) == set(LOSSES)
    made.choose_hard_tasks(loop)  # type: ignore[arg-type]
    for phase, epochs in (("linear", [1, 9]), ("softmax", [1, 2])):
        found = shares(draw(made, loop, phase, epochs))
        assert found == {"w": 0, "x": 0, "y": 0, "z": 1}
    assert all(share > 0 for share in shares(draw(made, loop, "softmax", [3])).values())


def test_there_is_no_pilot_for_one_task_or_to_go_on_from_a_model() -> None:
    config = TrainingConfig(sampling="hard", hard_first=0.02)
    assert not sampling(config, np.flatnonzero(STORIES.task == 1)).needs_pilot
    assert not sampling(config, pilot=False).needs_pilot


def test_only_the_training_examples_are_drawn() -> None:
    chosen = np.arange(0, len(EXAMPLES), 3)
    assert set(draw(sampling(TrainingConfig(sampling="hard"), chosen), Loop()).tolist()) <= set(chosen.tolist())


def test_other_samplings_are_the_loops() -> None:
    assert Sampling.of(STORIES, np.arange(3), TrainingConfig(), np.random.default_rng(0)) is None
    with pytest.raises(ConfigError, match=r"hard_first is 0\.3, but sampling is replacement: it needs hard"):
        TrainingConfig(hard_first=0.3)


@pytest.mark.parametrize("backend", [NATIVE, "torch"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_network_starts_anew_after_the_pilot(backend: Any, optimizer: Any) -> None:
    train, test = simulate(task=[1, 15], n_train=400, n_test=100, seed=1)
    config = TrainingConfig(sampling="hard", hard_first=0.2, epochs=30, linear_start_epochs=5, restarts=1, seed=3,
                            optimizer=optimizer)  # fmt: skip
    events: list[Any] = []
    model = StoryQA.fit(train, network=NetworkConfig(), training=config, backend=backend, on_event=events.append)
    epochs = [event for event in events if isinstance(event, Epoch)]
    assert [event.phase for event in epochs] == ["pilot"] * 3 + ["linear"] * 5 + ["softmax"] * 30
    fresh, trained = epochs[3].train.loss, epochs[2].train.loss
    assert trained < fresh < 2 * np.log(len(model.vocabulary)), "the loss of a network that has learned nothing"
    assert model.evaluate(test).error < 0.3


def test_the_hard_epochs_are_a_share_of_all() -> None:
    config = TrainingConfig(sampling="hard", hard_first=0.33, epochs=50)
    assert (config.hard_epochs, config.pilot_epochs) == (16, 5)
    assert TrainingConfig(epochs=50).pilot_epochs == 0


def test_a_task_of_one_answer_is_not_hard() -> None:
    examples = [Example(("a went.",), "where is a?", "here" if i % 2 else "there", task="two") for i in range(40)]
    examples += [Example(("a went.",), "where is a?", "here", task="one")] * 40
    stories = StorySet.encode(examples, vocabulary_of(examples))
    made = Sampling.of(
        stories, np.arange(80), TrainingConfig(sampling="hard", hard_first=0.5), np.random.default_rng(0)
    )
    assert made is not None

    class Learned:
        def score(self, stories: StorySet, some: Any, stage: Any = None) -> Score:
            return Score(0.01 if stories.task[some[0]] else 0.6, 0.0)

    made.choose_hard_tasks(Learned())  # type: ignore[arg-type]
    drawn = made.draw(Learned(), "linear", 1)  # type: ignore[arg-type]
    assert set(stories.task[drawn].tolist()) == {0}
