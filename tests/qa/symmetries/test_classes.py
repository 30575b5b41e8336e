"""Classes of exchangeable words, and words that are swapped together."""

from typing import Any

import pytest

from memn2n.errors import ConfigError
from memn2n.qa.symmetries.classes import Swap, Symmetries, WordClass, renamed

PERSONS, PLACES = WordClass(("john", "mary")), WordClass(("garden", "kitchen", "office"), ("1", "2"))
COMPASS = Swap(("north", "n"), ("south", "s"), ("19",))
SYMMETRIES = Symmetries((PERSONS, PLACES), (COMPASS,))


def test_from_dict_reads_what_to_dict_wrote() -> None:
    assert Symmetries.from_dict(SYMMETRIES.to_dict()) == SYMMETRIES
    assert Symmetries.from_dict({}) == Symmetries()


def test_symmetries_of_a_task_are_those_without_tasks_and_its_own() -> None:
    assert SYMMETRIES.of_task("2") == Symmetries((PERSONS, WordClass(PLACES.words)))
    assert SYMMETRIES.of_task("19") == Symmetries((PERSONS,), (Swap(COMPASS.first, COMPASS.second),))
    assert SYMMETRIES.of_task("") == Symmetries((PERSONS,))


def test_a_word_may_be_in_classes_of_different_tasks() -> None:
    Symmetries((WordClass(("a", "b"), ("1",)), WordClass(("b", "c"), ("2",))))


@pytest.mark.parametrize(
    ("classes", "swaps", "message"),
    [
        ((WordClass(("a",)),), (), "two or more words, not 1"),
        ((WordClass(("a", "b", "a")),), (), "the word 'a' occurs twice"),
        ((WordClass(("a", "b")), WordClass(("b", "c"))), (), "the word 'b' is in two classes"),
        ((WordClass(("a", "b"), ("1", "2")), WordClass(("b", "c"), ("2",))), (), "the word 'b' is in two classes"),
        ((), (Swap(("a", "b"), ("c",)),), "as many first as second words, not 2 and 1"),
        ((), (Swap((), ()),), "as many first as second words"),
        ((), (Swap(("a",), ("a",)),), "the word 'a' occurs twice"),
        ((PERSONS,), (Swap(("mary",), ("he",)),), "the word 'mary' is in a class and a swap"),
    ],
)
def test_symmetries_that_contradict_themselves_are_refused(
    classes: tuple[WordClass, ...], swaps: tuple[Swap, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Symmetries(classes, swaps)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ((("a", "b"),), "classes must be a tuple of WordClass, not "),
        (WordClass(("a", "b")), "classes must be a tuple of WordClass, not "),
        (None, "classes must be a tuple of WordClass, not None"),
        ([WordClass(None)], "words of a WordClass must be a tuple of strings, not None"),  # type: ignore[arg-type]
        ([WordClass(("mary", 3))], "words of a WordClass must be a tuple of strings, not "),  # type: ignore[arg-type]
        ([WordClass("ab")], "words of a WordClass must be a tuple of strings, not 'ab'"),  # type: ignore[arg-type]
        ([WordClass(("a", "b"), "12")], "tasks of a WordClass must be a tuple of strings"),  # type: ignore[arg-type]
        ([WordClass(("a", "b"), (1,))], "tasks of a WordClass must be a tuple of strings"),  # type: ignore[arg-type]
    ],
)
def test_other_types_are_refused(classes: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Symmetries(classes)


def test_lists_become_tuples() -> None:
    made = Symmetries([WordClass(["a", "b"], ["1"])])  # type: ignore[arg-type]
    assert made == Symmetries((WordClass(("a", "b"), ("1",)),))
    assert hash(made)


def test_swaps_may_share_words() -> None:
    quarter = Swap(("north", "south"), ("east", "west"), ("19",))
    assert Symmetries((), (COMPASS, quarter)).words == {"north", "south", "n", "s", "east", "west"}


def test_answers_of_several_words_are_renamed_by_their_words() -> None:
    names = {"milk": "apple", "apple": "milk", "new york": "rome"}
    assert renamed("milk", names) == "apple"
    assert renamed("milk,football,apple", names) == "apple,football,milk"
    assert renamed("apple; milk and milkshake", names) == "milk; apple and milkshake"
    assert renamed("new york", names) == "rome"
    assert renamed("nothing", names) == "nothing"


def test_the_summary_has_each_class_once() -> None:
    twice = Symmetries((WordClass(("a", "b"), ("1",)), WordClass(("a", "b"), ("2",))), (COMPASS,))
    assert twice.summary() == "a b | north n <> south s"
    assert not Symmetries().summary()
