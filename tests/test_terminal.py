"""Messages repeat what somebody wrote in a bounded length, without control characters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from memn2n import Answer, Example, LMConfig, StoryQA, Vocabulary, pretrained, simulate, solve
from memn2n.errors import InputError
from memn2n.lm.answers import NextWords
from memn2n.qa.candidates import Candidates
from memn2n.qa.config import NetworkConfig
from memn2n.qa.networks import family_named
from memn2n.terminal import listed, quoted, shortened

LONG = "\x1b[2J" + "word " * 100_000


@pytest.mark.parametrize(
    "fails",
    [
        lambda: NetworkConfig.from_dict({LONG: 1}),
        lambda: NetworkConfig.from_dict({"encoding": LONG}),
        lambda: LMConfig.from_dict({"dim": [LONG]}),
        lambda: LMConfig.from_dict({"dim": 10**10_000}),
        lambda: LMConfig.from_dict({"dim": -(10**10_000)}),
        lambda: pretrained(LONG),
        lambda: family_named(LONG),
        lambda: Candidates((LONG, LONG)),
        lambda: solve([LONG], "Where is Mary?"),
        lambda: simulate(task=LONG),  # type: ignore[arg-type]
        lambda: StoryQA.fit([Example((LONG,), LONG, "")]),
        lambda: StoryQA.fit([Example(("a",), "a", LONG)], vocabulary=Vocabulary(("a",))),
    ],
)
def test_errors_repeat_only_the_start_of_a_text(fails: Callable[[], object]) -> None:
    with pytest.raises(InputError) as raised:
        fails()
    message = str(raised.value)
    assert len(message) < 500
    assert "\x1b" not in message


def test_remarks_list_only_the_first_unknown_words() -> None:
    words = tuple(f"{LONG}{i}" for i in range(1000))
    answer = pretrained().answer(["Mary went to the office."], "Where is Mary?")
    next_words = NextWords(("a",), (("b", 1.0),), np.ones((1, 1), np.float32), words)
    for remarks in (dataclasses.replace(answer, unknown_words=words).remarks, next_words.remarks):
        assert len(remarks[0]) < 1500
        assert "\x1b" not in remarks[0]
        assert remarks[0].endswith("and 990 others")
    assert isinstance(answer, Answer)


def test_short_texts_are_repeated_as_they_are() -> None:
    assert quoted("it's") == '"it\'s"'
    assert quoted(3) == "3"
    assert shortened("a" * 80) == "a" * 80
    assert listed(["a"] * 10) == ", ".join("a" * 10)
    assert listed(["a"] * 11).endswith("a and 1 other")
    assert listed([]) == ""
