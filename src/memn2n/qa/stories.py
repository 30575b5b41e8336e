"""Questions about stories: as text (Example), and encoded in flat arrays (StorySet)."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from memn2n.errors import DataWarning, InputError
from memn2n.qa.candidates import Candidates, encode_candidates
from memn2n.qa.config import DataShape
from memn2n.qa.vocabulary import SPECIAL, Vocabulary
from memn2n.terminal import quoted
from memn2n.words import has_word

T = TypeVar("T")

Ints = npt.NDArray[np.int32]

UNKNOWN_ANSWER = -1
"""Id of an answer that the vocabulary does not have."""


class BabiTask(str):
    """The label of a bAbI task. The reader of bAbI files and the simulator give it to their examples.

    These examples are in the order of the official files, whose last tenth is the validation data. Others may be
    sorted. Each example carries its label, so that it is not lost when a program joins or filters lists of examples.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One question about a story.

    Lists, generators and other iterables of sentences and positions become tuples.

    Args:
        story: the sentences before the question, oldest first.
        question: the question.
        answer: the answer. It is one symbol of the vocabulary, even if it consists of several words.
        support: the supporting facts: positions in ``story``, from 0, of the sentences that the answer follows from.
            Empty if they are not known.
        task: a label; results are grouped by it. A ``BabiTask`` from "1" to "20" for bAbI.
        values: for a key-value memory, what the memory returns for each sentence of ``story``, which then holds the
            keys. Empty if each sentence is its own value.
    """

    story: tuple[str, ...]
    question: str
    answer: str
    support: tuple[int, ...] = ()
    task: str = ""
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if {tuple} != {type(self.story), type(self.support), type(self.values)}:
            for name in ("story", "support", "values"):
                object.__setattr__(self, name, as_tuple(getattr(self, name)))


def as_tuple(values: Iterable[T]) -> tuple[T, ...]:
    """The values of a list, a generator or another iterable as a tuple.

    A string, and what is not iterable, is returned as it is, so that ``check_question`` can refuse it.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        return values  # type: ignore[return-value]
    return tuple(values)


def example_of(question: object) -> Example:
    """The example of (story, question) or (story, question, values), without an answer; InputError if malformed."""
    if not isinstance(question, (tuple, list)) or len(question) not in {2, 3}:
        raise InputError(f"{quoted(question)} is not a tuple (story, question) or (story, question, values)")
    story, text, *values = question
    example = Example(story, text, answer="", values=values[0] if values else ())
    check_question(example.story, text, example.values)
    return example


def check_question(story: Sequence[str], question: str, values: Sequence[str] = ()) -> None:
    """Check that a question can be answered.

    Raises:
        InputError: if the story is not a list of strings, is empty or has a blank sentence, the question has no word,
            or there is not a value for each sentence.
    """
    if not _are_texts(story) or not isinstance(question, str):
        raise InputError("a story is a list of sentences, each a string, and a question is a string")
    problem = problem_of_story(story)
    if problem:
        raise InputError(problem)
    if not has_word(question):
        raise InputError(f"there is no word in the question {quoted(question)}")
    if not _are_texts(values) or len(values) not in {0, len(story)}:
        raise InputError(f"the question {quoted(question)} must have a value for each sentence of its story, or none")


def problem_of_story(story: Sequence[str]) -> str:
    """Why a story cannot be used; empty if it can: it has a sentence, and no sentence is blank."""
    if not len(story):
        return "there is no story: give at least one sentence"
    if not all(map(str.strip, story)):
        position = next(i for i, sentence in enumerate(story) if not sentence.strip())
        return f"sentence {position} of the story, counted from 0, is blank: leave it out"
    return ""


def _are_texts(values: object) -> bool:
    if type(values) is not tuple and (isinstance(values, str) or not isinstance(values, Sequence)):
        return False
    return {str}.issuperset(map(type, values)) or all(isinstance(value, str) for value in values)


def check_example(example: Example) -> None:
    """Check that an example can be used for training or testing.

    Raises:
        InputError: like ``check_question``; also if the answer is blank, or a supporting fact is not in the story.
    """
    if not isinstance(example, Example):
        raise InputError(f"an example must be a memn2n.Example, not {type(example).__name__}")
    check_question(example.story, example.question, example.values)
    if not isinstance(example.answer, str) or not example.answer.strip():
        raise InputError(f"the question {quoted(example.question)} has no answer")
    if not all(isinstance(position, int) and 0 <= position < len(example.story) for position in example.support):
        raise InputError(f"the question {quoted(example.question)} has a supporting fact outside its story")


def check_examples(examples: Iterable[Example], purpose: str) -> list[Example]:
    """Check each of some examples; ``purpose`` is "train", "validate" or "test".

    Raises:
        InputError: like ``check_example``; also if there is no example, or the examples are not a list or the like.
    """
    if isinstance(examples, (str, bytes)) or not isinstance(examples, Iterable):  # type: ignore[unreachable]
        raise InputError(f"the examples to {purpose} on are {quoted(examples)}: they must be a list of memn2n.Example; "
                         "memn2n.read_stories(file) reads them")  # fmt: skip
    given = list(examples)
    if not given:
        raise InputError(f"there is no example to {purpose} on")
    for example in given:
        check_example(example)
    return given


class Split(NamedTuple):
    """Training examples and test examples."""

    train: list[Example]
    test: list[Example]


@dataclass(frozen=True)
class StorySet:
    """Encoded examples in flat arrays, like a CSR matrix: without padding, each distinct sentence once.

    The words of sentence ``s`` are ``words[sentence_start[s]:sentence_start[s + 1]]``, word ids. The story of example
    ``e`` is ``story[story_start[e]:story_start[e + 1]]``, sentence ids, oldest first. Its question is a sentence too.
    All arrays are int32. The arrays that ``encode`` returns are read-only.

    Args:
        words: (words of all sentences)
        sentence_start: (sentences + 1)
        story: (sentences of all stories)
        story_start: (examples + 1)
        question: (examples) sentence ids
        answer: (examples) ids of answers, or ``UNKNOWN_ANSWER``: word ids, or positions in ``candidates``
        support: (supporting facts of all examples) positions in the example's story
        support_start: (examples + 1)
        task: (examples) positions in ``tasks``
        tasks: the tasks' labels, in the order of their first example
        values: (sentences of all stories) sentence ids, what the memory returns for each sentence; None if each
            sentence is its own value
        candidates: (candidates, words) int64 word ids of the candidate answers, padded; None if the answers are words
    """

    words: Ints
    sentence_start: Ints
    story: Ints
    story_start: Ints
    question: Ints
    answer: Ints
    support: Ints
    support_start: Ints
    task: Ints
    tasks: tuple[str, ...]
    values: Ints | None = None
    candidates: npt.NDArray[np.int64] | None = None

    @classmethod
    def encode(
        cls, examples: Iterable[Example], vocabulary: Vocabulary, candidates: Candidates | None = None
    ) -> StorySet:
        """Encode examples in one pass over them. An unknown answer becomes ``UNKNOWN_ANSWER``.

        Args:
            examples: the examples.
            vocabulary: the words to know.
            candidates: the answers to know; by default those of the vocabulary.
        """
        words: list[int] = []
        sentence_start = [0]
        sentence_ids: dict[str, int] = {}

        def sentence_id(text: str) -> int:
            known = sentence_ids.get(text)
            if known is None:
                known = sentence_ids[text] = len(sentence_ids)
                words.extend(vocabulary.encode(text))
                sentence_start.append(len(words))
            return known

        story: list[int] = []
        story_start = [0]
        question: list[int] = []
        answer: list[int] = []
        support: list[int] = []
        support_start = [0]
        task: list[int] = []
        tasks: dict[str, int] = {}
        values: list[int] = []
        any_values = False
        answer_id = vocabulary.answer_id if candidates is None else candidates.answer_id
        for example in examples:
            story.extend(map(sentence_id, example.story))
            values.extend(map(sentence_id, example.values or example.story))
            any_values |= bool(example.values)
            story_start.append(len(story))
            question.append(sentence_id(example.question))
            known_answer = answer_id(example.answer)
            answer.append(UNKNOWN_ANSWER if known_answer is None else known_answer)
            support.extend(example.support)
            support_start.append(len(support))
            task.append(tasks.setdefault(example.task, len(tasks)))

        def flat(ids: list[int]) -> Ints:
            array = np.asarray(ids, np.int32)
            array.flags.writeable = False  # the engine checks it only once, and then reads it in place
            return array

        return cls(
            words=flat(words), sentence_start=flat(sentence_start), story=flat(story), story_start=flat(story_start),
            question=flat(question), answer=flat(answer), support=flat(support), support_start=flat(support_start),
            task=flat(task), tasks=tuple(tasks), values=flat(values) if any_values else None,
            candidates=None if candidates is None else encode_candidates(candidates, vocabulary),
        )  # fmt: skip

    @classmethod
    def encode_training(
        cls, examples: Sequence[Example], vocabulary: Vocabulary, candidates: Candidates | None = None
    ) -> StorySet:
        """Encode training examples.

        Raises:
            InputError: if the vocabulary, or the candidates, lack an answer.
        """
        stories = cls.encode(examples, vocabulary, candidates)
        lacking = np.flatnonzero(stories.answer == UNKNOWN_ANSWER)
        if len(lacking):
            answer = examples[lacking[0]].answer
            if candidates is not None:
                raise InputError(f"the candidates lack the answer {quoted(answer)}; give all answers")
            raise InputError(f"the vocabulary lacks the answer {quoted(answer)}; build it with all answers")
        return stories

    @classmethod
    def encode_validation(
        cls, examples: Sequence[Example], vocabulary: Vocabulary, candidates: Candidates | None = None
    ) -> StorySet:
        """Encode the validation examples whose answer is known; a DataWarning counts the others."""
        answer_id = vocabulary.answer_id if candidates is None else candidates.answer_id
        known = [example for example in examples if answer_id(example.answer) is not None]
        if len(known) < len(examples):
            lost = f"{len(examples) - len(known)} of {len(examples)} validation questions"
            warnings.warn(f"{lost} have an answer that no training question has; left out", DataWarning, stacklevel=4)
        return cls.encode(known, vocabulary, candidates)

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.question)

    @property
    def first_answer(self) -> int:
        """The smallest id of an answer."""
        return SPECIAL if self.candidates is None else 0

    @property
    def longest_story(self) -> int:
        """Number of sentences of the longest story; 0 without stories."""
        return int(np.diff(self.story_start).max(initial=0))

    @property
    def longest_sentence(self) -> int:
        """Number of words of the longest sentence or question; 0 without sentences."""
        return int(np.diff(self.sentence_start).max(initial=0))


def shape_of(stories: StorySet, vocabulary_size: int, memory_size: int) -> DataShape:
    """The sizes that a network takes from its training data; ``vocabulary_size`` is the number of word ids."""
    number, longest = (0, 0) if stories.candidates is None else stories.candidates.shape
    return DataShape(
        vocabulary=vocabulary_size,
        longest_sentence=max(stories.longest_sentence, longest, 1),
        slots=max(min(stories.longest_story, memory_size), 1),
        candidates=number,
    )


def vocabulary_of(
    examples: Sequence[Example], lowercase: bool = True, candidates: Candidates | None = None,
    more_answers: Iterable[str] = (),
) -> Vocabulary:  # fmt: skip
    """The vocabulary of some examples: all words of stories and questions, all answers, and more answers.

    With candidates, it has the words of the candidates instead of the answers.
    """
    sentences = (text for example in examples for text in (*example.story, *example.values, example.question))
    if candidates is not None:
        return Vocabulary.build((*sentences, *candidates.texts), (), lowercase)
    return Vocabulary.build(sentences, (*(example.answer for example in examples), *more_answers), lowercase)
