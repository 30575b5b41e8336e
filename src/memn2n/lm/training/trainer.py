"""Training of the language model: the paper's recipe (section 5) and a modern one."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

import torch

from memn2n.errors import TrainingError
from memn2n.lm.networks.memn2n import Dropout
from memn2n.lm.networks.output import cross_entropy
from memn2n.lm.scoring import mean_loss
from memn2n.lm.training.progress import LMEpoch, LMStep, Progress, judged
from memn2n.lm.windows import epoch_batches, window_batch
from memn2n.machine import ctrl_c_sets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from memn2n.lm.config import LMClip, LMTraining
    from memn2n.lm.data.ids import Ids
    from memn2n.lm.networks.memn2n import LMNetwork
    from memn2n.lm.windows import EpochBatches


class LMTrainer:
    """Trains a network in place: ``run`` does it all, or goes on from where ``state`` was taken.

    Args:
        network: with its random start, on the device to train on.
        train: (words) ids of the training text, two or more.
        valid: those of the validation text, or None.
        config: settings.
        precision: of the products.
    """

    def __init__(
        self, network: LMNetwork, train: Ids, valid: Ids | None, config: LMTraining, precision: torch.dtype
    ) -> None:
        self.network = network
        self.config = config
        self.precision = precision
        self.progress = Progress(config.learning_rate)
        self._train = train
        self._valid = valid
        self._parameters = dict(network.named_parameters())
        self._device = network.A.device
        self._generator = torch.Generator(self._device).manual_seed(config.seed)
        self._dropout = None
        if config.embedding_dropout or config.hop_dropout or config.state_dropout:
            self._dropout = Dropout(config.embedding_dropout, config.hop_dropout, config.state_dropout, self._generator)
        self._adamw = None
        if config.optimizer == "adamw":
            self._adamw = torch.optim.AdamW(self._parameters.values(), weight_decay=config.weight_decay, fused=True)
        network.sparse = self._adamw is None  # plain SGD touches the rows of the batch's words alone

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        at, config = self.progress, self.config
        if at.epoch > config.epochs:
            return True
        if config.anneal == "validation":
            return bool(at.history) and at.rate < config.lowest_rate
        since_best = next((i for i, past in enumerate(reversed(at.history)) if past.best), 0)
        return since_best >= config.patience

    def run(self, on_event: Callable[[LMStep | LMEpoch], None], checkpoint: Callable[[bool], None]) -> bool:
        """Train to the end, or until Ctrl-C.

        Args:
            on_event: called after each batch and epoch.
            checkpoint: called after each epoch and on Ctrl-C, with whether the network is the best so far.

        Returns:
            False if Ctrl-C ended it early.

        Raises:
            TrainingError: when a loss or a parameter is not finite. What ``checkpoint`` saved last is good.
        """
        stop = threading.Event()
        with ctrl_c_sets(stop):
            while not self.finished:
                epoch = self._epoch(on_event, stop)
                self._check_parameters()
                if epoch is None:
                    checkpoint(False)
                    return False
                self._next(epoch)
                checkpoint(epoch.best)
                on_event(epoch)
        return True

    def state(self) -> dict[str, Tensor]:
        """What ``restore`` goes on from, beside ``progress``: parameters, moments and the random state."""
        tensors = {f"parameter.{name}": value.detach() for name, value in self._parameters.items()}
        tensors["random"] = self._generator.get_state()
        if self._adamw is not None:
            for name, value in self._parameters.items():
                tensors |= {f"{key}.{name}": moment for key, moment in self._adamw.state[value].items()}
        return tensors

    def restore(self, tensors: dict[str, Tensor], progress: Progress) -> None:
        """Go on from a ``state``; one that ended goes on if ``config`` has more epochs now.

        Raises:
            ValueError: if it is not of such a network and optimizer.
        """
        wanted = {f"parameter.{name}" for name in self._parameters} | {"random"}
        moments = ("step", "exp_avg", "exp_avg_sq") if self._adamw is not None and progress.begun else ()
        wanted |= {f"{key}.{name}" for key in moments for name in self._parameters}
        if set(tensors) != wanted:
            raise ValueError("it is not of such a network and optimizer")
        with torch.no_grad():
            for name, value in self._parameters.items():
                if tensors[f"parameter.{name}"].shape != value.shape:
                    raise ValueError(f"{name} has another shape")
                value.copy_(tensors[f"parameter.{name}"])
                for key in moments:
                    moment = tensors[f"{key}.{name}"]
                    if key == "step":
                        moment = moment.reshape(())  # a file has it as an array of one
                    elif moment.shape != value.shape:
                        raise ValueError(f"{key} of {name} has another shape")
                    assert self._adamw is not None
                    self._adamw.state[value][key] = moment.to(value.device).clone()
        self._generator.set_state(tensors["random"].cpu())
        self.progress = progress

    def _epoch(self, on_event: Callable[[LMStep | LMEpoch], None], stop: threading.Event) -> LMEpoch | None:
        """Train for what is left of an epoch; None where Ctrl-C ended it."""
        at, config = self.progress, self.config
        batches = epoch_batches(len(self._train), config, at.epoch)
        while at.batch < len(batches):
            if stop.is_set():
                return None
            begin = time.perf_counter()
            rate = self._rate(at.batch, len(batches))
            loss, words = self._step(batches, at.batch, rate)
            self._check(loss, "the loss")
            at.batch, at.loss, at.words = at.batch + 1, at.loss + loss, at.words + words
            at.seconds += time.perf_counter() - begin
            on_event(LMStep(at.epoch, at.words, batches.words, at.loss / at.words, rate))
        valid = None
        if self._valid is not None:
            valid = mean_loss(self.network, self._valid, self.precision, stop)
            if valid is None:
                return None
            self._check(valid, "the validation loss")
        train = at.loss / at.words
        best = (train if valid is None else valid) < at.best
        rate = self._rate(len(batches) - 1, len(batches))
        return LMEpoch(at.epoch, rate, train, valid, best, at.words / at.seconds, at.seconds)

    def _check(self, loss: float, what: str) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"{what} became {loss} in epoch {self.progress.epoch}; lower the learning rate "
                f"({self.config.learning_rate:g}) or the norm that is clipped ({self.config.clip_norm:g})"
            )

    def _check_parameters(self) -> None:
        """A batch's loss is that of the parameters before its step: the last step has shown none yet."""
        for name, value in self._parameters.items():
            if not value.isfinite().all():
                self._check(value.sum().item(), f"the parameter {name}")

    def _rate(self, batch: int, batches: int) -> float:
        """The rate of a batch, counted from 0, of the epoch under way."""
        at, config = self.progress, self.config
        if config.anneal == "validation":
            return at.rate
        done = ((at.epoch - 1) * batches + batch + 1) / (config.epochs * batches)  # 0 to 1
        if done < config.warmup:
            return config.learning_rate * done / config.warmup
        falling = (done - config.warmup) / (1 - config.warmup) if config.warmup < 1 else 0.0
        return config.learning_rate * max(0.0, (1 + math.cos(math.pi * min(1.0, falling))) / 2)

    def _step(self, batches: EpochBatches, number: int, rate: float) -> tuple[float, int]:
        """Train on one batch; its summed loss and its words."""
        network, starts = self.network, batches.starts(number)
        batch = window_batch(self._train, starts, batches.block, network.config.memory_size, self._device)
        words = batch.target.numel()
        state = network(batch.words, batch.missing, self._dropout, self.precision).state
        loss = cross_entropy(state.flatten(0, 1), network.W, batch.target.flatten(), self.precision)
        (loss if self._adamw is None else loss / words).backward()  # type: ignore[no-untyped-call]
        if self._adamw is None:
            sgd_step(self._parameters.values(), rate, self.config.clip, self.config.clip_norm)
        else:
            self._adamw_step(rate)
        network.zero_grad(set_to_none=True)
        return loss.item(), words

    def _adamw_step(self, rate: float) -> None:
        assert self._adamw is not None
        each = [[value] for value in self._parameters.values()]
        for clipped in each if self.config.clip == "tensor" else [list(self._parameters.values())]:
            torch.nn.utils.clip_grad_norm_(clipped, self.config.clip_norm)
        for group in self._adamw.param_groups:
            group["lr"] = rate
        self._adamw.step()

    def _next(self, epoch: LMEpoch) -> None:
        """Bring progress to the next epoch."""
        at, rate = self.progress, self.progress.rate
        if self.config.anneal == "validation" and at.history and judged(epoch) > 0.9999 * judged(at.history[-1]):
            rate /= self.config.anneal_by
        self.progress = Progress(rate, at.epoch + 1, history=[*at.history, epoch])


@torch.no_grad()
def sgd_step(parameters: Iterable[Tensor], rate: float, clip: LMClip, clip_norm: float) -> None:
    """One step of gradient descent, with the gradient clipped as a whole or each tensor by itself.

    Args:
        parameters: with their gradients, which may be sparse.
        rate: learning rate.
        clip: "global" or "tensor".
        clip_norm: the largest norm.
    """
    steps = [(value, value.grad.coalesce() if value.grad.is_sparse else value.grad) for value in parameters
             if value.grad is not None]  # fmt: skip
    norms = [(gradient.values() if gradient.is_sparse else gradient).norm() for _, gradient in steps]
    if clip == "global":
        norms = [torch.stack(norms).norm()] * len(steps)
    for (value, gradient), norm in zip(steps, norms, strict=True):
        scale = min(1.0, clip_norm / norm.item()) if norm > 0 else 1.0  # what is not finite stays so, to be seen
        value.add_(gradient, alpha=-rate * scale)
