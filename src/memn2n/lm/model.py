"""``MemoryLM``, the language model: train it, predict the next words, score and generate text, save and load it."""

from __future__ import annotations

import math
from functools import partial
from itertools import chain
from numbers import Real
from typing import TYPE_CHECKING, Self

import torch

from memn2n.errors import InputError, ModelError
from memn2n.files.model_folder import load_model
from memn2n.html_table import html_table
from memn2n.lm.answers import LMEvaluation, NextWords, WordScore, perplexity
from memn2n.lm.config import KIND, LMConfig, LMTraining
from memn2n.lm.data.corpus import Corpus, read_corpus
from memn2n.lm.data.encoding import check_known, encode_corpus
from memn2n.lm.data.python_help import carried_text
from memn2n.lm.networks.memn2n import LMNetwork, current_names, own_computation
from memn2n.lm.networks.stream import Stream
from memn2n.lm.record import LMRecord
from memn2n.lm.scoring import log_probabilities_of
from memn2n.lm.training.run import LMRequest, save_lm, train_lm
from memn2n.lm.vocabulary import UNK_ID, Lines, LMVocabulary, cut
from memn2n.machine import choose_precision, own_torch_state
from memn2n.settings import LARGEST, check_range, check_type, check_whole
from memn2n.terminal import quoted
from memn2n.training_display import shown
from memn2n.words import EOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memn2n.lm.data.ids import Ids
    from memn2n.lm.training.display import LMProgress
    from memn2n.lm.training.progress import LMEpoch, LMStep
    from memn2n.machine import Precision


class MemoryLM:
    """A trained language model with its vocabulary; made by ``fit`` or ``load``.

    Args:
        network: the trained network.
        vocabulary: the words that it knows.
        training: the settings of its training.
        history: the epochs of its training.
        interrupted: whether Ctrl-C ended the training early.
        lines: meaning of a line in the training text; ``read`` reads other texts in the same way.
    """

    def __init__(
        self, network: LMNetwork, vocabulary: LMVocabulary, training: LMTraining, history: tuple[LMEpoch, ...],
        interrupted: bool = False, lines: Lines = "sentences",
    ) -> None:  # fmt: skip
        self.network = network.cpu().eval().requires_grad_(False)
        self.vocabulary = vocabulary
        self.training = training
        self.history = history
        self.interrupted = interrupted
        self.lines = lines

    @classmethod
    def fit(
        cls,
        train: Corpus | None = None,
        valid: Corpus | None = None,
        *,
        network: LMConfig | None = None,
        training: LMTraining | None = None,
        seed: int | None = None,
        vocabulary: LMVocabulary | None = None,
        min_count: int = 1,
        max_words: int | None = None,
        folder: str | Path | None = None,
        resume: bool = False,
        device: str = "cpu",
        threads: int | None = None,
        on_event: Callable[[LMStep | LMEpoch], None] | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Train a model on text.

        Args:
            train: training text; by default the text of Python's ``help()``, which brings its own validation text.
            valid: validation text; by default the end of ``train`` is held out.
            network: settings of the network; ``memn2n.lm_variant`` has the paper's.
            training: settings of the training.
            seed: replaces ``training.seed``.
            vocabulary: the known words; by default those of ``train``.
            min_count: words that occur fewer times in ``train`` are unknown.
            max_words: the largest number of known words, ``<unk>`` and ``<eos>`` included; the most frequent are kept.
            folder: receives the word ids, a checkpoint after each epoch, and the best model so far. With it, memory
                does not grow with the text, and the training can be resumed.
            resume: whether to continue the training in ``folder``. The result is the same as without the interruption.
                The texts must be the same. Settings are those of the checkpoint, except for ``training.epochs``.
            device: device to train on, such as "cuda".
            threads: number of PyTorch's threads; by default one a core. Another number changes the last digits.
            on_event: called after each batch and epoch.
            progress: whether to show the progress on standard error; by default in notebooks only.

        Returns:
            The model of the epoch with the lowest validation loss. Ctrl-C ends the training early; then ``interrupted``
            is True.

        Raises:
            InputError: if a text cannot be used, or another process or thread writes to the folder.
            ConfigError: if settings contradict each other or the data, or need more than this machine has.
            ModelError: if there is nothing to resume, or the folder cannot be written.
            TrainingError: if the loss is not finite; the folder keeps the last good model.
            KeyboardInterrupt: on Ctrl-C before the end of the first epoch.
        """
        for name, text in (("train", train), ("valid", valid)):
            check_type(name, text, Corpus, "memn2n.read_corpus(file)")
        check_type("network", network, LMConfig, "memn2n.LMConfig(dim=100)")
        check_type("training", training, LMTraining, "memn2n.LMTraining(epochs=10)")
        check_type("vocabulary", vocabulary, LMVocabulary, "that of another model")
        check_type("max_words", max_words, int)
        if train is None:
            train, carried, _ = carried_text()
            valid = carried if valid is None else valid
        request = LMRequest(
            train=train, valid=valid, network=network, training=training, seed=seed, vocabulary=vocabulary,
            min_count=min_count, max_words=max_words, folder=folder, resume=resume, device=device, threads=threads,
        )  # fmt: skip

        def display() -> LMProgress:
            from memn2n.lm.training.display import LMProgress

            return LMProgress((training or LMTraining()).epochs)

        with shown(progress, display, on_event) as listener:
            run = train_lm(request, listener)
        best = run.best_network()
        assert isinstance(best, LMNetwork)
        return cls(best, run.vocabulary, run.trainer.config, run.history, run.interrupted, run.lines)

    def summary(self) -> dict[str, str]:
        """What a person wants to know of the model: its network, its size and its training."""
        best = min((epoch.judged for epoch in self.history), default=None)
        validated = any(epoch.valid is not None for epoch in self.history)
        lines = {
            "settings": self.network.config.summary(),
            "parameters": f"{sum(parameter.numel() for parameter in self.network.parameters()):,}",
            "words": f"{len(self.vocabulary):,}",
            "training": self.training.summary(),
            f"{'validation' if validated else 'training'} perplexity": ""
            if best is None
            else f"{perplexity(best):.1f}",
        }
        return {name: text for name, text in lines.items() if text}

    def __repr__(self) -> str:
        """The most important lines of the summary."""
        lines = self.summary()
        return f"<MemoryLM: {lines['parameters']} parameters, {lines['words']} words>"

    def _repr_html_(self) -> str:
        """The summary, as a notebook shows it."""
        return html_table("MemoryLM", (), list(self.summary().items()))

    def read(self, text: str | Path | bytes, name: str = "<text>") -> Corpus:
        """Make a corpus that is cut as the training text was.

        Args:
            text: path of a file, or UTF-8 bytes.
            name: name of bytes in error messages.

        Raises:
            DataError: if the file cannot be read.
        """
        tokens, lowercase = self.vocabulary.tokens, self.vocabulary.lowercase
        if isinstance(text, bytes):
            return Corpus(text, name, tokens, self.lines, lowercase)
        return read_corpus(text, tokens=tokens, lines=self.lines, lowercase=lowercase)

    def evaluate(self, text: Corpus, *, precision: Precision = "fp32") -> LMEvaluation:
        """Predict each word of a text but the first.

        Args:
            text: cut as the vocabulary requires; ``read`` does that.
            precision: of the products.

        Raises:
            InputError: if the text has fewer than two words or no known word, or is cut in another way.
        """
        ids = encode_corpus(text, self.vocabulary)
        found = check_known(text, ids)
        total = sum((part.double().sum().item() for part in self._log_probabilities(ids, precision)), 0.0)
        return LMEvaluation(len(ids) - 1, found.unknown_share, -total / (len(ids) - 1))

    def perplexity(self, text: Corpus, *, precision: Precision = "fp32") -> float:
        """Return the exponential of the mean loss; arguments and errors are those of ``evaluate``."""
        return self.evaluate(text, precision=precision).perplexity

    def score(self, text: Corpus, *, precision: Precision = "fp32") -> Iterator[WordScore]:
        """Yield each word of a text with its log-probability; the first word has none, because nothing precedes it.

        Raises:
            InputError: as ``evaluate``.
        """
        ids = encode_corpus(text, self.vocabulary)
        check_known(text, ids)
        words = zip(text.words(), ids.tolist(), strict=True)
        first, i = next(words)
        yield WordScore(first, None, i == UNK_ID)
        parts = chain.from_iterable(part.tolist() for part in self._log_probabilities(ids, precision))
        for (word, i), log_probability in zip(words, parts, strict=True):
            yield WordScore(word, log_probability, i == UNK_ID)

    def next_words(self, text: str, *, top: int = 10) -> NextWords:
        """Predict the next word of a text, and return each hop's attention over the words before it.

        Args:
            text: only its last ``memory_size`` words are used; without a word, it is the beginning of a sentence.
            top: number of words to return.

        Raises:
            InputError: if the text is not a string, or ``top`` is not an integer above 0.
        """
        check_whole("top", top, 1)
        words = self._cut(text)
        read = words[-self.network.config.memory_size :]
        step = self._stream(read).next()
        best = step.log_probability.topk(min(top, len(self.vocabulary)))
        ranked = tuple((self.vocabulary.word(i), math.exp(value)) for value, i in
                       zip(best.values.tolist(), best.indices.tolist(), strict=True))  # fmt: skip
        unknown = dict.fromkeys(word for word, i in zip(words, self.vocabulary.ids(words), strict=True) if i == UNK_ID)
        return NextWords(tuple(read), ranked, step.attention.numpy(), tuple(unknown))

    def generate(
        self, prompt: str = "", words: int = 20, *, temperature: float = 1.0, top_k: int | None = None, seed: int = 0,
        unknown: bool = False,
    ) -> Iterator[str]:  # fmt: skip
        """Yield words that continue a prompt.

        Args:
            prompt: text to continue; without a word, it is the beginning of a sentence.
            words: number of words to yield, ``<eos>`` included.
            temperature: below 1, probable words are drawn more often; at 0, the most probable word is always drawn.
            top_k: draw among the ``top_k`` most probable words only.
            seed: the same seed gives the same words.
            unknown: whether ``<unk>`` may be drawn.

        Raises:
            InputError: if an argument has another type, or is out of range.
        """
        check_whole("words", words, 0)
        check_type("temperature", temperature, Real)
        check_range("temperature", temperature, 0, LARGEST)
        check_whole("seed", seed, 0)
        check_range("seed", seed, 0, 2**63 - 1)
        temperature = 0.0 if temperature < 1 / LARGEST else float(temperature)  # float32 has no smaller ones
        if top_k is not None:
            check_whole("top_k", top_k, 1)
        stream, generator = self._stream(self._cut(prompt)), torch.Generator("cpu").manual_seed(seed)

        def draw() -> Iterator[str]:
            for _ in range(words):
                scores = stream.next().log_probability
                if not unknown:
                    scores[UNK_ID] = -math.inf
                best = scores.topk(1 if temperature == 0 else min(top_k or len(scores), len(scores)))
                drawn = 0
                if temperature > 0:
                    weights = ((best.values - best.values[0]) / temperature).softmax(0)  # the best stays finite
                    drawn = int(torch.multinomial(weights, 1, generator=generator))
                i = int(best.indices[drawn])
                yield self.vocabulary.word(i)
                stream.push(i)

        return draw()  # a generator of its own, since the checks above must not wait for the first word

    def save(self, folder: str | Path) -> None:
        """Save to a directory atomically; an earlier model in it is replaced.

        Raises:
            ModelError: if the model could not be loaded again, for example because its parameters were changed to
                another type, or because the network computes something else than ``LMNetwork``; or if the folder
                cannot be written, or belongs to another program.
            InputError: if another process or thread writes to the folder for more than ten seconds.
        """
        change = own_computation(self.network)
        if change:
            raise ModelError(f"{folder}: the network cannot be saved, because {change}, and load would make a plain "
                             "LMNetwork of its parameters; save it in another way")  # fmt: skip
        record = LMRecord(self.network.config, self.training, tuple(self.history), self.lines)
        save_lm(folder, self.network, self.vocabulary, record)

    @classmethod
    @own_torch_state(grad=False)
    def load(cls, folder: str | Path) -> Self:
        """Read a model that ``save`` wrote.

        Raises:
            ModelError: if there is no model, or it is damaged, of another kind or of another version.
        """
        record, vocabulary, arrays = load_model(folder, KIND, LMVocabulary, partial(LMRecord.read, LMNetwork))
        with torch.device("meta"):
            network = LMNetwork(record.network, len(vocabulary))
        parameters = current_names({name: torch.from_numpy(array) for name, array in arrays.items()})
        network.load_state_dict(parameters, assign=True)
        return cls(network, vocabulary, record.training, record.history, lines=record.lines)

    def _log_probabilities(self, ids: Ids, precision: Precision) -> Iterator[torch.Tensor]:
        return log_probabilities_of(self.network, ids, choose_precision(precision, self.network.A.device))

    def _cut(self, text: str) -> list[str]:
        if not isinstance(text, str):
            raise InputError(f"{quoted(text)} is not a text: give a string")
        return cut(text, self.vocabulary.tokens, self.vocabulary.lowercase) or [EOS]

    def _stream(self, words: list[str]) -> Stream:
        stream = Stream(self.network)
        for i in self.vocabulary.ids(words[-self.network.config.memory_size :]):
            stream.push(i)
        return stream
