"""StoryQA: train on stories, answer questions, evaluate, save and load."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from memn2n.errors import ConfigError, InputError, ModelError, Setting
from memn2n.files.model_folder import load_model, save_model
from memn2n.qa.answers import Answer, Evaluation
from memn2n.qa.config import NetworkConfig, TrainingConfig
from memn2n.qa.networks.memn2n import DataShape, QANetwork
from memn2n.qa.predict import predict_mean
from memn2n.qa.stories import Example, StorySet, check_examples, check_question, fingerprints, vocabulary_of
from memn2n.qa.training.problem import INTERRUPTED, Problem, Restart
from memn2n.qa.training.restarts import train_restarts
from memn2n.qa.vocabulary import UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from memn2n.qa.config import Backend
    from memn2n.qa.training.schedule import Epoch

KIND = "qa"
_FINGERPRINTS = "train_fingerprints"


class StoryQA:
    """A trained network, or an ensemble of networks, with its vocabulary. ``fit`` and ``load`` create it.

    An ensemble answers by the mean of its networks' probabilities; the attention that it returns is their mean too.

    Args:
        networks: the trained networks.
        vocabulary: the words that the model knows.
        training: the settings of its training.
        restarts: the result of each restart.
        fingerprints: (training questions) int64, from ``memn2n.qa.stories.fingerprints``. ``evaluate`` uses them to
            find the test questions that are also in the training data.
    """

    def __init__(
        self, networks: Sequence[QANetwork], vocabulary: Vocabulary, training: TrainingConfig,
        restarts: tuple[Restart, ...], fingerprints: npt.NDArray[np.int64],
    ) -> None:  # fmt: skip
        self.networks = tuple(network.eval() for network in networks)
        self.vocabulary = vocabulary
        self.training = training
        self.restarts = restarts
        self.fingerprints = fingerprints

    @classmethod
    def fit(
        cls,
        train: Iterable[Example],
        valid: Iterable[Example] | None = None,
        *,
        network: NetworkConfig | None = None,
        training: TrainingConfig | None = None,
        restarts: int | None = None,
        seed: int | None = None,
        vocabulary: Vocabulary | None = None,
        lowercase: bool = True,
        backend: Backend = "auto",
        device: str = "cpu",
        threads: int | None = None,
        on_event: Callable[[Epoch | Restart], None] | None = None,
    ) -> Self:
        """Train a model on examples.

        Args:
            train: the training examples.
            valid: the validation examples; by default a tenth of ``train``. Questions with an answer that is not in
                the vocabulary are left out, with a DataWarning.
            network: the network's settings; ``memn2n.variant`` returns those of the paper and of the official code.
            training: the training's settings.
            restarts: overrides ``training.restarts``.
            seed: overrides ``training.seed``.
            vocabulary: the words to know; by default the words and answers of ``train``.
            lowercase: whether the default vocabulary ignores case. Answers are in lower case then.
            backend: "native" trains with the C++ engine, on the CPU; "torch" with PyTorch; "auto" with the engine if it
                was built and can run this network on this device, otherwise with PyTorch.
            device: the PyTorch device to train on, such as "cuda". The returned model is always on the CPU.
            threads: how many restarts the engine trains at a time; by default one for each core. It does not affect
                the result.
            on_event: called after each epoch and each restart, with its result.

        Returns:
            The selected network, or the ensemble. After Ctrl-C, the best model so far; ``interrupted`` is True then.

        Raises:
            InputError: if there is no example, an example is malformed, or ``vocabulary`` lacks an answer.
            ConfigError: if settings contradict each other, the data, or what this machine has.
            TrainingError: if every restart diverged.
            KeyboardInterrupt: on Ctrl-C before the first epoch has ended.
        """
        examples = check_examples(train, "train")
        validation = None if valid is None else check_examples(valid, "validate")
        training = training or TrainingConfig()
        changes = {"restarts": restarts, "seed": seed}
        training = training.changed({name: value for name, value in changes.items() if value is not None})
        if vocabulary is None:
            vocabulary = vocabulary_of(examples, lowercase)
        problem = Problem.make(
            stories=StorySet.encode_training(examples, vocabulary),
            valid=None if validation is None else StorySet.encode_validation(validation, vocabulary),
            network=network or NetworkConfig(), training=training, vocabulary_size=len(vocabulary),
            backend=backend, device=device,
        )  # fmt: skip
        outcome = train_restarts(problem, on_event or (lambda _event: None), threads)
        return cls(networks=outcome.networks, vocabulary=vocabulary, training=training, restarts=outcome.restarts,
                   fingerprints=np.unique(fingerprints(examples)))  # fmt: skip

    @property
    def network(self) -> QANetwork:
        """The network; the first one of an ensemble."""
        return self.networks[0]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training early."""
        return any(restart.stopped == INTERRUPTED for restart in self.restarts)

    def answer(self, story: Sequence[str], question: str, *, top: int = 5) -> Answer:
        """Answer one question.

        Args:
            story: the sentences, oldest first. If there are more than ``memory_size``, only the latest are used.
            question: the question.
            top: how many of the most probable answers to return.

        Raises:
            InputError: if there is no sentence, no word in the question, or ``top`` is below 1.
        """
        return self.answer_many([(story, question)], top=top)[0]

    def answer_many(self, questions: Iterable[tuple[Sequence[str], str]], *, top: int = 5) -> list[Answer]:
        """Answer many questions, each a pair (story, question); see ``answer``.

        Each answer is the same as if the question were asked alone.
        """
        examples = []
        for story, question in questions:
            check_question(story, question)
            examples.append(Example(tuple(story), question, answer=""))
        if top < 1:
            raise InputError(f"top is {top}: it must be 1 or more")
        stories = StorySet.encode(examples, self.vocabulary)
        words, memory_size = self.vocabulary.words, self.network.config.memory_size
        any_unknown = bool((stories.words == UNKNOWN).any())
        answers: list[Answer] = []
        for chosen, probabilities, attention in predict_mean(self.networks, stories):
            best = probabilities.argsort(axis=1)[:, ::-1][:, :top]  # (batch, top)
            shares = np.take_along_axis(probabilities, best, 1)
            rows = zip(chosen.tolist(), best.tolist(), shares.tolist(), strict=True)
            for row, (i, columns, share) in enumerate(rows):
                story, question = examples[i].story, examples[i].question
                ranked = tuple(zip([words[column] for column in columns], share, strict=True))
                answers.append(Answer(
                    story=story, question=question, text=ranked[0][0], probability=ranked[0][1], top=ranked,
                    attention=_by_sentence(attention[:, row], len(story), memory_size),
                    dropped=tuple(range(len(story) - memory_size)),
                    unknown_words=self._unknown_words(examples[i]) if any_unknown else (),
                ))  # fmt: skip
        return answers

    def evaluate(self, test: Iterable[Example]) -> Evaluation:
        """Answer every question of a test set and count the wrong answers.

        A question whose right answer is not in the vocabulary counts as wrong.

        Raises:
            InputError: if there is no example, or an example is malformed.
        """
        examples = check_examples(test, "test")
        stories = StorySet.encode(examples, self.vocabulary)
        seen = np.isin(fingerprints(examples), self.fingerprints)
        return Evaluation.of(examples, stories, predict_mean(self.networks, stories), seen)

    def save(self, folder: str | Path) -> None:
        """Save to a directory, completely or not at all. Replaces an earlier model there.

        Raises:
            ModelError: if the directory cannot be written, or belongs to another program.
        """
        config: dict[str, Any] = {
            "network": dataclasses.asdict(self.network.config),
            "shape": dataclasses.asdict(self.network.shape),
            "training": dataclasses.asdict(self.training),
            "restarts": [dataclasses.asdict(restart) for restart in self.restarts],
            "networks": len(self.networks),
        }
        tensors = {name: value.numpy() for name, value in _numbered_parameters(self.networks).items()}
        save_model(folder, KIND, config, self.vocabulary, tensors | {_FINGERPRINTS: self.fingerprints})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that ``save`` wrote.

        Raises:
            ModelError: if there is no model, or it is damaged, of another kind or of another version.
        """
        config, vocabulary, tensors = load_model(folder, KIND, Vocabulary)
        try:
            shape = DataShape.from_dict(config["shape"], complete=True)
            settings = NetworkConfig.from_dict(config["network"], complete=True)
            training = TrainingConfig.from_dict(config["training"])  # a record only: a setting added later may lack
            restarts = tuple(Restart.from_dict(restart) for restart in config["restarts"])
            number = config["networks"]
            if type(number) is not int or not 1 <= number <= len(restarts):
                raise ConfigError(Setting("networks"), f" is {number!r}")
            if shape.slots > settings.memory_size:
                raise ConfigError(Setting("slots"), f" is {shape.slots}, above ", Setting("memory_size"))
        except (ConfigError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{folder}: config.json is damaged ({error}); train again") from None
        if shape.vocabulary != len(vocabulary):
            raise ModelError(f"{folder}: vocab.json does not fit config.json; train again")
        fingerprints = tensors.pop(_FINGERPRINTS, np.empty(0, np.int64))
        networks = [QANetwork(settings, shape, torch.Generator()) for _ in range(number)]
        wanted = _numbered_parameters(networks)
        found = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()}
        fits = found == {name: (tuple(value.shape), "float32") for name, value in wanted.items()}
        if not fits or fingerprints.dtype != np.int64:
            raise ModelError(f"{folder}: model.safetensors does not fit config.json; train again")
        for name, value in wanted.items():
            value.copy_(torch.from_numpy(tensors[name]))
        return cls(networks, vocabulary, training, restarts, fingerprints)

    def _unknown_words(self, example: Example) -> tuple[str, ...]:
        """Each word of the story and question that the vocabulary does not have, once."""
        words = (self.vocabulary.unknown_words(text) for text in (*example.story, example.question))
        return tuple(dict.fromkeys(word for sentence in words for word in sentence))


def _numbered_parameters(networks: Iterable[QANetwork]) -> dict[str, torch.Tensor]:
    """The parameters of all networks under the names of model.safetensors, such as ``0.H``."""
    return {f"{i}.{name}": value for i, one in enumerate(networks) for name, value in one.state_dict().items()}


def _by_sentence(latest_first: npt.NDArray[np.float32], sentences: int, memory_size: int) -> npt.NDArray[np.float32]:
    """The attention on each sentence of a story, oldest first, from the attention on memory slots."""
    kept = min(sentences, memory_size)
    attention = np.ascontiguousarray(latest_first[:, :kept][:, ::-1])  # a copy, so that the batch's array can be freed
    return np.pad(attention, ((0, 0), (sentences - kept, 0))) if kept < sentences else attention
