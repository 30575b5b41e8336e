"""One training of a language model: from the request of a caller to the saved model."""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from memn2n.errors import ConfigError, ModelError, Setting
from memn2n.files.model_folder import load_model, prepare, save_model
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.data.encoding import NumberedText, check_known, encode_corpus
from memn2n.lm.networks.memn2n import LMNetwork, current_names
from memn2n.lm.training.checkpoints import has_checkpoint, load_checkpoint, resume, save_checkpoint, text_digests
from memn2n.lm.training.memory_needed import check_memory
from memn2n.lm.training.trainer import LMTrainer
from memn2n.lm.vocabulary import LMVocabulary
from memn2n.machine import check_device, choose_precision, choose_threads, torch_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from memn2n.lm.data.corpus import Corpus, Lines
    from memn2n.lm.data.ids import Ids
    from memn2n.lm.networks import LanguageNetwork
    from memn2n.lm.training.checkpoints import Checkpoint
    from memn2n.lm.training.progress import LMEpoch, LMStep

KIND = LMNetwork.kind


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
    with torch_threads(choose_threads(request.threads)):
        run = LMRun.begin(request, device)
        run.interrupted = not run.trainer.run(on_event or (lambda _event: None), run.checkpoint)
    if not run.history:
        raise KeyboardInterrupt
    return run


class LMRun:
    """A training that is prepared: ``trainer`` does it, ``checkpoint`` saves it, ``best_network`` is its result."""

    def __init__(
        self, trainer: LMTrainer, vocabulary: LMVocabulary, folder: Path | None, digests: dict[str, str], lines: Lines
    ) -> None:
        self.trainer = trainer
        self.vocabulary = vocabulary
        self.lines = lines
        self.interrupted = False
        self._folder = folder
        self._digests = digests
        self._best: dict[str, torch.Tensor] | None = None  # parameters of the best epoch since the training (re)started

    @classmethod
    def begin(cls, request: LMRequest, device: torch.device) -> LMRun:
        """Do everything that precedes the first batch."""
        saved = _saved(request)
        settings, config = _settings(request, saved)
        with _prepared(request.folder) as folder:
            texts = _read_texts(request, saved, settings, config, folder)
        generator = torch.Generator().manual_seed(config.seed)
        network = request.build(settings, len(texts.vocabulary), generator, config.init_std).to(device)
        trainer = LMTrainer(network, texts.train, texts.valid, config, choose_precision(config.precision, device))
        digests = text_digests(texts.train, texts.valid)
        run = cls(trainer, texts.vocabulary, folder, digests, request.train.lines)
        if folder is not None and saved is not None:
            resume(trainer, saved, digests, folder)
        elif folder is not None and has_checkpoint(folder):
            run.checkpoint(False)  # replaces the checkpoint of an earlier training, so that nobody resumes that one
        return run

    @property
    def history(self) -> tuple[LMEpoch, ...]:
        """The finished epochs."""
        return tuple(self.trainer.progress.history)

    def checkpoint(self, best: bool) -> None:
        """Save the training, and the model too if its last epoch is the best so far; without a folder, keep the best.

        Raises:
            ModelError: if the folder cannot be written.
        """
        network = self.trainer.network
        if best:
            self._best = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
        if self._folder is None:
            return
        if best:
            save_lm(self._folder, network, self.vocabulary, self.trainer.config, self.history, self.lines)
        save_checkpoint(self._folder, self.trainer, self.vocabulary, self._digests)

    def best_network(self) -> LanguageNetwork:
        """Return the trained network with the parameters of the best epoch.

        Raises:
            ModelError: if that epoch precedes a resume, and the folder's model is damaged.
        """
        network = self.trainer.network
        best = self._best
        if best is None:
            assert self._folder is not None  # only a training with a folder can have been resumed
            _, _, tensors = load_model(self._folder, network.kind, LMVocabulary)
            best = current_names({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
        try:
            network.load_state_dict(best)
        except RuntimeError:
            raise ModelError(f"{self._folder}: model.safetensors does not fit config.json; train again") from None
        return network


def _saved(request: LMRequest) -> Checkpoint | None:
    """Read the checkpoint to resume from, if the request is to resume."""
    if not request.resume:
        return None
    if request.folder is None:
        raise ConfigError(Setting("resume"), " needs the folder of the training")
    return load_checkpoint(Path(request.folder))


def _settings(request: LMRequest, saved: Checkpoint | None) -> tuple[LMConfig, LMTraining]:
    """Choose the settings: those of the checkpoint, except for the number of epochs, or those of the request."""
    if saved is not None:
        epochs = saved.training.epochs if request.training is None else request.training.epochs
        return saved.network, dataclasses.replace(saved.training, epochs=epochs)
    config = request.training or LMTraining()
    if request.seed is not None:
        config = dataclasses.replace(config, seed=request.seed)
    return request.network or LMConfig(), config


@contextlib.contextmanager
def _prepared(folder: str | Path | None) -> Iterator[Path | None]:
    """Make the folder of a run; a new one is removed again if an error occurs before anything is in it."""
    if folder is None:
        yield None
        return
    new = not Path(folder).exists()
    path = prepare(folder)
    try:
        yield path
    except BaseException:
        if new:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


class _Texts(NamedTuple):
    """The texts of a training as word ids."""

    vocabulary: LMVocabulary
    train: Ids
    valid: Ids | None


def _read_texts(
    request: LMRequest, saved: Checkpoint | None, settings: LMConfig, config: LMTraining, folder: Path | None
) -> _Texts:
    """Read each text once, and hold out the end of the training text if there is no validation text."""
    share = config.validation if request.valid is None else 0.0
    caches = {name: None if folder is None else folder / f"{name}.ids" for name in ("train", "valid")}
    vocabulary = request.vocabulary if saved is None else saved.vocabulary
    text = None
    if vocabulary is None:
        text = NumberedText(request.train, folder)
        first = len(text) - _held_out(len(text), share)
        vocabulary = text.vocabulary(first, min_count=request.min_count, max_words=request.max_words)
    check_memory(request.build, settings, config, len(vocabulary))
    cache = caches["train"]
    train = encode_corpus(request.train, vocabulary, cache) if text is None else text.ids(vocabulary, cache)
    check_known(request.train, train)
    valid = None
    if request.valid is not None:
        valid = encode_corpus(request.valid, vocabulary, caches["valid"])
        check_known(request.valid, valid)
    elif held_out := _held_out(len(train), share):
        train, valid = train[:-held_out], train[-held_out:]
    if len(train) <= settings.memory_size:
        raise ConfigError(
            f"{request.train.name} has {len(train)} words to train on, and the memory holds {settings.memory_size}: "
            "give more text, or lower ", Setting("memory_size"),
        )  # fmt: skip
    return _Texts(vocabulary, train, valid)


def _held_out(words: int, share: float) -> int:
    """Return how many words to hold out for validation; one word alone cannot be predicted."""
    held_out = round(words * share)
    return held_out if held_out >= 2 else 0


def save_lm(
    folder: str | Path, network: LanguageNetwork, vocabulary: LMVocabulary, training: LMTraining,
    history: Iterable[LMEpoch], lines: Lines,
) -> None:  # fmt: skip
    """Save a model; see ``MemoryLM.save``."""
    tensors = {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}
    config = {
        "network": dataclasses.asdict(network.config),
        "training": dataclasses.asdict(training),
        "history": [dataclasses.asdict(epoch) for epoch in history],
        "lines": lines,
    }
    save_model(folder, network.kind, config, vocabulary, tensors)
