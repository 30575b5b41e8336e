"""Learning rates, events, and the end of a training."""

import dataclasses
import math
import signal
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from memn2n import LMTraining
from memn2n.errors import TrainingError
from memn2n.lm.training.progress import LMEpoch, LMStep
from memn2n.lm.training.trainer import LMTrainer
from memn2n.lm.windows import epoch_batches
from tests.lm.training.small_training import (
    MODERN,
    PLAIN,
    WORDS,
    epochs_of,
    interrupt_after,
    made,
    saved,
    scripted,
    trained,
)


def test_the_rate_is_divided_when_validation_does_not_fall(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [5, 4, 3.9999, 3.0, 2.9996, 3.5, 3.4, 3.4])
    config = dataclasses.replace(PLAIN, epochs=8, learning_rate=0.9, anneal_by=3.0)
    epochs = epochs_of(made(config))
    # 3.9999 and 2.9996 are lower by less than a ten-thousandth, or just by more; each is judged against the one before
    assert 3.9999 > 0.9999 * 4
    assert 2.9996 <= 0.9999 * 3
    assert [epoch.rate for epoch in epochs] == pytest.approx([0.9, 0.9, 0.9, 0.3, 0.3, 0.3, 0.1, 0.1])
    assert [epoch.best for epoch in epochs] == [True, True, True, True, True, False, False, False]
    assert [epoch.valid for epoch in epochs] == [5, 4, 3.9999, 3.0, 2.9996, 3.5, 3.4, 3.4]


def test_training_ends_below_the_lowest_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [3.0] * 9)
    config = dataclasses.replace(PLAIN, epochs=100, learning_rate=0.1, lowest_rate=0.04, patience=1)
    epochs = epochs_of(made(config))
    assert [epoch.rate for epoch in epochs] == pytest.approx([0.1, 0.1, 0.1 / 1.5, 0.1 / 1.5**2])


def test_without_validation_the_training_loss_is_judged() -> None:
    epochs = epochs_of(made(PLAIN, valid=None))
    assert all(epoch.valid is None for epoch in epochs)
    lowest = math.inf
    for epoch in epochs:
        assert epoch.best == (epoch.train < lowest)
        lowest = min(lowest, epoch.train)


@pytest.mark.parametrize("warmup", [0.0, 0.25, 1.0])
def test_the_rate_of_cosine_rises_and_then_falls_to_zero(warmup: float) -> None:
    config = dataclasses.replace(MODERN, epochs=4, warmup=warmup, patience=9, learning_rate=0.02)
    events = trained(made(config))
    rates = [event.rate for event in events if isinstance(event, LMStep)]
    n = len(rates)
    warm = round(warmup * n)
    for i, rate in enumerate(rates, 1):
        if i < warm:
            assert rate == pytest.approx(0.02 * i / warm)
        elif warmup < 1:
            assert rate == pytest.approx(0.01 * (1 + math.cos(math.pi * (i - warm) / (n - warm))), abs=1e-9)
    assert max(rates) <= 0.02
    assert rates[-1] == pytest.approx(0.02 if warmup == 1 else 0, abs=1e-9)
    steps = iter(events)
    for epoch in [event for event in events if isinstance(event, LMEpoch)]:
        last = [event for event in iter(lambda: next(steps), epoch) if isinstance(event, LMStep)][-1]
        assert (epoch.epoch, epoch.rate) == (last.epoch, last.rate)


def test_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [5, 4, 4.5, 3, 3.5, 3, 3.1, 2])
    config = dataclasses.replace(MODERN, epochs=20, patience=3)
    epochs = epochs_of(made(config))
    assert [epoch.epoch for epoch in epochs if epoch.best] == [1, 2, 4], "the same loss again is no new lowest one"
    assert len(epochs) == 7


def test_the_events_of_an_epoch() -> None:
    events = trained(made(PLAIN))
    epochs = [event for event in events if isinstance(event, LMEpoch)]
    assert [epoch.epoch for epoch in epochs] == [1, 2, 3]
    for epoch in epochs:
        steps = [event for event in events if isinstance(event, LMStep) and event.epoch == epoch.epoch]
        batches = epoch_batches(120, PLAIN, epoch.epoch)
        assert len(steps) == len(batches)
        assert steps[-1].words == steps[-1].epoch_words == batches.words
        assert epoch.train == steps[-1].loss
        assert epoch.valid == pytest.approx(math.log(WORDS), abs=1)
        assert epoch.words_per_second == pytest.approx(batches.words / epoch.seconds)


def test_the_checkpoint_is_saved_before_its_epoch_is_reported() -> None:
    """So ``on_event`` can load the network of the epoch that it is called with."""
    order: list[str] = []
    trainer = made(PLAIN)
    trainer.run(
        lambda event: order.append("reported") if isinstance(event, LMEpoch) else None,
        lambda best: order.append(f"{len(trainer.progress.history)} {best}"),
    )
    best = [epoch.best for epoch in trainer.progress.history]
    assert order == [part for i, b in enumerate(best, 1) for part in (f"{i} {b}", "reported")]


def poison(trainer: LMTrainer, after: int) -> Callable[[LMStep | LMEpoch], None]:
    """Set a parameter to nan after a number of batches."""
    left = [after]

    def listen(event: LMStep | LMEpoch) -> None:
        if isinstance(event, LMStep):
            left[0] -= 1
            if left[0] == 0:
                with torch.no_grad():
                    trainer.network.get_parameter("H").fill_(math.nan)

    return listen


@pytest.mark.parametrize("after", [1, 3, 7, 8, 10])
@pytest.mark.parametrize("valid", [40, None])
@pytest.mark.parametrize("ctrl_c", [False, True])
def test_parameters_that_are_not_finite_are_never_saved(after: int, valid: int | None, ctrl_c: bool) -> None:
    """Also if the last step of an epoch breaks it, which no later batch shows, or Ctrl-C follows that step."""
    trainer = made(PLAIN, valid=valid)
    break_it, press = poison(trainer, after), interrupt_after(after)
    kept: list[dict[str, Tensor]] = []

    def listen(event: LMStep | LMEpoch) -> None:
        break_it(event)
        if ctrl_c:
            press(event)

    with pytest.raises(TrainingError) as error:
        trainer.run(listen, lambda best: kept.append(saved(trainer)[0]))
    message = str(error.value)
    assert "lower learning_rate (0.05) or clip_norm (50)" in message
    assert f"in epoch {1 if after < 8 else 2 if after > 8 else len(kept) + 1}" in message
    assert all(value.isfinite().all() for state in kept for value in state.values())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("config", [PLAIN, MODERN])
def test_a_rate_that_is_too_high_is_an_error(config: LMTraining) -> None:
    with pytest.raises(TrainingError, match=r"became (nan|inf|-inf) in epoch"):
        trained(made(dataclasses.replace(config, learning_rate=1e30, clip_norm=1e30, warmup=0.0, epochs=50)))
