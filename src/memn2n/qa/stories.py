"""Stories with a question: as text (Example) and encoded in flat arrays (StorySet)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from memn2n.errors import InputError
from memn2n.qa.vocabulary import Vocabulary
from memn2n.unicode_text import has_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


Ints = npt.NDArray[np.int32]

UNKNOWN_ANSWER = -1
"""Answer id of an answer that the vocabulary does not hold."""


@dataclass(frozen=True, slots=True)
class Example:
    """One question about a story.

    Args:
        story: the sentences that stand before the question, oldest first.
        question: the question's text.
        answer: the answer's text; one symbol, however many words it has.
        support: positions in ``story`` (from 0) of the sentences that the answer follows from, where known.
        task: a label by which results are grouped: "1" to "20" for bAbI.
    """

    story: tuple[str, ...]
    question: str
    answer: str
    support: tuple[int, ...] = ()
    task: str = ""


def check_question(story: Sequence[str], question: str) -> None:
    """Make sure that a question can be asked.

    Raises:
        InputError: if the story is not a list of texts or has none, or there is no word in the question.
    """
    if isinstance(story, str) or not isinstance(question, str) or not _are_texts(story):
        raise InputError("a story is a list of sentences, each a text, and a question is a text")
    if not len(story):
        raise InputError("there is no story: give one sentence at least")
    if not has_word(question):
        raise InputError(f"there is no word in the question {question!r}")


def _are_texts(values: Sequence[object]) -> bool:
    return {str}.issuperset(map(type, values)) or all(isinstance(value, str) for value in values)


def check_example(example: Example) -> None:
    """Make sure that an example can be learned from or tested on.

    Raises:
        InputError: as ``check_question``; also if the answer is blank, or a supporting fact is not in the story.
    """
    if not isinstance(example, Example):
        raise InputError(f"an example must be a memn2n.Example, not {type(example).__name__}")
    check_question(example.story, example.question)
    if not isinstance(example.answer, str) or not example.answer.strip():
        raise InputError(f"the question {example.question!r} has no answer")
    if not all(0 <= position < len(example.story) for position in example.support):
        raise InputError(f"the question {example.question!r} has a supporting fact outside its story")


class Split(NamedTuple):
    """Examples to train on, and examples to test on."""

    train: list[Example]
    test: list[Example]


def fingerprint(example: Example) -> int:
    """64 bits of a hash over the story and question, by which exact copies between files are counted."""
    text = "\n".join((*example.story, example.question))
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little", signed=True)


@dataclass(frozen=True)
class StorySet:
    """Encoded examples, ragged and flat as a CSR matrix is: no padding, every distinct sentence once.

    Sentence ``s`` is ``words[sentence_start[s]:sentence_start[s + 1]]``, word ids; example ``e`` has the
    sentences ``story[story_start[e]:story_start[e + 1]]``, sentence ids, oldest first; its question is a
    sentence too. All arrays are int32, and those of ``encode`` cannot be written to.

    Args:
        words: (words of all sentences)
        sentence_start: (sentences + 1)
        story: (sentences of all stories)
        story_start: (examples + 1)
        question: (examples) sentence ids
        answer: (examples) word ids, or ``UNKNOWN_ANSWER``
        support: (supporting facts of all examples) positions in the example's story
        support_start: (examples + 1)
        task: (examples) positions in ``tasks``
        tasks: the tasks' labels, in the order in which they came
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

    @classmethod
    def encode(cls, examples: Iterable[Example], vocabulary: Vocabulary) -> StorySet:
        """Encode examples, in one pass over them."""
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
        for example in examples:
            story.extend(map(sentence_id, example.story))
            story_start.append(len(story))
            question.append(sentence_id(example.question))
            known_answer = vocabulary.answer_id(example.answer)
            answer.append(UNKNOWN_ANSWER if known_answer is None else known_answer)
            support.extend(example.support)
            support_start.append(len(support))
            task.append(tasks.setdefault(example.task, len(tasks)))

        def flat(values: list[int]) -> Ints:
            array = np.asarray(values, np.int32)
            array.flags.writeable = False  # the engine checks it once, and reads it in place from then on
            return array

        return cls(
            flat(words), flat(sentence_start), flat(story), flat(story_start), flat(question), flat(answer),
            flat(support), flat(support_start), flat(task), tuple(tasks),
        )  # fmt: skip

    def __len__(self) -> int:
        """Number of examples."""
        return len(self.question)

    @property
    def longest_story(self) -> int:
        """Number of sentences of the longest story; 0 when there is none."""
        return int(np.diff(self.story_start).max(initial=0))

    @property
    def longest_sentence(self) -> int:
        """Number of words of the longest sentence or question; 0 when there is none."""
        return int(np.diff(self.sentence_start).max(initial=0))


def vocabulary_of(examples: Sequence[Example], lowercase: bool = True) -> Vocabulary:
    """The words of all stories and questions, and all answers."""
    sentences = (sentence for example in examples for sentence in (*example.story, example.question))
    return Vocabulary.build(sentences, (example.answer for example in examples), lowercase)
