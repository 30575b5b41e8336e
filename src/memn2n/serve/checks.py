"""Whether a request is within the limits, and can be answered; a refusal names the field."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import combining

from memn2n.errors import InputError
from memn2n.lm.vocabulary import cut
from memn2n.qa.stories import check_question
from memn2n.qa.vocabulary import tokenize
from memn2n.serve.refusals import RefusedError
from memn2n.unicode_text import has_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.lm.vocabulary import LMVocabulary
    from memn2n.serve.limits import Limits
    from memn2n.serve.schemas import StoryQuestion


_STACK = 30
"""Combining marks on one letter, at most, as in Unicode's stream-safe text format (UAX #15): the time for the normal
form of more grows with their square."""

_TOLD = 10
"""Answers told in all, for each question that there may be at most."""


_STACKED = f"more than {_STACK} combining marks stand on one letter"


def check_top(top: int, limits: Limits, questions: int = 1) -> None:
    """Raise a RefusedError if more is asked to be told than may be."""
    most = min(limits.top, _TOLD * limits.questions // questions)
    if top > most:
        raise RefusedError(422, "too-many", f"top is {top}: it may be {most} at most", "top")


def check_questions(questions: Sequence[StoryQuestion], limits: Limits) -> None:
    """Raise a RefusedError if there is no question, there are too many, or one of them cannot be answered."""
    if not questions:
        raise RefusedError(422, "invalid", "there is no question: give one at least", "questions")
    if len(questions) > limits.questions:
        message = f"there are {len(questions)} questions: there may be {limits.questions} at most"
        raise RefusedError(422, "too-many", message, "questions")
    for i, one in enumerate(questions):
        check_story(one, limits, f"questions[{i}].")


def check_story(asked: StoryQuestion, limits: Limits, where: str = "") -> None:
    """Raise a RefusedError if a question cannot be answered, or its story is too long; ``where`` precedes the field."""
    story, question = asked.story, asked.question
    if len(story) > limits.sentences:
        message = f"the story has {len(story)} sentences: it may have {limits.sentences} at most"
        raise RefusedError(422, "too-many", message, f"{where}story")
    if not all(story) or any(map(str.isspace, story)):
        position = next(i for i, sentence in enumerate(story) if not sentence.strip())
        raise RefusedError(422, "invalid", "this sentence is blank: leave it out", f"{where}story[{position}]")
    if not story or not has_word(question):  # of all that is asked there, only this can be wrong in what was parsed
        try:
            check_question(story, question)
        except InputError as error:
            raise RefusedError(422, "invalid", str(error), f"{where}{'question' if story else 'story'}") from None
    told = " ".join((*story, question))
    if _is_stacked(told):
        raise RefusedError(422, "invalid", _STACKED, f"{where}story")
    if len(told) > 2 * limits.words:  # else there cannot be as many
        words = sum(len(tokenize(text)) for text in (*story, question))
        if words > limits.words:
            message = f"story and question have {words} words: they may have {limits.words} at most"
            raise RefusedError(422, "too-many", message, f"{where}story")


def check_text(text: str, vocabulary: LMVocabulary, limits: Limits) -> None:
    """Raise a RefusedError if a text is no Unicode, or has too many words, as this vocabulary cuts it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusedError(422, "invalid", "half of a surrogate pair stands in the text", "text") from None
    if _is_stacked(text):
        raise RefusedError(422, "invalid", _STACKED, "text")
    if len(text) <= limits.words:
        return
    words = len(cut(text, vocabulary.tokens, vocabulary.lowercase))
    if words > limits.words:
        message = f"the text has {words} words: it may have {limits.words} at most"
        raise RefusedError(422, "too-many", message, "text")


def _is_stacked(text: str) -> bool:
    if text.isascii():
        return False
    marks = 0
    for char in text:
        marks = marks + 1 if combining(char) else 0
        if marks > _STACK:
            return True
    return False
