"""The data of a training, made of what the caller gave: vocabulary, symmetries, encoded examples and warnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

from memn2n.qa.fingerprints import fingerprints_of
from memn2n.qa.same_words import warn_of_same_words
from memn2n.qa.stories import StorySet, check_examples, vocabulary_of
from memn2n.qa.symmetries.choice import choose_symmetries
from memn2n.qa.symmetries.renaming import Renamings, renamed_answers
from memn2n.qa.symmetries.unseen import UnseenWords
from memn2n.qa.training.data_warnings import warn_of_long_stories, warn_of_unknown_words, warn_of_untrained_answers
from memn2n.qa.training.problem import Problem
from memn2n.qa.vocabulary import Vocabulary
from memn2n.settings import check_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt

    from memn2n.qa.candidates import Candidates
    from memn2n.qa.config import Backend
    from memn2n.qa.parameters import Parameters
    from memn2n.qa.recipes import Recipe
    from memn2n.qa.stories import Example
    from memn2n.qa.symmetries.classes import Symmetries


@dataclass(frozen=True)
class TrainingData:
    """Training and validation examples, with their vocabulary and symmetries.

    Args:
        examples: the training examples.
        stories: the same, encoded.
        valid: the validation examples, encoded; None if they are to be held out.
        vocabulary: the words to know.
        candidates: the answers to choose from; None if they are words.
        symmetries: the exchangeable words, in the form of the vocabulary.
    """

    examples: list[Example]
    stories: StorySet
    valid: StorySet | None
    vocabulary: Vocabulary
    candidates: Candidates | None
    symmetries: Symmetries

    @classmethod
    def prepare(
        cls, train: Iterable[Example], valid: Iterable[Example] | None, *,
        symmetries: Symmetries | Literal["auto", "none"], vocabulary: Vocabulary | None,
        candidates: Candidates | None, lowercase: bool, going_on: bool, threads: int | None = None,
    ) -> Self:  # fmt: skip
        """Check and encode the examples.

        The arguments mean the same as those of ``StoryQA.fit``. ``going_on`` says that vocabulary and candidates are
        those of an earlier model.

        Raises:
            InputError: if there is no example, an example is malformed, or an answer is not in the vocabulary or the
                candidates.
            ConfigError: if an argument has the wrong type, or the symmetries do not fit the examples.
        """
        examples = check_examples(train, "train")
        validation = None if valid is None else check_examples(valid, "validate")
        check_type("vocabulary", vocabulary, Vocabulary, "memn2n.Vocabulary((word, ...))")
        if vocabulary is not None:
            lowercase = vocabulary.lowercase
            if going_on:
                warn_of_unknown_words(examples, vocabulary)
        same = choose_symmetries(symmetries, examples, candidates, lowercase, threads, known=vocabulary)
        if vocabulary is None:
            more = () if candidates else renamed_answers(examples, same, lowercase)
            vocabulary = vocabulary_of(examples, lowercase, candidates, more)
        warn_of_same_words(examples, vocabulary.lowercase)
        stories = StorySet.encode_training(examples, vocabulary, candidates)
        encoded = None if validation is None else StorySet.encode_validation(validation, vocabulary, candidates)
        return cls(examples, stories, encoded, vocabulary, candidates, same)

    def problems(
        self, recipes: Sequence[Recipe], backend: Backend, device: str, start: tuple[Parameters, ...]
    ) -> list[Problem]:
        """The training of each recipe on this data; see ``Problem.make``. Gives warnings of the data."""
        renamings = Renamings.of(self.symmetries, self.vocabulary, self.stories)
        made = [
            Problem.make(stories=self.stories, valid=self.valid, network=network, training=training,
                         vocabulary_size=len(self.vocabulary), backend=backend, device=device, start=start,
                         renamings=renamings)
            for network, training in recipes
        ]  # fmt: skip
        warn_of_long_stories(self.stories, max(problem.network.memory_size for problem in made))
        if self.valid is None and made[0].valid is not None:
            warn_of_untrained_answers(self.stories, made[0].examples, made[0].valid[1],
                                      lambda i: self.examples[i].answer)  # fmt: skip
        return made

    @property
    def fingerprints(self) -> npt.NDArray[np.int64]:
        """The fingerprints of the training examples."""
        return fingerprints_of(self.examples, self.vocabulary)

    def unseen_words(self, earlier: UnseenWords | None) -> UnseenWords | None:
        """The sentences with exchangeable words, beside those of an earlier training; None without symmetries."""
        return UnseenWords.of(self.examples, self.symmetries, self.vocabulary, earlier) if self.symmetries else None
