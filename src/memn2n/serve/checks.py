"""Checks of a request's content: its limits, and whether it can be answered. Each refusal names the field."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import combining

from memn2n.errors import InputError
from memn2n.lm.vocabulary import has_more_tokens
from memn2n.qa.stories import check_question
from memn2n.qa.vocabulary import tokenize
from memn2n.serve.limits import CHARACTERS, COMBINING_MARKS, TOP_TOTAL
from memn2n.serve.refusals import invalid, too_many
from memn2n.words import has_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from memn2n.lm.vocabulary import LMVocabulary
    from memn2n.serve.limits import Limits
    from memn2n.serve.schemas import StoryQuestion

_TOO_MANY_MARKS = f"there are more than {COMBINING_MARKS} combining marks on one letter"


def check_top(top: int, limits: Limits, questions: int = 1) -> None:
    """Raise a RefusedError if ``top`` answers to each of the questions are more than the limits allow."""
    limit = min(limits.max_top, TOP_TOTAL * limits.max_questions // questions)
    if top > limit:
        raise too_many(f"top is {top}: at most {limit} is allowed", "top")


def check_renamings(renamings: int, limits: Limits, questions: int = 1) -> None:
    """Raise a RefusedError if answers to some questions under so many renamings are more than the limits allow."""
    limit = min(limits.max_renamings, max(1, limits.max_questions // questions))
    if renamings > limit:
        raise too_many(f"renamings is {renamings}: at most {limit} is allowed", "renamings")


def check_questions(questions: Sequence[StoryQuestion], limits: Limits) -> None:
    """Raise a RefusedError if there is no question, there are too many, or one cannot be answered."""
    if not questions:
        raise invalid("there is no question: give one at least", "questions")
    if len(questions) > limits.max_questions:
        raise too_many(f"there are {len(questions)} questions: at most {limits.max_questions} are allowed", "questions")
    for i, question in enumerate(questions):
        check_story(question, limits, f"questions[{i}].")


def check_story(request: StoryQuestion, limits: Limits, prefix: str = "") -> None:
    """Raise a RefusedError if a question cannot be answered, or its story is too long.

    ``prefix`` precedes the name of the field in the refusal.
    """
    story, question = request.story, request.question
    if len(story) > limits.max_sentences:
        message = f"the story has {len(story)} sentences: at most {limits.max_sentences} are allowed"
        raise too_many(message, f"{prefix}story")
    size = sum(map(len, story)) + len(question)
    if size > CHARACTERS * limits.max_words:
        message = f"story and question have {size} characters: at most {CHARACTERS * limits.max_words} are allowed"
        raise too_many(message, f"{prefix}story")
    if not all(story) or any(map(str.isspace, story)):
        position = next(i for i, sentence in enumerate(story) if not sentence.strip())
        raise invalid("this sentence is blank: leave it out", f"{prefix}story[{position}]")
    if not story or not has_word(question):  # pydantic has checked everything else that check_question checks
        try:
            check_question(story, question)
        except InputError as error:
            raise invalid(str(error), f"{prefix}{'question' if story else 'story'}") from None
    if _has_too_many_marks(" ".join((*story, question))):
        raise invalid(_TOO_MANY_MARKS, f"{prefix}story")
    if size > limits.max_words:  # a shorter story cannot have too many words
        words = 0
        for text in (*story, question):
            words += len(tokenize(text))
            if words > limits.max_words:
                raise too_many(f"story and question have more than {limits.max_words} words", f"{prefix}story")


def check_text(text: str, vocabulary: LMVocabulary, limits: Limits) -> None:
    """Raise a RefusedError if a text is not valid Unicode, or has too many words of a vocabulary's kind."""
    if len(text) > CHARACTERS * limits.max_words:
        message = f"the text has {len(text)} characters: at most {CHARACTERS * limits.max_words} are allowed"
        raise too_many(message, "text")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid("the text has one half of a surrogate pair", "text") from None
    if _has_too_many_marks(text):
        raise invalid(_TOO_MANY_MARKS, "text")
    if has_more_tokens(text, limits.max_words, vocabulary.tokens, vocabulary.lowercase):
        raise too_many(f"the text has more than {limits.max_words} words", "text")


def _has_too_many_marks(text: str) -> bool:
    if text.isascii():
        return False
    marks = 0
    for char in text:
        marks = marks + 1 if combining(char) else 0
        if marks > COMBINING_MARKS:
            return True
    return False
