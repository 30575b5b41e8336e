"""One training of a language model: from the request of a caller to the saved model."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from memn2n.errors import ConfigError, ModelError, Setting
from memn2n.files.model_folder import hold_folder, load_model, save_model
from memn2n.interrupts import uninterrupted
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.data.encoding import NumberedText, check_known, encode_corpus
from memn2n.lm.networks.memn2n import LMNetwork, current_names
from memn2n.lm.record import LMRecord
from memn2n.lm.training.checkpoints import has_checkpoint, load_checkpoint, resume, save_checkpoint, text_digests
from memn2n.lm.training.trainer import LMTrainer
from memn2n.lm.vocabulary import Lines, LMVocabulary
from memn2n.machine import check_device, choose_precision, choose_threads, own_torch_state, torch_threads, total_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memn2n.lm.data.corpus import Corpus
    from memn2n.lm.data.ids import Ids
    from memn2n.lm.networks import LanguageNetwork
    from memn2n.lm.training.checkpoints import Checkpoint
    from memn2n.lm.training.progress import LMEpoch, LMStep

_IDS = ("train.ids", "valid.ids")  # the files of the texts in the folder of a run


@dataclass(frozen=True, kw_only=True)
class LMRequest:
    """The arguments of ``MemoryLM.fit``, and the class of the network, ``build``."""

    train: Corpus
    valid: Corpus | None = None
    network: LMConfig | None = None
    training: LMTraining | None = None
    seed: int | None = None
    vocabulary: LMVocabulary | None = None
    min_count: int = 1
    max_words: int | None = None
    folder: str | Path | None = None
    resume: bool = False
    device: str = "cpu"
    threads: int | None = None
    build: type[LanguageNetwork] = LMNetwork


def train_lm(request: LMRequest, on_event: Callable[[LMStep | LMEpoch], None] | None = None) -> LMRun:
    """Do a training; the errors are those of ``MemoryLM.fit``."""
    device = check_device(request.device)
    with torch_threads(choose_threads(request.threads)), _run_folder(request.folder) as folder:
        run = LMRun.begin(request, folder, device)
        run.interrupted = not run.trainer.run(on_event or (lambda _event: None), run.checkpoint)
    if not run.history:
        raise KeyboardInterrupt
    return run


@dataclass(eq=False)
class LMRun:
    """A training that is prepared: ``trainer`` does it, ``checkpoint`` saves it, ``best_network`` is its result."""

    trainer: LMTrainer
    vocabulary: LMVocabulary
    folder: Path | None
    digests: dict[str, str]
    lines: Lines
    interrupted: bool = False
    _best: dict[str, torch.Tensor] | None = None  # parameters of the best epoch since the training (re)started

    @classmethod
    @own_torch_state(grad=True)
    def begin(cls, request: LMRequest, folder: Path | None, device: torch.device) -> LMRun:
        """Do everything that precedes the first batch; ``folder`` exists, unless it is None."""
        saved = None
        if request.resume:
            if folder is None:
                raise ConfigError(Setting("resume"), " needs the folder of the training")
            saved = load_checkpoint(folder, request.build)
        settings, config = _settings(request, saved)
        vocabulary, train, valid = _read_texts(request, saved, settings, config, folder)
        generator = torch.Generator("cpu").manual_seed(config.seed)
        network = request.build(settings, len(vocabulary), generator, config.init_std).to(device)
        trainer = LMTrainer(network, train, valid, config, choose_precision(config.precision, device))
        digests = text_digests(train, valid)
        run = cls(trainer, vocabulary, folder, digests, request.train.lines)
        if folder is not None and saved is not None:
            resume(trainer, saved, digests, folder)
        elif folder is not None and has_checkpoint(folder):
            run.checkpoint(False)  # replaces the checkpoint of an earlier training, so that nobody resumes that one
        return run

    @property
    def history(self) -> tuple[LMEpoch, ...]:
        """The finished epochs."""
        return tuple(self.trainer.progress.history)

    @property
    def best_loss(self) -> float:
        """The lowest loss of an epoch, as ``LMEpoch.judged``."""
        return self.trainer.progress.best

    @own_torch_state(grad=False)
    def checkpoint(self, best: bool) -> None:
        """Save the training, and the model too if its last epoch is the best so far; without a folder, keep the best.

        Raises:
            ModelError: if the folder cannot be written.
        """
        network = self.trainer.network
        if best:
            self._best = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        if self.folder is None:
            return
        with uninterrupted():
            if best:
                record = LMRecord(network.config, self.trainer.config, self.history, self.lines)
                save_lm(self.folder, network, self.vocabulary, record)
            save_checkpoint(self.folder, self.trainer, self.vocabulary, self.digests)

    @own_torch_state(grad=False)
    def best_network(self) -> LanguageNetwork:
        """Return the trained network with the parameters of the best epoch.

        Raises:
            ModelError: if that epoch precedes a resume, and the folder's model is damaged.
        """
        network = self.trainer.network
        best = self._best
        if best is None:
            assert self.folder is not None  # only a training with a folder can have been resumed
            read = partial(LMRecord.read, type(network))
            _, _, tensors = load_model(self.folder, network.kind, LMVocabulary, read)
            best = current_names({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
        try:
            network.load_state_dict(best)
        except RuntimeError:
            message = f"{self.folder}: the arrays of this model do not fit its settings; train again"
            raise ModelError(message) from None
        return network


def _settings(request: LMRequest, saved: Checkpoint | None) -> tuple[LMConfig, LMTraining]:
    """Choose the settings: those of the checkpoint, except for the number of epochs, or those of the request."""
    if saved is not None:
        epochs = saved.training.epochs if request.training is None else request.training.epochs
        return saved.network, replace(saved.training, epochs=epochs)
    config = request.training or LMTraining()
    if request.seed is not None:
        config = replace(config, seed=request.seed)
    return request.network or LMConfig(), config


@contextlib.contextmanager
def _run_folder(folder: str | Path | None) -> Iterator[Path | None]:
    """Hold the folder of a run. After an error, the ids of a run without a checkpoint are removed again."""
    if folder is None:
        yield None
        return
    with hold_folder(folder) as path:
        new = not any((path / name).exists() for name in _IDS)
        try:
            yield path
        except BaseException:
            if new and not has_checkpoint(path):
                with contextlib.suppress(OSError):
                    for name in _IDS:
                        (path / name).unlink(missing_ok=True)
            raise


def _read_texts(
    request: LMRequest, saved: Checkpoint | None, settings: LMConfig, config: LMTraining, folder: Path | None
) -> tuple[LMVocabulary, Ids, Ids | None]:
    """Return the vocabulary, and the ids of the training and the validation text. Each text is read once.

    If there is no validation text, it is the end of the training text.
    """
    share = config.validation if request.valid is None else 0.0
    train_cache, valid_cache = (None if folder is None else folder / name for name in _IDS)
    vocabulary = request.vocabulary if saved is None else saved.vocabulary
    text = None
    if vocabulary is None:
        text = NumberedText(request.train, folder)
        first = len(text) - _held_out(len(text), share)
        vocabulary = text.vocabulary(first, min_count=request.min_count, max_words=request.max_words)
    check_memory(request.build, settings, config, len(vocabulary))
    train = encode_corpus(request.train, vocabulary, train_cache) if text is None else text.ids(vocabulary, train_cache)
    check_known(request.train, train)
    valid = None
    if request.valid is not None:
        valid = encode_corpus(request.valid, vocabulary, valid_cache)
        check_known(request.valid, valid)
    elif held_out := _held_out(len(train), share):
        train, valid = train[:-held_out], train[-held_out:]
    if len(train) <= settings.memory_size:
        raise ConfigError(
            f"{request.train.name} has {len(train)} words to train on, and the memory holds {settings.memory_size}: "
            "give more text, or lower ", Setting("memory_size"),
        )  # fmt: skip
    return vocabulary, train, valid


def least_memory(build: type[LanguageNetwork], network: LMConfig, training: LMTraining, vocabulary: int) -> int:
    """Return how many bytes the parameters of a training take, with all that has their size.

    That is the copy of the best epoch's parameters and, with AdamW, two moments and dense gradients. Everything else is
    left out, so a training needs more than this. ``vocabulary`` is the number of words.
    """
    with torch.device("meta"):  # tensors of this device have a shape, and take no memory
        parameters = sum(value.nbytes for value in build(network, vocabulary).parameters())
    return parameters * (5 if training.optimizer == "adamw" else 2)


def check_memory(build: type[LanguageNetwork], network: LMConfig, training: LMTraining, vocabulary: int) -> None:
    """Raise ConfigError if the ``least_memory`` of a training is more than this machine has."""
    needed, available = least_memory(build, network, training, vocabulary), total_memory()
    if available is not None and needed > available:
        raise ConfigError(
            f"this needs more than {needed / 2**30:,.1f} GiB of memory, but there are {available / 2**30:,.1f}: its "
            f"parameters are those of {vocabulary:,} words x ", Setting("dim"), f" {network.dim:,} and ",
            Setting("memory_size"), f" {network.memory_size:,}; lower one of them (", Setting("max_words"), " and ",
            Setting("min_count"), " change the number of words)",
        )  # fmt: skip


def _held_out(words: int, share: float) -> int:
    """Return how many words to hold out for validation; one word alone cannot be predicted."""
    held_out = round(words * share)
    return held_out if held_out >= 2 else 0


def save_lm(folder: str | Path, network: LanguageNetwork, vocabulary: LMVocabulary, record: LMRecord) -> None:
    """Save a model; see ``MemoryLM.save``."""
    tensors = network.state_dict()
    for name, value in tensors.items():
        if value.dtype != torch.float32:
            raise ModelError(f"{folder}: this model is not saved, because {name} is {value.dtype}, and models have "
                             "torch.float32; call network.float()")  # fmt: skip
    arrays = {name: value.detach().cpu().numpy() for name, value in tensors.items()}
    save_model(folder, network.kind, record.to_dict(), vocabulary, arrays, partial(LMRecord.read, type(network)))
