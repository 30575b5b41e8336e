"""The frames of words."""

import pytest

from memn2n.qa.symmetries.frames import BLANK, frames_of
from memn2n.qa.symmetries.proposals import linked, propose


def test_a_frame_has_the_word_blanked_and_the_others_in_their_form() -> None:
    form = {"mary": "PERSON", "left": "left", "milk": "THING"}.__getitem__
    assert list(frames_of(["mary", "left", "milk"], form)) == [
        ("mary", (BLANK, "left", "THING")),
        ("left", ("PERSON", BLANK, "THING")),
        ("milk", ("PERSON", "left", BLANK)),
    ]


def test_a_word_that_occurs_twice_has_two_frames() -> None:
    assert [frame for _, frame in frames_of(["a", "a"], str.upper)] == [(BLANK, "A"), ("A", BLANK)]


def test_no_words_have_no_frames() -> None:
    assert not list(frames_of([], str))


def test_words_with_the_same_frames_are_proposed() -> None:
    sentences: dict[tuple[str, ...], int] = {
        (who, did, what): 5 for who in ("mary", "john") for did in ("took", "got") for what in ("milk", "tea")
    }
    groups, similar = propose(sentences, {"mary", "john", "took", "got", "milk", "tea"})
    assert groups == [("got", "took"), ("john", "mary"), ("milk", "tea")]
    assert similar["john", "mary"] == pytest.approx(1)


def test_words_that_only_occur_together_are_compared_as_after_their_swap() -> None:
    people = ("mary", "john", "bill")
    sentences: dict[tuple[str, ...], int] = {(a, "and", b, "left"): 3 for a in people for b in people if a != b}
    groups, similar = propose(sentences, set(people))
    assert groups == [("bill", "john", "mary")]
    assert all(value == pytest.approx(1) for value in similar.values())


def test_only_the_given_words_are_grouped() -> None:
    sentences: dict[tuple[str, ...], int] = {("mary", "left"): 1, ("john", "left"): 1, ("bill", "left"): 1}
    assert propose(sentences, {"mary", "john"})[0] == [("john", "mary")]


def test_all_words_of_a_group_are_alike() -> None:
    chain = {("a", "b"): 0.9, ("b", "c"): 0.8, ("c", "d"): 0.85}
    assert linked("abcd", chain, 0.7) == [("a", "b"), ("c", "d")]
    assert linked("abcd", chain, 0.87) == [("a", "b")]
