"""Words that are always next to each other, and are one name."""

import pytest

from memn2n import simulate
from memn2n.qa import engine
from memn2n.qa.symmetries.finder import find_symmetries
from memn2n.qa.symmetries.units import columns_of, find_units

COLORS = {"blue", "pink", "red", "yellow"}
SHAPES = {"rectangle", "sphere", "square", "triangle"}


def counts(*sentences: str) -> dict[tuple[str, ...], int]:
    return {tuple(sentence.split()): 1 for sentence in sentences}


def joined(*sentences: str, known: str) -> list[tuple[str, ...]]:
    return list(find_units(counts(*sentences), known.split()).joined.values())


def test_a_word_and_the_only_one_before_or_after_it_are_a_unit() -> None:
    names = ("pink rectangle", "red square", "red sphere", "blue square", "triangle")
    facts = [f"the {name} is {where} it" for name in names for where in ("above", "below", "near", "behind")]
    found = joined(*facts, known="pink red blue rectangle square sphere triangle")
    assert {sentence[1] for sentence in found} == set(names)


def test_a_word_that_more_words_always_stand_next_to_is_in_no_unit() -> None:
    found = joined("the milk is here", "the apple is there", "the box is here", "the ball is there",
                   known="the milk apple box ball")  # fmt: skip
    assert all(sentence[0] == "the" for sentence in found)


def test_only_the_given_words_are_joined() -> None:
    assert joined("pink rectangle", known="rectangle") == [("pink", "rectangle")]
    assert joined(known="a") == []


def test_a_word_is_compared_where_it_is_alone() -> None:
    facts = [f"the {what} is {how}" for what in ("box", "chest") for how in ("big", "old", "here")]
    facts += [f"the box of chocolates is {how}" for how in ("small", "new", "here")]
    units = find_units(counts(*facts), ["box", "chest", "of", "chocolates"])
    assert units.all >= {"box", "chest", "box of chocolates"}
    assert units.similar_words["box", "chest"] == pytest.approx(1)


def test_a_word_that_is_like_its_longer_unit_is_left_out() -> None:
    people = ("mary", "john", "bill", "ann")
    facts = [f"{who} {went} to the garden" for who in people for went in ("went", "went back", "moved")]
    units = find_units(counts(*facts), ["mary", "john", "bill", "ann", "went", "back", "moved"])
    assert units.similar["moved", "went"] == pytest.approx(1)
    assert "went" not in {word for pair in units.similar_words for word in pair}


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["picked up", "put down", "got", "took"], []),
        (["after that", "following that"], [("after", "following")]),
        (["after that", "following that", "then"], [("after", "following")]),
        (["red box", "blue box", "red chest", "ball"], [("ball", "box", "chest"), ("blue", "red")]),
        (["red box", "box red"], []),
        (["a b c", "a d"], []),
        (["kitchen", "garden"], []),
        ([], []),
    ],
)
def test_columns_are_the_words_at_one_place_of_names(names: list[str], columns: list[tuple[str, ...]]) -> None:
    assert columns_of(names) == columns


@pytest.mark.skipif(bool(engine.unavailable()), reason=f"no engine: {engine.unavailable()}")
@pytest.mark.parametrize("seed", [2, 3])
def test_the_words_of_names_that_can_be_exchanged_are_found(seed: int) -> None:
    found = find_symmetries(simulate(17, 500, n_test=0, seed=seed).train)
    classes = [set(one.words) for one in found.symmetries.classes]
    assert COLORS in classes
    assert SHAPES in classes
    assert all(words in (COLORS, SHAPES, {"above", "below"}, {"left", "right"}) for words in classes)
    assert not found.symmetries.swaps
