"""Question answering: train on stories, ask, see why, save and load."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from memn2n.errors import ConfigError, DataWarning, InputError, ModelError, Setting
from memn2n.files.model_folder import load_model, save_model
from memn2n.qa.answers import Answer, Evaluation, TaskScore
from memn2n.qa.config import NetworkConfig, TrainingConfig
from memn2n.qa.networks.memn2n import DataShape, QANetwork
from memn2n.qa.predict import Prediction, predict
from memn2n.qa.stories import (
    UNKNOWN_ANSWER,
    Example,
    StorySet,
    check_example,
    check_question,
    fingerprint,
    vocabulary_of,
)
from memn2n.qa.training.problem import INTERRUPTED, Problem, Restart
from memn2n.qa.training.restarts import train_restarts
from memn2n.qa.vocabulary import SPECIAL, UNKNOWN, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from memn2n.qa.config import Backend
    from memn2n.qa.training.schedule import Epoch

KIND = "qa"
_FINGERPRINTS = "train_fingerprints"


class StoryQA:
    """A trained network, or an ensemble of them, with its vocabulary; made by ``fit`` or ``load``.

    An ensemble answers by the mean of its networks' probabilities; the attention that it tells is their mean too.

    Args:
        networks: the trained networks.
        vocabulary: the words that it knows.
        training: how it was trained.
        restarts: what became of each restart.
        fingerprints: (training questions) int64, ``memn2n.qa.stories.fingerprint`` of each, by which ``evaluate``
            tells which test questions were trained on.
    """

    def __init__(
        self,
        networks: Sequence[QANetwork],
        vocabulary: Vocabulary,
        training: TrainingConfig,
        restarts: tuple[Restart, ...],
        fingerprints: npt.NDArray[np.int64],
    ) -> None:
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
        """Train on examples.

        Args:
            train: what to train on.
            valid: what to validate on; by default a tenth of ``train`` is held out. Questions with an answer that no
                training question has are left out, with a DataWarning.
            network: the network's settings; ``memn2n.variant`` has the paper's and the official code's.
            training: the training's settings.
            restarts: in place of ``training.restarts``.
            seed: in place of ``training.seed``.
            vocabulary: in place of the words of ``train``, as when words of the test data shall be known too.
            lowercase: whether upper and lower case are the same (answers are in lower case then).
            backend: what trains. native: the engine, on the CPU. torch: PyTorch. auto: the engine where it was built
                and serves such a network on this device, else PyTorch.
            device: where PyTorch trains, such as "cuda"; the model that is returned is on the CPU.
            threads: restarts that the engine trains at a time, by default one a core. The model does not depend on it.
            on_event: called after each epoch and restart, with what came of it.

        Returns:
            The selected model, or the ensemble. Ctrl-C ends the training early and gives the best model so far; its
            ``interrupted`` is True then.

        Raises:
            InputError: if there is no example, one cannot be used, or ``vocabulary`` lacks an answer.
            ConfigError: if settings contradict each other, the data, or what this machine has.
            TrainingError: if every restart diverged.
            KeyboardInterrupt: on Ctrl-C before there is a network to keep.
        """
        examples = _checked(train, "train")
        validation = None if valid is None else _checked(valid, "validate")
        training = training or TrainingConfig()
        training = dataclasses.replace(
            training,
            restarts=training.restarts if restarts is None else restarts,
            seed=training.seed if seed is None else seed,
        )
        if vocabulary is None:
            vocabulary = vocabulary_of(examples, lowercase)
        stories = StorySet.encode(examples, vocabulary)
        lacking = np.flatnonzero(stories.answer == UNKNOWN_ANSWER)
        if len(lacking):
            raise InputError(
                f"the vocabulary lacks the answer {examples[lacking[0]].answer!r}; build it with all answers"
            )
        prints = np.unique(np.array([fingerprint(example) for example in examples], np.int64))
        problem = Problem.make(
            stories,
            None if validation is None else _encode_validation(validation, vocabulary),
            network or NetworkConfig(),
            training,
            len(vocabulary),
            backend,
            device,
        )
        outcome = train_restarts(problem, on_event or (lambda _event: None), threads)
        return cls(outcome.networks, vocabulary, training, outcome.restarts, prints)

    @property
    def network(self) -> QANetwork:
        """The network; of an ensemble, the first one."""
        return self.networks[0]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training early."""
        return any(restart.stopped == INTERRUPTED for restart in self.restarts)

    def answer(self, story: Sequence[str], question: str, *, top: int = 5) -> Answer:
        """Answer one question.

        Args:
            story: sentences, oldest first; of a story longer than the memory the latest are read.
            question: the question.
            top: how many of the most probable answers to tell.

        Raises:
            InputError: if there is no sentence, or no word in the question.
        """
        return self.answer_many([(story, question)], top=top)[0]

    def answer_many(self, questions: Iterable[tuple[Sequence[str], str]], *, top: int = 5) -> list[Answer]:
        """Answer many questions, each a (story, question) pair; see ``answer``.

        An answer does not depend on what else is asked.
        """
        examples = []
        for story, question in questions:
            check_question(story, question)
            examples.append(Example(tuple(story), question, answer=""))
        if top < 1:
            raise InputError(f"top is {top}: it must be 1 or more")
        stories = StorySet.encode(examples, self.vocabulary)
        all_known = not (stories.words == UNKNOWN).any()
        answers: list[Answer] = []
        for chosen, probabilities, attention in self._predict(stories):
            best = probabilities.argsort(axis=1)[:, ::-1][:, :top]  # (batch, top)
            shares = np.take_along_axis(probabilities, best, 1)
            rows = zip(chosen.tolist(), best.tolist(), shares.tolist(), strict=True)
            for row, (i, columns, share) in enumerate(rows):
                ranked = tuple(zip([self.vocabulary.words[column] for column in columns], share, strict=True))
                unknown = () if all_known else self._unknown_words(examples[i])
                answers.append(self._answer(examples[i], ranked, attention[:, row], unknown))
        return answers

    def evaluate(self, test: Iterable[Example]) -> Evaluation:
        """Ask every question of a test set.

        An answer that the model does not know counts as wrong.

        Raises:
            InputError: if there is no example, or one cannot be used.
        """
        examples = _checked(test, "test")
        stories = StorySet.encode(examples, self.vocabulary)
        wrong = np.zeros(len(stories), bool)
        recalled = np.zeros(len(stories), bool)
        for chosen, probabilities, attention in self._predict(stories):
            wrong[chosen] = probabilities.argmax(1) + SPECIAL != stories.answer[chosen]
            last = np.diff(stories.story_start)[chosen] - 1
            looked_at = last - attention.argmax(2)  # (hop, batch) positions in the story
            for row, i in enumerate(chosen):
                support = stories.support[stories.support_start[i] : stories.support_start[i + 1]]
                recalled[i] = np.isin(looked_at[:, row], support).any()
        annotated = np.diff(stories.support_start) > 0
        seen = np.isin([fingerprint(example) for example in examples], self.fingerprints)
        unanswerable = stories.answer == UNKNOWN_ANSWER

        def score(task: int, label: str) -> TaskScore:
            mine = stories.task == task

            def count(*which: npt.NDArray[np.bool_]) -> int:
                return int(np.logical_and.reduce([mine, *which]).sum())

            return TaskScore(label, count(), count(wrong), count(unanswerable), count(annotated), count(recalled),
                             count(seen), count(seen, wrong))  # fmt: skip

        unknown = dict.fromkeys(examples[i].answer for i in np.flatnonzero(unanswerable))
        return Evaluation(tuple(score(*task) for task in enumerate(stories.tasks)), tuple(unknown))

    def save(self, folder: str | Path) -> None:
        """Save to a directory, whole or not at all; an earlier model in it is replaced.

        Raises:
            ModelError: if the folder cannot be written, or belongs to another program.
        """
        config: dict[str, Any] = {
            "network": dataclasses.asdict(self.network.config),
            "shape": dataclasses.asdict(self.network.shape),
            "training": dataclasses.asdict(self.training),
            "restarts": [dataclasses.asdict(restart) for restart in self.restarts],
            "networks": len(self.networks),
        }
        tensors = {
            f"{i}.{name}": value.numpy()
            for i, network in enumerate(self.networks)
            for name, value in network.state_dict().items()
        }
        save_model(folder, KIND, config, self.vocabulary, tensors | {_FINGERPRINTS: self.fingerprints})

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that ``save`` wrote.

        Raises:
            ModelError: if there is none, or it is damaged, of another kind or of another version.
        """
        config, vocabulary, tensors = load_model(folder, KIND, Vocabulary)
        try:
            shape = DataShape.from_dict(config["shape"])
            settings = NetworkConfig.from_dict(config["network"], complete=True)
            training = TrainingConfig.from_dict(config["training"])  # a record only: later settings may lack
            restarts = tuple(Restart.from_dict(restart) for restart in config["restarts"])
            number = config["networks"]
            if type(number) is not int or not 1 <= number <= len(restarts):
                raise ConfigError(Setting("networks"), f" is {number!r}")
            if shape.slots > settings.memory_size:
                raise ConfigError(Setting("slots"), f" is {shape.slots}, above memory_size")
        except (ConfigError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{folder}: config.json is damaged ({error}); train again") from None
        if shape.vocabulary != len(vocabulary):
            raise ModelError(f"{folder}: vocab.json does not fit config.json; train again")
        fingerprints = tensors.pop(_FINGERPRINTS, np.empty(0, np.int64))
        networks = [QANetwork(settings, shape, torch.Generator()) for _ in range(number)]
        wanted = {f"{i}.{name}": value for i, one in enumerate(networks) for name, value in one.state_dict().items()}
        found = {name: (tensor.shape, str(tensor.dtype)) for name, tensor in tensors.items()}
        fits = found == {name: (tuple(value.shape), "float32") for name, value in wanted.items()}
        if not fits or fingerprints.dtype != np.int64:
            raise ModelError(f"{folder}: model.safetensors does not fit config.json; train again")
        for name, value in wanted.items():
            value.copy_(torch.from_numpy(tensors[name]))
        return cls(networks, vocabulary, training, restarts, fingerprints)

    def _predict(self, stories: StorySet) -> Iterator[Prediction]:
        """The predictions for all examples: the means over the networks."""
        for parts in zip(*(predict(network, stories) for network in self.networks), strict=True):
            if len(parts) == 1:
                yield parts[0]
                continue
            probabilities, attention = (np.mean([part[i] for part in parts], axis=0) for i in (1, 2))
            yield Prediction(parts[0].examples, probabilities, attention)

    def _unknown_words(self, example: Example) -> tuple[str, ...]:
        """Each word of the story and question that the vocabulary does not hold, once."""
        words = (self.vocabulary.unknown_words(text) for text in (*example.story, example.question))
        return tuple(dict.fromkeys(word for sentence in words for word in sentence))

    def _answer(
        self,
        example: Example,
        ranked: tuple[tuple[str, float], ...],
        latest_first: npt.NDArray[np.float32],
        unknown: tuple[str, ...],
    ) -> Answer:
        n = len(example.story)
        kept = min(n, self.network.config.memory_size)
        attention = np.ascontiguousarray(latest_first[:, :kept][:, ::-1])  # a copy: the batch's need not be kept
        if kept < n:
            attention = np.pad(attention, ((0, 0), (n - kept, 0)))
        return Answer(example.story, example.question, *ranked[0], ranked, attention,
                      tuple(range(n - kept)), unknown)  # fmt: skip


def _encode_validation(examples: list[Example], vocabulary: Vocabulary) -> StorySet:
    known = [example for example in examples if vocabulary.answer_id(example.answer) is not None]
    if len(known) < len(examples):
        left = len(examples) - len(known)
        warnings.warn(
            f"{left} of {len(examples)} validation questions have an answer that no training question has; left out",
            DataWarning,
            stacklevel=3,
        )
    return StorySet.encode(known, vocabulary)


def _checked(examples: Iterable[Example], purpose: str) -> list[Example]:
    given = list(examples)
    if not given:
        raise InputError(f"there is no example to {purpose} on")
    for example in given:
        check_example(example)
    return given
