"""The language model: train on text, ask what comes next, and see where it looked; score, generate, save and load."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Self

import torch

from memn2n.errors import ConfigError, ModelError, Setting
from memn2n.files.model_folder import load_model
from memn2n.lm.answers import LMEvaluation, NextWords, WordScore
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.data.corpus import Corpus, Lines, coverage, encode_known, read_corpus
from memn2n.lm.data.python_help import carried_text
from memn2n.lm.networks.memn2n import LMNetwork
from memn2n.lm.networks.stream import Stream
from memn2n.lm.scoring import log_probabilities_of
from memn2n.lm.training.progress import LMEpoch, LMStep
from memn2n.lm.training.run import KIND, LMRun, save_lm
from memn2n.lm.vocabulary import EOS, UNK_ID, LMVocabulary, cut
from memn2n.machine import check_device, choose_precision, choose_threads, torch_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from memn2n.lm.data.ids import Ids
    from memn2n.machine import Precision


class MemoryLM:
    """A trained language model with its vocabulary; made by ``fit`` or ``load``.

    Args:
        network: the trained network.
        vocabulary: the words that it knows.
        training: how it was trained.
        history: the epochs of its training.
        interrupted: whether Ctrl-C ended the training early.
        lines: what a line of the training text was; ``read`` reads others so too.
    """

    def __init__(
        self,
        network: LMNetwork,
        vocabulary: LMVocabulary,
        training: LMTraining,
        history: tuple[LMEpoch, ...],
        interrupted: bool = False,
        lines: Lines = "sentences",
    ) -> None:
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
    ) -> Self:
        """Train on text.

        Args:
            train: the text; by default English that Python carries, with its own validation text.
            valid: what to validate on; by default the end of ``train`` is held out.
            network: the network's settings; ``memn2n.lm_variant`` has the paper's.
            training: the training's settings.
            seed: in place of ``training.seed``.
            vocabulary: in place of the words of ``train``.
            min_count: rarer words of ``train`` are unknown words.
            max_words: the most frequent so many words are known.
            folder: keeps the word ids, a checkpoint an epoch, and the best model so far; memory does not grow with the
                text then, and the training can be resumed.
            resume: go on with the training of ``folder``, to the same end as if it had not been interrupted. The texts
                must be the same; settings are those of the checkpoint, except for ``training.epochs`` where given.
            device: where to train, such as "cuda".
            threads: of PyTorch; by default one a core. With another number the model is another in the last digits.
            on_event: called after each batch and epoch.

        Returns:
            The model of the lowest validation loss. Ctrl-C ends the training early; ``interrupted`` is True then.

        Raises:
            InputError: if a text cannot be used.
            ConfigError: if settings contradict each other, the data, or what this machine has.
            ModelError: if there is nothing to resume, or the folder cannot be written.
            TrainingError: if the loss is not finite; the folder keeps the last good model.
            KeyboardInterrupt: on Ctrl-C before there is a network to keep.
        """
        if train is None:
            train, carried, _ = carried_text()
            valid = carried if valid is None else valid
        on_device = check_device(device)
        with torch_threads(choose_threads(threads)):
            run = LMRun.begin(
                train, valid, network=network, training=training, seed=seed, vocabulary=vocabulary, min_count=min_count,
                max_words=max_words, folder=folder, go_on=resume, device=on_device,
            )  # fmt: skip
            finished = run.trainer.run(on_event or (lambda _event: None), run.checkpoint)
        return cls._of(run, interrupted=not finished)

    @classmethod
    def _of(cls, run: LMRun, interrupted: bool) -> Self:
        progress = run.trainer.progress
        if not progress.history:
            raise KeyboardInterrupt
        if run.folder is not None:
            model = cls.load(run.folder)
            return cls(
                model.network, model.vocabulary, model.training, tuple(progress.history), interrupted, model.lines
            )
        run.network.load_state_dict(run.best)
        return cls(run.network, run.vocabulary, run.trainer.config, tuple(progress.history), interrupted, run.lines)

    def read(self, text: str | Path | bytes, name: str = "<text>") -> Corpus:
        """A text, to be cut as the training text was.

        Args:
            text: a file's path, or UTF-8 bytes.
            name: what errors call bytes.

        Raises:
            DataError: if there is no such file, or it cannot be read.
        """
        tokens, lowercase = self.vocabulary.tokens, self.vocabulary.lowercase
        if isinstance(text, bytes):
            return Corpus(text, name, tokens, self.lines, lowercase)
        return read_corpus(text, tokens=tokens, lines=self.lines, lowercase=lowercase)

    def evaluate(self, text: Corpus, *, precision: Precision = "fp32") -> LMEvaluation:
        """Predict every word of a text but the first.

        Args:
            text: cut as the vocabulary wants it.
            precision: of the products.

        Raises:
            InputError: if there are fewer than two words, or no known one.
        """
        ids = encode_known(text, self.vocabulary)
        total = sum((part.double().sum().item() for part in self._log_probabilities(ids, precision)), 0.0)
        found = coverage(ids)
        return LMEvaluation(len(ids) - 1, found.unknown_share, -total / (len(ids) - 1))

    def perplexity(self, text: Corpus, *, precision: Precision = "fp32") -> float:
        """The exponential of the mean loss; arguments and errors as of ``evaluate``."""
        return self.evaluate(text, precision=precision).perplexity

    def score(self, text: Corpus, *, precision: Precision = "fp32") -> Iterator[WordScore]:
        """Yield each word of a text with its log-probability; the first word, which nothing precedes, has none.

        Raises:
            InputError: as ``evaluate``.
        """
        ids = encode_known(text, self.vocabulary)
        words = zip(text.words(), ids.tolist(), strict=True)
        first, i = next(words)
        yield WordScore(first, None, i == UNK_ID)
        parts = chain.from_iterable(part.tolist() for part in self._log_probabilities(ids, precision))
        for (word, i), log_probability in zip(words, parts, strict=True):
            yield WordScore(word, log_probability, i == UNK_ID)

    def next_words(self, text: str, *, top: int = 10) -> NextWords:
        """What may come after a text, and which of its words each hop looks at.

        Args:
            text: of more words than the memory holds the latest are read; without a word, the beginning of a sentence.
            top: how many words to tell.
        """
        if top < 1:
            raise ConfigError(Setting("top"), f" is {top}: it must be 1 or more")
        words = self._cut(text)
        read = words[-self.network.config.memory_size :]
        step = self._stream(read).next()
        best = step.log_probability.topk(min(top, len(self.vocabulary)))
        ranked = tuple((self.vocabulary.word(i), math.exp(value)) for value, i in
                       zip(best.values.tolist(), best.indices.tolist(), strict=True))  # fmt: skip
        unknown = tuple(
            dict.fromkeys(word for word, i in zip(words, self.vocabulary.ids(words), strict=True) if i == UNK_ID)
        )
        return NextWords(tuple(read), ranked, step.attention.numpy(), unknown)

    def generate(
        self,
        prompt: str = "",
        words: int = 20,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        seed: int = 0,
        unknown: bool = False,
    ) -> Iterator[str]:
        """Yield words that go on from a prompt.

        Args:
            prompt: where to begin; without a word, at the beginning of a sentence.
            words: how many to yield, ``<eos>`` included.
            temperature: below 1 the probable words are drawn more often, at 0 always the most probable one.
            top_k: draw among so many most probable words only.
            seed: the same seed gives the same words.
            unknown: whether ``<unk>`` may be drawn.

        Raises:
            ConfigError: if an argument is out of range.
        """
        if words < 0:
            raise ConfigError(Setting("words"), f" is {words}: it must be 0 or more")
        if not 0 <= temperature < math.inf:
            raise ConfigError(Setting("temperature"), f" is {temperature}: it must be 0 or more")
        if top_k is not None and top_k < 1:
            raise ConfigError(Setting("top_k"), f" is {top_k}: it must be 1 or more")
        return self._generate(
            self._cut(prompt), words, temperature, top_k, torch.Generator().manual_seed(seed), unknown
        )

    def _generate(
        self, prompt: list[str], words: int, temperature: float, top_k: int | None, generator: torch.Generator,
        unknown: bool,
    ) -> Iterator[str]:  # fmt: skip
        stream = self._stream(prompt)
        for _ in range(words):
            scores = stream.next().log_probability
            if not unknown:
                scores[UNK_ID] = -math.inf
            best = scores.topk(1 if temperature == 0 else min(top_k or len(scores), len(scores)))
            if temperature == 0:
                drawn = 0
            else:
                weights = ((best.values - best.values[0]) / temperature).softmax(0)  # the best stays finite
                drawn = int(torch.multinomial(weights, 1, generator=generator))
            i = int(best.indices[drawn])
            yield self.vocabulary.word(i)
            stream.push(i)

    def save(self, folder: str | Path) -> None:
        """Save to a directory, whole or not at all; an earlier model in it is replaced.

        Raises:
            ModelError: if the folder cannot be written, or belongs to another program.
        """
        save_lm(folder, self.network, self.vocabulary, self.training, self.history, self.lines)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that ``save`` wrote.

        Raises:
            ModelError: if there is none, or it is damaged, of another kind or of another version.
        """
        config, vocabulary, tensors = load_model(folder, KIND, LMVocabulary)
        try:
            settings = LMConfig.from_dict(config["network"], complete=True)
            training = LMTraining.from_dict(config["training"])  # a record only: later settings may lack
            history = tuple(LMEpoch(**epoch) for epoch in config["history"])
            lines: Lines = config.get("lines", "sentences")
            Corpus(b"", "<text>", lines=lines)  # refuses other values
        except (ConfigError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{folder}: config.json is damaged ({error}); train again") from None
        with torch.device("meta"):
            network = LMNetwork(settings, len(vocabulary))
        wanted = {name: (tuple(value.shape), "float32") for name, value in network.state_dict().items()}
        if {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()} != wanted:
            raise ModelError(f"{folder}: model.safetensors does not fit config.json; train again")
        network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}, assign=True)
        return cls(network, vocabulary, training, history, lines=lines)

    def _log_probabilities(self, ids: Ids, precision: Precision) -> Iterator[torch.Tensor]:
        return log_probabilities_of(self.network, ids, choose_precision(precision, self.network.A.device))

    def _cut(self, text: str) -> list[str]:
        return cut(text, self.vocabulary.tokens, self.vocabulary.lowercase) or [EOS]

    def _stream(self, words: list[str]) -> Stream:
        stream = Stream(self.network)
        for i in self.vocabulary.ids(words[-self.network.config.memory_size :]):
            stream.push(i)
        return stream
