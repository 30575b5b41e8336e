"""Sentences of the training data that have the same words, and questions that were seen before."""

import warnings
from dataclasses import replace

import pytest

from memn2n import Example, StoryQA
from memn2n.errors import DataWarning
from memn2n.qa.config import TrainingConfig
from memn2n.qa.fingerprints import fingerprints
from memn2n.qa.same_words import warn_of_same_words
from memn2n.simulator import simulate

SMALL = TrainingConfig(epochs=1, restarts=1)


def example(sentence: str, answer: str) -> Example:
    return Example((sentence,), "When does it start?", answer)


def test_different_sentences_with_the_same_words_are_warned_of_in_one_line() -> None:
    examples = [example("At 10:30.", "a"), example("At 10 30.", "b"), example("At 10;30", "c"), example("At 9", "d")]
    with pytest.warns(DataWarning, match=r"^2 sentences .* for example 'At 10:30\.' and 'At 10 30\.'; [^\n]*$"):
        warn_of_same_words(examples, lowercase=True)
    with pytest.warns(DataWarning, match="same words"):
        StoryQA.fit(examples * 5, training=SMALL, backend="auto")


def test_case_spaces_and_punctuation_at_words_make_no_different_sentence() -> None:
    texts = ["Yes, (at) 10!", "yes at 10", "YES - at  '10'?", "Ｙes at 10 ..."]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_same_words([example(text, "a") for text in texts if "-" not in text], lowercase=True)
        warn_of_same_words(simulate([1, 5, 15, 18], 50, 0).train, lowercase=True)


def test_a_question_in_another_case_or_spelling_was_seen_before() -> None:
    train = simulate(1, 100, 0).train
    qa = StoryQA.fit(train, training=SMALL)
    asked = [
        replace(
            one,
            story=tuple(f" {text.upper()} ".replace(" ", "  ") for text in one.story),
            question="\ufeff" + one.question,
        )
        for one in train
    ]
    assert qa.evaluate(asked).tasks[0].seen == len(train)
    assert qa.evaluate([replace(one, question="Where?") for one in train]).tasks[0].seen == 0


def test_a_model_of_an_earlier_version_finds_exact_copies() -> None:
    train = simulate(1, 100, 0).train
    qa = StoryQA.fit(train, training=SMALL)
    qa.fingerprints = fingerprints(train, str)
    assert qa.evaluate(train).tasks[0].seen == len(train)
