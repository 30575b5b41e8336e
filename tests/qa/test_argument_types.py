"""Arguments of a wrong type are refused in one line that names them, by each method of StoryQA."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from memn2n import Example, InputError, StoryQA
from memn2n.machine import choose_threads
from tests.conftest import STORY

made: Callable[..., StoryQA] = StoryQA
fit: Callable[..., StoryQA] = StoryQA.fit
ASKED = (STORY, "Where is Mary?")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda qa: qa.answer(*ASKED, top="3"), "top is '3': it must be of type int"),
        (lambda qa: qa.answer(*ASKED, top=None), "top is None: it must be of type int"),
        (lambda qa: qa.answer(*ASKED, top=True), "top is True: it must be of type int"),
        (lambda qa: qa.answer(*ASKED, top=0), "top is 0: it must be 1 or more"),
        (lambda qa: qa.answer_many([ASKED[1]]), r"'Where is Mary\?' is not a tuple \(story, question\)"),
        (lambda qa: qa.answer_many([None]), "None is not a tuple"),
        (lambda qa: qa.answer_many([(*ASKED, (), ())]), "is not a tuple"),
        (lambda qa: qa.evaluate("test.txt"), "the examples to test on are 'test.txt': they must be a list"),
        (lambda qa: qa.evaluate(None), "the examples to test on are None: they must be a list"),
        (lambda _: fit(5), "the examples to train on are 5: they must be a list"),
        (lambda qa: made(["x"], qa.vocabulary), "networks is 'x': it must be of type Parameters"),
        (
            lambda qa: made(qa.networks, qa.vocabulary, ["a"]),
            r"candidates is \['a'\]: it must be of type Candidates",
        ),
        (lambda qa: made(qa.networks, qa.vocabulary, training={}), r"training is {}: it must be of type Training"),
    ],
)
def test_story_qa(qa: StoryQA, call: Callable[[Any], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(qa)


def test_numbers_of_numpy_and_lists_are_accepted(qa: StoryQA, examples: list[Example]) -> None:
    assert len(qa.answer(*ASKED, top=np.int64(2)).top) == 2  # type: ignore[arg-type]
    assert qa.answer_many([list(ASKED)]) != []  # type: ignore[list-item]
    assert qa.evaluate(iter(examples)) == qa.evaluate(examples)
    assert choose_threads(np.int64(1)) == 1  # type: ignore[arg-type]
