"""StoryQA: train on stories, answer questions, evaluate, save and load."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from memn2n.errors import ConfigError, Setting
from memn2n.files.model_folder import load_model, save_model
from memn2n.html_table import html_table
from memn2n.qa.answers import Answer, Evaluation
from memn2n.qa.asked import Asked
from memn2n.qa.candidates import Candidates
from memn2n.qa.config import FamilyConfig, TrainingConfig
from memn2n.qa.fingerprints import fingerprints, fingerprints_of
from memn2n.qa.networks import family_name
from memn2n.qa.parameters import Parameters
from memn2n.qa.recipes import choose_recipes
from memn2n.qa.record import FINGERPRINTS, QARecord, check_sizes
from memn2n.qa.stories import Example, check_examples, example_of
from memn2n.qa.symmetries.classes import Symmetries
from memn2n.qa.symmetries.unseen import UnseenWords
from memn2n.qa.training.data import TrainingData
from memn2n.qa.training.problem import INTERRUPTED, Restart, choose_backend
from memn2n.qa.training.restarts import going_on, train_recipes
from memn2n.qa.vocabulary import Vocabulary
from memn2n.settings import check_type, check_whole
from memn2n.terminal import quoted
from memn2n.training_display import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from memn2n.files.model_file import Arrays
    from memn2n.qa.config import Backend
    from memn2n.qa.recipes import Recipe
    from memn2n.qa.training.display import QAProgress
    from memn2n.qa.training.schedule import Epoch

KIND = "qa"


class StoryQA:
    """A trained network, or an ensemble of networks, with its vocabulary. ``fit`` and ``load`` create it.

    An ensemble answers by the mean of its networks' probabilities; the attention that it returns is their mean too.
    A program with a training loop of its own makes the model from the parameters that it trained.

    Args:
        networks: the parameters of the trained networks, which have the same settings and sizes.
        vocabulary: the words that the model knows.
        candidates: the answers that it chooses from, if they are not words of the vocabulary.
        symmetries: the exchangeable words of its training data, in the form of the vocabulary.
        training: the settings of its training.
        restarts: the result of each restart.
        fingerprints: (training questions) int64, from ``memn2n.qa.fingerprints``. ``evaluate`` uses them to find the
            test questions that are also in the training data.
        unseen: the sentences in which training saw the exchangeable words, to place words that the vocabulary does not
            have. Without them, such words stay unknown.

    Raises:
        ConfigError: if there is no network, two have different settings or sizes, or the sizes do not fit the
            vocabulary or the candidates.
    """

    def __init__(
        self, networks: Sequence[Parameters], vocabulary: Vocabulary, candidates: Candidates | None = None, *,
        symmetries: Symmetries | None = None, training: TrainingConfig | None = None,
        restarts: Sequence[Restart] = (), fingerprints: npt.NDArray[np.int64] | None = None,
        unseen: UnseenWords | None = None,
    ) -> None:  # fmt: skip
        for network in (networks := tuple(networks)):
            check_type("networks", network, Parameters, "qa.networks of another model")
        check_type("training", training, TrainingConfig)
        check_type("candidates", candidates, Candidates)
        check_type("unseen", unseen, UnseenWords)
        self.networks = networks
        self.vocabulary = vocabulary
        self.candidates = candidates
        check_type("symmetries", symmetries, Symmetries)
        self.unseen = UnseenWords(symmetries) if unseen is None and symmetries else unseen
        self.symmetries = self.unseen.symmetries if self.unseen else Symmetries()
        self.training = training or TrainingConfig()
        self.restarts = tuple(restarts)
        self.fingerprints = np.empty(0, np.int64) if fingerprints is None else fingerprints
        if not self.networks:
            raise ConfigError("there is no network")
        for network in self.networks:
            if (network.config, network.shape) != (self.network.config, self.network.shape):
                raise ConfigError("the networks of an ensemble must have the same settings and sizes")
        check_sizes(self.network.config, self.network.shape, vocabulary, candidates)

    @classmethod
    def fit(
        cls,
        train: Iterable[Example],
        valid: Iterable[Example] | None = None,
        *,
        start: Self | None = None,
        symmetries: Symmetries | Literal["auto", "none"] | None = None,
        recipes: Iterable[Recipe] | None = None,
        network: FamilyConfig | None = None,
        training: TrainingConfig | None = None,
        restarts: int | None = None,
        seed: int | None = None,
        vocabulary: Vocabulary | None = None,
        candidates: Iterable[str] | None = None,
        lowercase: bool = True,
        backend: Backend = "auto",
        device: str = "cpu",
        threads: int | None = None,
        on_event: Callable[[Epoch | Restart], None] | None = None,
        progress: bool | None = None,
    ) -> Self:
        """Train a model on examples.

        Args:
            train: the training examples.
            valid: the validation examples; by default a tenth of ``train``, chosen by ``training.validation_split``.
                Questions with an answer that is not in the vocabulary are left out, with a DataWarning.
            start: a model to go on from. Its networks, vocabulary and candidates are used, so ``network``,
                ``vocabulary`` and ``candidates`` must not be given. There is no linear start. By default, each of its
                networks is trained once more, and all are kept. Words that it does not know stay unknown, with a
                DataWarning; a training question with an answer that it does not know is refused.
            symmetries: the exchangeable words. Each batch of the training is renamed at random by them, and a word that
                training does not have is lent the embedding of an exchangeable one. "auto" finds them in the data;
                "none" is none. By default those of ``start``; otherwise "auto", unless recipes, settings or a
                vocabulary are given.
            recipes: the settings to choose from. Each is trained, and the validation data chooses. By default
                ``memn2n.recipes("quick")``, which depends on whether the examples have several tasks.
            network: the network's settings, which name its family, instead of ``recipes``.
            training: the training's settings, instead of ``recipes``.
            restarts: overrides ``training.restarts`` of each recipe.
            seed: overrides ``training.seed`` of each recipe.
            vocabulary: the words to know; by default the words and answers of ``train``.
            candidates: the answers to choose from, such as the replies of a dialog; by default the answers are words of
                the vocabulary. With candidates, the default vocabulary has their words instead of the answers.
            lowercase: whether the default vocabulary ignores case. Answers are in lower case then.
            backend: "native" trains with the C++ engine, on the CPU; "torch" with PyTorch; "auto" with the engine if it
                was built and can run this network on this device, otherwise with PyTorch.
            device: the PyTorch device to train on, such as "cuda". The returned model is always on the CPU.
            threads: how many restarts the engine trains at a time; by default one for each core. It does not affect
                the result.
            on_event: called after each epoch and each restart, with its result.
            progress: whether to show the progress on standard error; by default in notebooks only.

        Returns:
            The selected network, or the ensemble. After Ctrl-C, the best model so far; ``interrupted`` is True then.

        Raises:
            InputError: if there is no example, an example is malformed, or an answer is not in the vocabulary or the
                candidates.
            ConfigError: if settings contradict each other, the data, or what this machine has.
            TrainingError: if every restart diverged.
            KeyboardInterrupt: on Ctrl-C before the first epoch has ended.
        """
        check_type("start", start, cls, "memn2n.StoryQA.load(folder)")
        if isinstance(candidates, str):
            raise ConfigError(Setting("candidates"), f" is {quoted(candidates)}: give a list of answers")
        answers = None if candidates is None else Candidates(tuple(candidates), lowercase)
        if start is not None:
            given = {"recipes": recipes, "network": network, "vocabulary": vocabulary, "candidates": candidates}
            training = going_on(training, len(start.networks), [name for name in given if given[name] is not None])
            network, vocabulary, answers = start.network.config, start.vocabulary, start.candidates
            symmetries = start.symmetries if symmetries is None else symmetries
        elif symmetries is None:
            chosen_by_caller = (network, training, recipes, vocabulary)
            symmetries = "auto" if all(one is None for one in chosen_by_caller) else "none"
        if isinstance(recipes, Iterable):
            recipes = tuple(recipes)
        given_recipes = partial(choose_recipes, recipes, network, training, {"restarts": restarts, "seed": seed})
        for one in given_recipes(joint=False):  # refuse what is wrong before the data is searched
            choose_backend(backend, device, one.network)
        data = TrainingData.prepare(
            train, valid, symmetries=symmetries, vocabulary=vocabulary, candidates=answers, lowercase=lowercase,
            going_on=start is not None, threads=threads,
        )  # fmt: skip
        chosen = given_recipes(joint=len(data.stories.tasks) > 1)
        problems = data.problems(chosen, backend, device, () if start is None else start.networks)

        def display() -> QAProgress:
            from memn2n.qa.training.display import QAProgress

            return QAProgress([problem.training for problem in problems])

        with shown(progress, display, on_event) as listener:
            problem, outcome = train_recipes(problems, listener, threads)
        trained = [data.fingerprints, *([] if start is None else [start.fingerprints])]
        earlier = None if start is None else start.unseen
        return cls(outcome.networks, data.vocabulary, data.candidates, symmetries=data.symmetries,
                   training=problem.training, restarts=outcome.restarts,
                   fingerprints=np.unique(np.concatenate(trained)), unseen=data.unseen_words(earlier))  # fmt: skip

    @property
    def network(self) -> Parameters:
        """The network; the first one of an ensemble."""
        return self.networks[0]

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the training early."""
        return any(restart.stopped == INTERRUPTED for restart in self.restarts)

    def summary(self) -> dict[str, str]:
        """What a person wants to know of the model: its network, its size and its training."""
        kept = [restart for restart in self.restarts if restart.kept]
        errors = [restart.valid.error for restart in kept if restart.valid is not None]
        together = f", ensemble of {len(self.networks)}" if len(self.networks) > 1 else ""
        lines = {
            "network": f"{family_name(self.network.config)}{together}",
            "settings": self.network.config.summary(),
            "parameters": f"{sum(array.size for one in self.networks for array in one.arrays.values()):,}",
            "words": f"{len(self.vocabulary):,}",
            "candidates": f"{len(self.candidates.texts):,}" if self.candidates else "",
            "symmetries": self.symmetries.summary(),
            "training": self.training.summary(),
            "validation error": f"{sum(errors) / len(errors):.1%}" if errors else "",
        }
        return {name: text for name, text in lines.items() if text}

    def __repr__(self) -> str:
        """The most important lines of the summary."""
        lines = self.summary()
        return f"<StoryQA: {lines['network']}, {lines['parameters']} parameters, {lines['words']} words>"

    def _repr_html_(self) -> str:
        """The summary, as a notebook shows it."""
        return html_table("StoryQA", (), list(self.summary().items()))

    def answer(
        self, story: Iterable[str], question: str, values: Iterable[str] = (), *, top: int = 5, renamings: int = 1
    ) -> Answer:
        """Answer one question.

        Args:
            story: the sentences, oldest first. If there are more than ``memory_size``, only the latest are used.
            question: the question.
            values: for a key-value memory, what it returns for each sentence; by default the sentence itself.
            top: how many of the most probable answers to return.
            renamings: answer under this many random renamings of the exchangeable words, and return the means of the
                probabilities and of the attention. The first one is the question as it is.

        Raises:
            InputError: if there is no sentence, a sentence is blank, there is no word in the question, not a value for
                each sentence, or ``top`` or ``renamings`` is below 1.
            ConfigError: if the network does not read values, or if only PyTorch can compute it and is not installed.
        """
        return self.answer_many([(story, question, values)], top=top, renamings=renamings)[0]

    def answer_many(
        self, questions: Iterable[tuple[Iterable[str], str] | tuple[Iterable[str], str, Iterable[str]]], *,
        top: int = 5, renamings: int = 1,
    ) -> list[Answer]:  # fmt: skip
        """Answer many questions, each a tuple (story, question) or (story, question, values); see ``answer``.

        Each answer is the same as if the question were asked alone.
        """
        examples = list(map(example_of, questions))
        check_whole("top", top, 1)
        asked = self._ask(examples, renamings)
        return asked.answers(self.networks, top, renamings)

    def evaluate(self, test: Iterable[Example], *, renamings: int = 1) -> Evaluation:
        """Answer every question of a test set and count the wrong answers.

        A question whose right answer is not in the vocabulary, or not a candidate, counts as wrong, unless it is an
        unseen word of the question that could be placed.

        Args:
            test: the questions with their right answers.
            renamings: as in ``answer``.

        Raises:
            InputError: if there is no example, an example is malformed, or ``renamings`` is below 1.
        """
        examples = check_examples(test, "test")
        asked = self._ask(examples, renamings)
        seen = np.isin(fingerprints_of(examples, self.vocabulary), self.fingerprints)
        seen |= np.isin(fingerprints(examples, str), self.fingerprints)  # models of earlier versions have these
        return Evaluation.of(examples, asked.stories, asked.predictions(self.networks, renamings), seen)

    def _ask(self, examples: Sequence[Example], renamings: int) -> Asked:
        check_whole("renamings", renamings, 1)
        memory_size = max(one.config.memory_size for one in self.networks)
        return Asked(examples, self.vocabulary, self.candidates, self.unseen, memory_size)

    def save(self, folder: str | Path) -> None:
        """Save to a directory, completely or not at all. Replaces an earlier model there.

        Raises:
            ModelError: if the model could not be loaded again, for example because an array was changed to another
                type or size; or if the directory cannot be written, or belongs to another program.
            InputError: if another process or thread writes to the directory for more than ten seconds.
        """
        record = QARecord(
            config=self.network.config, shape=self.network.shape, networks=len(self.networks),
            candidates=self.candidates, symmetries=self.symmetries, training=self.training,
            restarts=self.restarts, unseen=self.unseen,
        )  # fmt: skip
        arrays: Arrays = {
            f"{i}.{name}": array for i, one in enumerate(self.networks) for name, array in one.arrays.items()
        }
        arrays[FINGERPRINTS] = self.fingerprints
        save_model(folder, KIND, record.to_dict(), self.vocabulary, arrays, QARecord.read)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a model that ``save`` wrote.

        Raises:
            ModelError: if there is no model, or it is damaged, of another kind, of another version, or of a family that
                is not registered.
        """
        record, vocabulary, arrays = load_model(folder, KIND, Vocabulary, QARecord.read)
        networks = []
        for i in range(record.networks):
            prefix = f"{i}."
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            networks.append(Parameters.of(record.config, record.shape, own))
        return cls(networks, vocabulary, record.candidates, symmetries=record.symmetries, training=record.training,
                   restarts=record.restarts, fingerprints=arrays.get(FINGERPRINTS), unseen=record.unseen)  # fmt: skip
