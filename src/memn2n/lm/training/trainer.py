"""The training loop of a language model: ``LMTrainer.epoch`` runs an epoch, and ``LMTrainer.step`` one of its batches.

The settings give the paper's recipe (section 5) or the default one.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

import torch

from memn2n.errors import Setting, TrainingError
from memn2n.interrupts import interrupt_sets
from memn2n.lm.networks.memn2n import Dropout
from memn2n.lm.networks.output import cross_entropy
from memn2n.lm.record import tensor_layout
from memn2n.lm.scoring import mean_loss
from memn2n.lm.training.progress import LMEpoch, LMStep, TrainingProgress
from memn2n.lm.windows import epoch_batches, window_batch
from memn2n.machine import own_torch_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

    from memn2n.files.model_file import Layout
    from memn2n.lm.config import LMClip, LMTraining
    from memn2n.lm.data.ids import Ids
    from memn2n.lm.networks import LanguageNetwork
    from memn2n.lm.windows import EpochBatches


class LMTrainer:
    """Trains a network in place, on the network's device, with products of the given precision.

    ``train`` and ``valid`` are (words) ids of texts of two words or more.
    """

    @own_torch_state(grad=True)
    def __init__(
        self, network: LanguageNetwork, train: Ids, valid: Ids | None, config: LMTraining, precision: torch.dtype
    ) -> None:
        self.network = network
        self.config = config
        self.precision = precision
        self.progress = TrainingProgress(config.learning_rate)
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
        network.sparse = self._adamw is None  # plain SGD only changes the rows of the batch's words

    def run(self, on_event: Callable[[LMStep | LMEpoch], None], checkpoint: Callable[[bool], None]) -> bool:
        """Train until the settings end the training, or until Ctrl-C; return False if Ctrl-C ended it early.

        Args:
            on_event: called after each batch and epoch.
            checkpoint: called after each epoch and on Ctrl-C; its argument is whether this epoch is the best so far.

        Raises:
            TrainingError: if a loss or parameter is not finite. ``checkpoint`` is never called with such parameters.
        """
        stop = threading.Event()
        with interrupt_sets(stop):
            while not self.finished:
                epoch = self.epoch(on_event, stop)
                self._check_parameters()
                if epoch is None:
                    checkpoint(False)
                    return False
                self._begin_next_epoch(epoch)
                checkpoint(epoch.best)
                on_event(epoch)
        return True

    @property
    def finished(self) -> bool:
        """Whether the settings end the training here."""
        at, config = self.progress, self.config
        if at.epoch > config.epochs:
            return True
        if config.anneal == "validation":
            return bool(at.history) and at.rate < config.lowest_rate
        since_best = next((i for i, past in enumerate(reversed(at.history)) if past.best), 0)
        return since_best >= config.patience

    def epoch(self, on_event: Callable[[LMStep | LMEpoch], None], stop: threading.Event) -> LMEpoch | None:
        """Run the remaining batches of the current epoch, with an event after each, then the validation text.

        Returns:
            The finished epoch, or None if ``stop`` was set before its end.
        """
        at, config = self.progress, self.config
        batches = epoch_batches(len(self._train), config, at.epoch)
        while at.batch < len(batches):
            if stop.is_set():
                return None
            begin = time.perf_counter()
            rate = self._rate(at.batch, len(batches))
            loss, words = self.step(batches, at.batch, rate)
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

    @own_torch_state(grad=True)
    def step(self, batches: EpochBatches, number: int, rate: float) -> tuple[float, int]:
        """Train on batch ``number``, counted from 0; return the sum of its losses and its number of words."""
        network, starts = self.network, batches.starts(number)
        batch = window_batch(self._train, starts, batches.block, network.config.memory_size, self._device)
        words = batch.target.numel()
        state = network(batch.words, batch.missing, self._dropout, self.precision).state
        loss = cross_entropy(state.flatten(0, 1), network.output_matrix, batch.target.flatten(), self.precision)
        (loss if self._adamw is None else loss / words).backward()  # type: ignore[no-untyped-call]
        if self._adamw is None:
            clipped_sgd_step(self._parameters.values(), rate, self.config.clip, self.config.clip_norm)
        else:
            self._adamw_step(self._adamw, rate)
        network.zero_grad(set_to_none=True)
        return loss.item(), words

    @own_torch_state(grad=False)
    def state(self) -> dict[str, Tensor]:
        """Return the tensors that ``restore`` needs: parameters, moments, and the state of the random generator."""
        tensors = {f"parameter.{name}": value.detach() for name, value in self._parameters.items()}
        tensors["random"] = self._generator.get_state()
        if self._adamw is not None:
            for name, value in self._parameters.items():
                tensors |= {f"{key}.{name}": moment for key, moment in self._adamw.state[value].items()}
        return tensors

    @own_torch_state(grad=False)
    def restore(self, tensors: dict[str, Tensor], progress: TrainingProgress) -> None:
        """Continue a training from its ``state`` and progress; ``config`` may have more epochs than it had.

        Raises:
            ValueError: if the tensors are those of another network or optimizer.
        """
        check_state(tensor_layout(tensors), tensor_layout(self._parameters), self.config, progress)
        for name, value in self._parameters.items():
            value.copy_(tensors[f"parameter.{name}"])
            for key in _moments(self.config, progress):
                assert self._adamw is not None
                moment = tensors[f"{key}.{name}"]
                if key == "step":
                    moment = moment.reshape(())  # a file stores it as an array of one number
                self._adamw.state[value][key] = moment.to(value.device).clone()
        self._generator.set_state(tensors["random"].cpu())
        self.progress = progress

    def _check(self, loss: float, what: str) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"{what} became {loss} in epoch {self.progress.epoch}; lower ",
                Setting("learning_rate"),
                f" ({self.config.learning_rate:g}) or ",
                Setting("clip_norm"),
                f" ({self.config.clip_norm:g})",
            )

    @own_torch_state(grad=False)
    def _check_parameters(self) -> None:
        """Check what the last step did: a batch's loss is computed before its step."""
        for name, value in self._parameters.items():
            if not value.isfinite().all():
                self._check(value.sum().item(), f"the parameter {name}")

    def _rate(self, batch: int, batches: int) -> float:
        """Return the learning rate of a batch of the current epoch, counted from 0."""
        at, config = self.progress, self.config
        if config.anneal == "validation":
            return at.rate
        done = ((at.epoch - 1) * batches + batch + 1) / (config.epochs * batches)  # 0 to 1
        if done < config.warmup:
            return config.learning_rate * done / config.warmup
        falling = (done - config.warmup) / (1 - config.warmup) if config.warmup < 1 else 0.0
        return config.learning_rate * max(0.0, (1 + math.cos(math.pi * min(1.0, falling))) / 2)

    def _adamw_step(self, adamw: torch.optim.AdamW, rate: float) -> None:
        parameters = list(self._parameters.values())
        for clipped in parameters if self.config.clip == "tensor" else [parameters]:
            torch.nn.utils.clip_grad_norm_(clipped, self.config.clip_norm)
        for group in adamw.param_groups:
            group["lr"] = rate
        adamw.step()

    def _begin_next_epoch(self, done: LMEpoch) -> None:
        at, rate = self.progress, self.progress.rate
        if self.config.anneal == "validation" and at.history and done.judged > 0.9999 * at.history[-1].judged:
            rate /= self.config.anneal_by
        self.progress = TrainingProgress(rate, at.epoch + 1, history=[*at.history, done])


def _moments(config: LMTraining, progress: TrainingProgress) -> tuple[str, ...]:
    """The names of what the optimizer keeps of each parameter."""
    return ("step", "exp_avg", "exp_avg_sq") if config.optimizer == "adamw" and progress.begun else ()


def check_state(layout: Layout, parameters: Layout, config: LMTraining, progress: TrainingProgress) -> None:
    """Raise ValueError unless the tensors of a state are those of a training with these parameters and settings."""
    moments = _moments(config, progress)
    wanted = {f"{key}.{name}": form for key in ("parameter", *moments) for name, form in parameters.items()}
    if layout.keys() != wanted.keys() | {"random"}:
        raise ValueError("it belongs to another network or optimizer")
    for name, form in wanted.items():
        found = layout[name]
        one_number = name.startswith("step.") and found.dtype == form.dtype and math.prod(found.shape) == 1
        if found != form and not one_number:
            raise ValueError(f"{name} has another shape or type: {found.shape}, {found.dtype}")


@torch.no_grad()
def clipped_sgd_step(parameters: Iterable[Tensor], rate: float, clip: LMClip, clip_norm: float) -> None:
    """Take one step of gradient descent; gradients may be sparse.

    ``clip_norm`` limits the norm of the whole gradient, or with ``clip`` "tensor" that of each parameter's gradient.
    """
    steps = [(value, value.grad.coalesce() if value.grad.is_sparse else value.grad) for value in parameters
             if value.grad is not None]  # fmt: skip
    norms = [(gradient.values() if gradient.is_sparse else gradient).norm() for _, gradient in steps]
    if clip == "global":
        norms = [torch.stack(norms).norm()] * len(steps)
    for (value, gradient), norm in zip(steps, norms, strict=True):
        scale = min(1.0, clip_norm / norm.item()) if norm > 0 else 1.0  # a norm of nan stays visible in the parameters
        value.add_(gradient, alpha=-rate * scale)
