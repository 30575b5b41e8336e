"""The training of a language model: its steps by hand, its schedules, and that it goes on exactly."""

import dataclasses
import math
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from memn2n import LMConfig, LMTraining
from memn2n.errors import TrainingError
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.scoring import log_probabilities_of, mean_loss
from memn2n.lm.training import trainer as lm
from memn2n.lm.training.progress import LMEpoch, LMStep, Progress
from memn2n.lm.training.trainer import LMTrainer, sgd_step
from memn2n.lm.windows import epoch_batches, window_batch

WORDS = 13
NETWORK = LMConfig(dim=6, linear=3, hops=2, memory_size=5)
PLAIN = LMTraining(
    optimizer="sgd", learning_rate=0.05, anneal="validation", epochs=3, batch_size=16, block=4, embedding_dropout=0.0,
    state_dropout=0.0, clip_norm=50.0, precision="fp32",
)  # fmt: skip
MODERN = LMTraining(learning_rate=0.01, epochs=3, batch_size=16, block=4, hop_dropout=0.1, precision="fp32")


def text(words: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.int32]]:
    return np.random.default_rng(seed).integers(0, WORDS, words).astype(np.int32)


def made(
    config: LMTraining, words: int = 120, valid: int | None = 40, network: LMConfig = NETWORK,
    precision: torch.dtype = torch.float32,
) -> LMTrainer:  # fmt: skip
    net = LMNetwork(network, WORDS, torch.Generator().manual_seed(config.seed), 0.3).to(precision)
    return LMTrainer(net, text(words), None if valid is None else text(valid, 1), config, precision)


def trained(trainer: LMTrainer, on_event: Callable[[LMStep | LMEpoch], None] | None = None) -> list[LMStep | LMEpoch]:
    """Train to the end; what was told."""
    events: list[LMStep | LMEpoch] = []

    def listen(event: LMStep | LMEpoch) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    assert trainer.run(listen, lambda best: None)
    return events


def weights(trainer: LMTrainer) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in trainer.network.named_parameters()}


def assert_same(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> None:
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name


# The steps


@pytest.mark.parametrize("clip", ["global", "tensor"])
@pytest.mark.parametrize("clip_norm", [0.5, 1e6])
def test_a_step_of_sgd_by_hand(clip: Any, clip_norm: float) -> None:
    """The batch's summed loss on plain windows, with PyTorch's own loss, clipped and stepped in NumPy."""
    config = dataclasses.replace(PLAIN, epochs=1, clip=clip, clip_norm=clip_norm)
    trainer = made(config, words=17, valid=None, precision=torch.float64)  # one batch
    plain = LMNetwork(NETWORK, WORDS).double()
    plain.load_state_dict(trainer.network.state_dict())
    batches = epoch_batches(17, config, 1)
    assert len(batches) == 1
    batch = window_batch(text(17), batches.starts(0), batches.block, NETWORK.memory_size, torch.device("cpu"))
    state = plain.windows(batch.words, batch.missing)
    loss = cross_entropy(state.flatten(0, 1) @ plain.W.T, batch.target.flatten(), reduction="sum")
    loss.backward()  # type: ignore[no-untyped-call]
    gradients = {name: gradient_of(value).numpy() for name, value in plain.named_parameters()}
    whole = math.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
    told = trained(trainer)
    assert isinstance(told[0], LMStep)
    assert told[0].loss * told[0].words == pytest.approx(loss.item(), rel=1e-12)
    for name, before in plain.named_parameters():
        norm = whole if clip == "global" else np.sqrt((gradients[name] ** 2).sum())
        wanted = before.detach().numpy() - 0.05 * min(1, clip_norm / norm) * gradients[name]
        np.testing.assert_allclose(weights(trainer)[name].numpy(), wanted, rtol=1e-9, atol=1e-12)
        assert not np.allclose(wanted, before.detach().numpy(), atol=1e-5), "a step was made"


def gradient_of(value: Tensor) -> Tensor:
    assert value.grad is not None
    return value.grad


@pytest.mark.parametrize("clip", ["global", "tensor"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_steps_of_adamw_by_hand(clip: Any, weight_decay: float) -> None:
    config = dataclasses.replace(
        PLAIN, optimizer="adamw", clip=clip, clip_norm=0.05, weight_decay=weight_decay, epochs=1, anneal="cosine"
    )
    trainer = made(config, words=60, valid=None, precision=torch.float64)
    plain = LMNetwork(NETWORK, WORDS).double()
    plain.load_state_dict(trainer.network.state_dict())
    rates = [event.rate for event in trained(trainer) if isinstance(event, LMStep)]
    batches = epoch_batches(60, config, 1)
    assert len(batches) == len(rates) >= 3
    value = {name: parameter.detach().numpy().copy() for name, parameter in plain.named_parameters()}
    m = {name: np.zeros_like(x) for name, x in value.items()}
    v = {name: np.zeros_like(x) for name, x in value.items()}
    for t, rate in enumerate(rates, 1):
        batch = window_batch(text(60), batches.starts(t - 1), 4, NETWORK.memory_size, torch.device("cpu"))
        plain.zero_grad()
        state = plain.windows(batch.words, batch.missing)
        loss = cross_entropy(state.flatten(0, 1) @ plain.W.T, batch.target.flatten())  # the mean
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = {name: gradient_of(parameter).numpy() for name, parameter in plain.named_parameters()}
        whole = math.sqrt(sum((gradient**2).sum() for gradient in gradients.values()))
        for name, parameter in plain.named_parameters():
            norm = whole if clip == "global" else np.sqrt((gradients[name] ** 2).sum())
            g = gradients[name] * min(1, 0.05 / norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.999 * v[name] + 0.001 * g**2
            step = (m[name] / (1 - 0.9**t)) / (np.sqrt(v[name] / (1 - 0.999**t)) + 1e-8)
            value[name] = value[name] * (1 - rate * weight_decay) - rate * step
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(value[name]))
    for name, found in weights(trainer).items():
        np.testing.assert_allclose(found.numpy(), value[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("clip", ["global", "tensor"])
@pytest.mark.parametrize("clip_norm", [0.1, 3.0, 1e9])
def test_the_norm_of_sparse_gradients_is_that_of_dense_ones(clip: Any, clip_norm: float) -> None:
    """A word that stands twice in a batch has two entries, whose sum counts."""
    dense = torch.tensor([[0.0, 0.0], [3.0, -1.0], [0.5, 2.0]])
    rows = torch.tensor([[1, 2, 1]])
    entries = torch.tensor([[1.0, 1.0], [0.5, 2.0], [2.0, -2.0]])
    sparse = torch.sparse_coo_tensor(rows, entries, (3, 2), check_invariants=True)
    assert torch.equal(sparse.to_dense(), dense)
    other = torch.tensor([4.0, 0.0, -2.0])
    frozen = torch.ones(2)
    starts, norms = (torch.ones(3, 2), torch.ones(3)), (math.sqrt(14.25), math.sqrt(20))
    for gradient in (sparse, dense):
        values = [start.clone() for start in starts]
        values[0].grad, values[1].grad = gradient.clone(), other.clone()
        sgd_step([*values, frozen], 0.1, clip, clip_norm)
        for value, start, by, own in zip(values, starts, (dense, other), norms, strict=True):
            norm = own if clip == "tensor" else math.hypot(*norms)
            torch.testing.assert_close(value, start - 0.1 * min(1, clip_norm / norm) * by)
    assert torch.equal(frozen, torch.ones(2))


def test_no_gradient_is_no_step() -> None:
    value = torch.ones(3)
    value.grad = torch.zeros(3)
    sgd_step([value], 0.1, "global", 1.0)
    assert torch.equal(value, torch.ones(3))


@pytest.mark.parametrize("config", [PLAIN, MODERN])
@pytest.mark.parametrize("tied", [False, True])
def test_tied_and_random_batches_train_too(config: LMTraining, tied: bool) -> None:
    network = dataclasses.replace(NETWORK, tied=tied)
    trainer = made(dataclasses.replace(config, batching="random", epochs=1), network=network)
    before = weights(trainer)
    steps = [event for event in trained(trainer) if isinstance(event, LMStep)]
    assert [step.words for step in steps] == [*range(16, 119, 16), 119]
    assert all(step.epoch_words == 119 for step in steps)
    assert not any(torch.equal(value, before[name]) for name, value in weights(trainer).items())


# The loss of a text


@pytest.mark.parametrize("words", [2, 3, 130, 1200])
def test_the_loss_of_a_text_is_that_of_its_words_one_by_one(words: int) -> None:
    """Wherever blocks begin and end."""
    net = LMNetwork(NETWORK, WORDS, torch.Generator().manual_seed(0), 0.5).double()
    ids = text(words)
    parts = list(log_probabilities_of(net, ids, torch.float64))
    found = torch.cat(parts)
    assert len(found) == words - 1
    for position in {1, words // 2, words - 1, min(words - 1, 129)}:
        read = torch.from_numpy(ids[max(0, position - 5) : position].astype(np.int64))
        padded = torch.cat([torch.zeros(5 - len(read), dtype=torch.int64), read])[None]
        state = net.windows(padded, torch.tensor([5 - len(read)]))[0, 0]
        wanted = (net.W @ state).log_softmax(0)[int(ids[position])]
        assert found[position - 1].item() == pytest.approx(wanted.item(), rel=1e-12)
    assert mean_loss(net, ids, torch.float64) == pytest.approx(-found.mean().item())
    assert torch.is_grad_enabled(), "also after an iteration"


# Schedules


def scripted(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
    """Let validation find these losses, one an epoch."""
    left: Iterator[float] = iter(losses)
    monkeypatch.setattr(lm, "mean_loss", lambda *_: next(left))


def epochs_of(trainer: LMTrainer) -> list[LMEpoch]:
    return [event for event in trained(trainer) if isinstance(event, LMEpoch)]


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
def test_cosine_rises_and_falls_to_nothing(warmup: float) -> None:
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


def test_what_is_told() -> None:
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


def test_the_checkpoint_is_made_before_an_epoch_is_told() -> None:
    """So that whoever hears of an epoch finds its network."""
    order: list[str] = []
    trainer = made(PLAIN)
    trainer.run(
        lambda event: order.append("told") if isinstance(event, LMEpoch) else None,
        lambda best: order.append(f"{len(trainer.progress.history)} {best}"),
    )
    best = [epoch.best for epoch in trainer.progress.history]
    assert order == [part for i, b in enumerate(best, 1) for part in (f"{i} {b}", "told")]


# Going on


def interrupt_after(batches: int, epochs: bool = False) -> Callable[[LMStep | LMEpoch], None]:
    """Press Ctrl-C after so many batches, or epochs."""
    left = [batches]

    def listen(event: LMStep | LMEpoch) -> None:
        if isinstance(event, LMEpoch) == epochs:
            left[0] -= 1
            if left[0] == 0:
                signal.raise_signal(signal.SIGINT)

    return listen


def saved(trainer: LMTrainer) -> tuple[dict[str, Tensor], Progress]:
    state = {name: value.clone() for name, value in trainer.state().items()}
    return state, Progress.from_dict(trainer.progress.to_dict())


def told_without_time(history: list[LMEpoch]) -> list[LMEpoch]:
    return [dataclasses.replace(epoch, words_per_second=0, seconds=0) for epoch in history]


@pytest.mark.parametrize("config", [PLAIN, MODERN], ids=["sgd", "adamw with dropout"])
@pytest.mark.parametrize("valid", [40, None])
@pytest.mark.parametrize(
    ("after", "epochs"), [(1, False), (3, False), (7, False), (8, False), (15, False), (1, True), (2, True)]
)
def test_it_goes_on_after_ctrl_c_as_if_nothing_had_been(
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
    assert told_without_time(again.progress.history) == told_without_time(whole.progress.history)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("config", [PLAIN, MODERN], ids=["sgd", "adamw with dropout"])
def test_it_goes_on_from_the_last_checkpoint_after_a_kill(config: LMTraining) -> None:
    whole = made(config)
    trained(whole)
    first = made(config)
    kept: list[tuple[dict[str, Tensor], Progress]] = []

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


def test_an_epoch_is_trained_at_a_rate_below_the_lowest_one() -> None:
    """One that was cut in it too."""
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
        assert value.data_ptr() != state[name].data_ptr(), "it shares nothing with what it was restored from"


@pytest.mark.parametrize("anneal", ["cosine", "validation"])
def test_one_that_ended_goes_on_when_it_is_given_more_epochs(anneal: Any) -> None:
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


def test_one_that_ended_for_want_of_progress_does_not_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
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
    with pytest.raises(ValueError, match=r"not of such a network and optimizer|has another shape"):
        made(config, network=network).restore(state, progress)


# What is not finite


def poison(trainer: LMTrainer, after: int) -> Callable[[LMStep | LMEpoch], None]:
    """Let the step after so many batches have gone wrong."""
    left = [after]

    def listen(event: LMStep | LMEpoch) -> None:
        if isinstance(event, LMStep):
            left[0] -= 1
            if left[0] == 0:
                with torch.no_grad():
                    trainer.network.H.fill_(math.nan)

    return listen


@pytest.mark.parametrize("after", [1, 3, 7, 8, 10])
@pytest.mark.parametrize("valid", [40, None])
@pytest.mark.parametrize("ctrl_c", [False, True])
def test_a_network_that_went_wrong_is_never_kept(after: int, valid: int | None, ctrl_c: bool) -> None:
    """Also where the last step of an epoch did it, after which no batch shows it, or Ctrl-C comes with it."""
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
    assert "lower the learning rate (0.05) or the norm that is clipped (50)" in message
    assert f"in epoch {1 if after < 8 else 2 if after > 8 else len(kept) + 1}" in message
    assert all(value.isfinite().all() for state in kept for value in state.values())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("config", [PLAIN, MODERN])
def test_too_high_a_rate_is_told(config: LMTraining) -> None:
    with pytest.raises(TrainingError, match=r"became (nan|inf|-inf) in epoch"):
        trained(made(dataclasses.replace(config, learning_rate=1e30, clip_norm=1e30, warmup=0.0, epochs=50)))


# That it learns


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_it_learns_what_comes_next(optimizer: Any) -> None:
    """A cycle of words, which word frequencies do not give away: perplexity 13 by them, 1 by the cycle."""
    cycle = np.tile(np.random.default_rng(0).permutation(WORDS), 60).astype(np.int32)
    config = dataclasses.replace(
        PLAIN, optimizer=optimizer, learning_rate=0.1 if optimizer == "sgd" else 0.02, epochs=8, clip_norm=5.0
    )
    network = LMNetwork(dataclasses.replace(NETWORK, dim=16, linear=8), WORDS, torch.Generator().manual_seed(0), 0.1)
    trainer = LMTrainer(network, cycle[:600], cycle[600:], config, torch.float32)
    losses = [epoch.valid for epoch in epochs_of(trainer)]
    assert losses[0] is not None
    assert losses[-1] is not None
    assert math.exp(losses[-1]) < 1.5
    assert losses[-1] < losses[0]


def test_it_learns_to_copy_from_memory() -> None:
    """Three random words, then the same three: half of the words can be known from what stands three words before."""
    triples = np.random.default_rng(0).integers(0, 8, (400, 1, 3))
    ids = np.tile(triples, (1, 4, 1)).reshape(-1).astype(np.int32)
    config = dataclasses.replace(
        MODERN, epochs=8, batch_size=64, block=16, embedding_dropout=0.0, hop_dropout=0.0, state_dropout=0.0
    )
    network = LMConfig(dim=24, linear=12, hops=2, memory_size=6)
    trainer = LMTrainer(LMNetwork(network, 8, torch.Generator().manual_seed(0), 0.1), ids[:4000], ids[4000:], config,
                        torch.float32)  # fmt: skip
    loss = epochs_of(trainer)[-1].valid
    assert loss is not None
    assert math.exp(loss) < 4, "8 by word frequencies; 1.7 if all that can be known were"
