"""A trainer that is restored continues exactly where it was."""

import dataclasses
import signal
from typing import Any

import pytest
from torch import Tensor

from memn2n import LMTraining
from memn2n.lm.training.progress import LMEpoch, LMStep, TrainingProgress
from memn2n.lm.windows import epoch_batches
from tests.lm.training.small_training import (
    MODERN,
    NETWORK,
    PLAIN,
    assert_same,
    epochs_of,
    interrupt_after,
    made,
    saved,
    scripted,
    trained,
)


def without_times(history: list[LMEpoch]) -> list[LMEpoch]:
    return [dataclasses.replace(epoch, words_per_second=0, seconds=0) for epoch in history]


@pytest.mark.parametrize("config", [PLAIN, MODERN], ids=["sgd", "adamw with dropout"])
@pytest.mark.parametrize("valid", [40, None])
@pytest.mark.parametrize(
    ("after", "epochs"), [(1, False), (3, False), (7, False), (8, False), (15, False), (1, True), (2, True)]
)
def test_after_ctrl_c_the_result_is_that_of_an_uninterrupted_training(
    config: LMTraining, valid: int | None, after: int, epochs: bool
) -> None:
    whole = made(config, valid=valid)
    trained(whole)
    assert len(epoch_batches(120, config, 1)) in (7, 8), "after the 7th or 8th batch validation is under way"
    first = made(config, valid=valid)
    checkpoints: list[bool] = []
    assert not first.run(interrupt_after(after, epochs), checkpoints.append)
    assert checkpoints[-1] is False
    state, progress = saved(first)
    again = made(dataclasses.replace(config, seed=config.seed), valid=valid)
    again.restore(state, progress)
    trained(again)
    assert_same(again.state(), whole.state())
    assert without_times(again.progress.history) == without_times(whole.progress.history)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("config", [PLAIN, MODERN], ids=["sgd", "adamw with dropout"])
def test_after_a_kill_it_continues_from_the_last_checkpoint(config: LMTraining) -> None:
    whole = made(config)
    trained(whole)
    first = made(config)
    kept: list[tuple[dict[str, Tensor], TrainingProgress]] = []

    def die(event: LMStep | LMEpoch) -> None:
        if isinstance(event, LMStep) and event.epoch == 3:
            raise MemoryError

    with pytest.raises(MemoryError):
        first.run(die, lambda best: kept.append(saved(first)))
    again = made(config)
    again.restore(*kept[-1])
    assert (again.progress.epoch, again.progress.batch) == (3, 0)
    trained(again)
    assert_same(again.state(), whole.state())


def test_the_first_epoch_runs_even_if_its_rate_is_below_the_lowest_one() -> None:
    """Also if it was interrupted."""
    config = dataclasses.replace(PLAIN, learning_rate=1e-6)
    first = made(config)
    assert not first.run(interrupt_after(2), lambda best: None)
    again = made(config)
    again.restore(*saved(first))
    assert [epoch.epoch for epoch in epochs_of(again)] == [1]


def test_ctrl_c_before_the_first_batch() -> None:
    trainer = made(MODERN)
    state, progress = saved(trainer)
    assert not progress.begun
    assert not any(name.startswith("exp_avg") for name in state)
    again = made(MODERN)
    again.restore(state, progress)
    whole = made(MODERN)
    trained(whole)
    trained(again)
    assert_same(again.state(), whole.state())


def test_a_state_holds_what_the_optimizer_had() -> None:
    trainer = made(MODERN)
    trained(trainer)
    state, progress = saved(trainer)
    again = made(MODERN)
    again.restore(state, progress)
    assert_same(again.state(), trainer.state())
    for name, value in again.state().items():
        assert value.shape == state[name].shape
        assert value.data_ptr() != state[name].data_ptr(), "the restored tensors are copies"


@pytest.mark.parametrize("anneal", ["cosine", "validation"])
def test_a_finished_training_continues_with_more_epochs(anneal: Any) -> None:
    config = dataclasses.replace(MODERN, epochs=2, anneal=anneal, patience=9)
    first = made(config)
    trained(first)
    assert first.finished
    again = made(dataclasses.replace(config, epochs=4))
    again.restore(*saved(first))
    assert not again.finished
    assert [epoch.epoch for epoch in epochs_of(again)] == [3, 4]
    fewer = made(dataclasses.replace(config, epochs=1))
    fewer.restore(*saved(first))
    assert fewer.finished
    assert trained(fewer) == []


def test_a_training_that_patience_or_the_lowest_rate_ended_stays_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    for config in (
        dataclasses.replace(MODERN, epochs=9, patience=2),
        dataclasses.replace(PLAIN, epochs=9, lowest_rate=0.04),
    ):
        scripted(monkeypatch, [3.0] * 9)
        first = made(config)
        done = len(epochs_of(first))
        assert done < 9
        again = made(dataclasses.replace(config, epochs=20))
        again.restore(*saved(first))
        assert trained(again) == []


@pytest.mark.parametrize("wrong", ["tied", "dim", "optimizer", "random", "moment"])
def test_a_state_of_another_training_is_refused(wrong: str) -> None:
    first = made(MODERN)
    trained(first)
    state, progress = saved(first)
    config, network = MODERN, NETWORK
    if wrong == "tied":
        network = dataclasses.replace(NETWORK, tied=True)
    elif wrong == "dim":
        network = dataclasses.replace(NETWORK, dim=7)
    elif wrong == "optimizer":
        config = PLAIN
    elif wrong == "random":
        del state["random"]
    else:
        state["exp_avg.H"] = state["exp_avg.H"][:2]
    with pytest.raises(ValueError, match=r"belongs to another network or optimizer|has another shape"):
        made(config, network=network).restore(state, progress)
