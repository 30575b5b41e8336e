"""Small stories for each kind of reasoning, with names that occur nowhere in the rules."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memn2n.errors import InputError
from memn2n.rules import parse_question, parse_sentence, solve
from memn2n.rules.parsing import singular
from memn2n.rules.questions import IsRelated, WhatIs
from memn2n.rules.statements import Described, Gave, Moved, Related

CARRIED = """
    Ada went to the cellar. Kofi moved to the attic. Ada picked up the lantern there. Ada journeyed to the porch.
    Ada put down the lantern. Ada went back to the cellar. Kofi travelled to the porch. Kofi grabbed the lantern.
    Kofi went to the attic.
"""
GIVEN = """
    Ada moved to the cellar. Ada took the rope there. Kofi went to the cellar. Ada handed the rope to Kofi. Kofi
    travelled to the attic. Ada went back to the porch.
"""
HANDS = """
    Ada got the rope there. Ada took the lamp. Ada took the key there. Ada discarded the rope there. Ada passed
    the lamp to Kofi. Ada grabbed the rope.
"""
PAIRS = """
    Ada moved to the porch. Afterwards she journeyed to the attic. Kofi and Inge went to the cellar. Following
    that they travelled to the porch. Then he went back to the shed.
"""
DAYS = """
    This evening Ada went to the shed. Ada went to the attic yesterday. Ada travelled to the porch this morning.
    This afternoon Ada journeyed to the attic. Kofi moved to the shed this morning. This afternoon Kofi went to
    the porch.
"""
DOUBTS = """
    Ada is either in the attic or the porch. Kofi is no longer in the shed. Inge went to the shed. Olu is in the
    attic. Inge is not in the shed. Uma is either in the attic or the porch. Uma went to the cellar.
"""
GIFTS = """
    Ada gave the lamp to Kofi. Kofi passed the lamp to Ada. Ada handed the rope to Kofi. Inge gave the key to Ada.
"""
ANIMALS = """
    Geese are afraid of foxes. Foxes are afraid of calves. Calves are afraid of mice. Ponies are afraid of deer.
    Rex is a goose. Pip is a fox. Tom is a calf. Zoe is a pony. Ivo is a newt.
"""
COLOURS = """
    Rex is a newt. Rex is purple. Pip is a heron. Pip is black. Tom is a heron. Zoe is a newt. Zoe is orange. Ivo
    is a newt. Kai is a heron. Tom is brown. Uwe is a crab.
"""
SHAPES = """
    The red disc is to the left of the star. The star is above the green disc. The cone is below the green disc.
    The ring is to the left of the star.
"""
SIZES = """
    The crate is bigger than the tin of tea. The purse fits inside the tin of tea. The van is bigger than the
    crate. The drum fits inside the van.
"""
HOUSE = """
    The attic is north of the porch. The shed is east of the porch. The cellar is south of the shed. The well is
    west of the cellar. The barn is north of the moon.
"""
NEEDS = """
    Ada is thirsty. Ada went back to the kitchen. Ada got the cup there. Ada is bored. Kofi is tired. Kofi moved
    to the bedroom. Kofi took the quilt there. Inge is hungry. Olu went to the garden. Ada moved to the garden.
"""

CASES = [
    # where people and things are, and were
    (CARRIED, "Where is Ada?", "cellar"),
    (CARRIED, "Where is the lantern?", "attic"),
    (CARRIED, "Where was the lantern before the attic?", "porch"),
    (CARRIED, "Where was the lantern before the porch?", "cellar"),
    (CARRIED, "Where was the lantern before the cellar?", None),
    (CARRIED, "Where was Ada before the porch?", "cellar"),
    (CARRIED, "Where is the kite?", None),
    (CARRIED, "Where is Zoe?", None),
    (CARRIED, "Is Kofi in the attic?", "yes"),
    (CARRIED, "Is Kofi in the porch?", "no"),
    (CARRIED, "Is Zoe in the porch?", None),
    ("Ada took the rope there. Kofi went to the attic.", "Where is the rope?", None),
    ("Ada took the rope there. Ada went to the attic. Ada left the rope.", "Where is the rope?", "attic"),
    ("Ada is in the attic. Ada dropped the rope there. Ada went to the shed.", "Where is the rope?", "attic"),
    ("Ada took the rope. Ada moved to the shed. Ada is not in the shed.", "Where is the rope?", None),
    (GIVEN, "Where is the rope?", "attic"),
    (GIVEN, "Where was the rope before the attic?", "cellar"),
    # a visit counts once, even if it is stated twice; the question means the last visit
    ("Ada went to the shed. Ada is in the shed. Ada moved to the attic.", "Where was Ada before the attic?", "shed"),
    ("Ada went to the shed. Ada is in the shed.", "Where was Ada before the shed?", None),
    ("Ada went to the well. Ada went to the shed. Ada went to the porch. Ada went to the shed.",
     "Where was Ada before the shed?", "porch"),
    # giving
    (GIFTS, "What did Ada give to Kofi?", "rope"),
    (GIFTS, "What did Kofi give to Inge?", None),
    (GIFTS, "Who gave the lamp to Kofi?", "Ada"),
    (GIFTS, "Who gave the lamp?", "Kofi"),
    (GIFTS, "Who received the lamp?", "Ada"),
    (GIFTS, "Who did Inge give the key to?", "Ada"),
    (GIFTS, "Who did Ada give the key to?", None),
    # counting, and lists in the order in which objects were first taken
    (HANDS, "How many objects is Ada carrying?", "two"),
    (HANDS, "What is Ada carrying?", "rope,key"),
    (HANDS, "What is Kofi carrying?", "lamp"),
    (HANDS, "How many objects is Kofi carrying?", "one"),
    (HANDS, "What is Inge carrying?", None),
    (GIVEN, "What is Ada carrying?", "nothing"),
    (GIVEN, "How many objects is Ada carrying?", "none"),
    # pronouns
    (PAIRS, "Where is Ada?", "shed"),
    (PAIRS, "Where is Kofi?", "porch"),
    (PAIRS, "Where is Inge?", "porch"),
    ("He went to the shed. Ada took the rope. Then she moved to the well.", "Where is the rope?", "well"),
    ("They went to the shed. Ada took the rope.", "Where is Ada?", None),
    ("Ada went to the shed. Afterwards they went to the porch.", "Where is Ada?", "porch"),
    # times of day, stated in any order
    (DAYS, "Where was Ada before the shed?", "attic"),
    (DAYS, "Where was Ada before the porch?", "attic"),
    (DAYS, "Where was Ada before the attic?", "porch"),
    (DAYS, "Where is Ada?", "shed"),
    (DAYS, "Where was Kofi before the shed?", None),
    # uncertainty and negation
    (DOUBTS, "Is Ada in the porch?", "maybe"),
    (DOUBTS, "Is Ada in the shed?", "no"),
    (DOUBTS, "Where is Ada?", None),
    (DOUBTS, "Is Kofi in the shed?", "no"),
    (DOUBTS, "Is Kofi in the attic?", None),
    (DOUBTS, "Is Inge in the shed?", "no"),
    (DOUBTS, "Is Olu in the attic?", "yes"),
    (DOUBTS, "Is Uma in the attic?", "no"),
    (DOUBTS, "Is Uma in the cellar?", "yes"),
    # kinds
    (ANIMALS, "What is rex afraid of?", "fox"),
    (ANIMALS, "What is Pip afraid of?", "calf"),
    (ANIMALS, "What is tom afraid of?", "mouse"),
    (ANIMALS, "What is zoe afraid of?", "deer"),
    (ANIMALS, "What is ivo afraid of?", None),
    (ANIMALS, "What is kai afraid of?", None),
    (COLOURS, "What color is Ivo?", "orange"),
    (COLOURS, "What color is Kai?", "brown"),  # the heron named last, though Pip's colour came first
    (COLOURS, "What colour is Rex?", "purple"),
    (COLOURS, "What color is Uwe?", None),
    (COLOURS, "What color is Olu?", None),
    ("Ivo is a newt. Ada is a newt. Ada is pink. Ivo is red. Kai is a newt.", "What color is Kai?", "pink"),
    # left, right, above, below
    (SHAPES, "Is the star to the right of the red disc?", "yes"),
    (SHAPES, "Is the red disc to the left of the green disc?", "yes"),
    (SHAPES, "Is the cone to the right of the red disc?", "yes"),
    (SHAPES, "Is the red disc above the cone?", "yes"),
    (SHAPES, "Is the cone above the red disc?", "no"),
    (SHAPES, "Is the cone to the left of the star?", "no"),
    (SHAPES, "Is the red disc to the left of the ring?", None),
    (SHAPES, "Is the red disc above the moon?", None),
    # size
    (SIZES, "Is the van bigger than the purse?", "yes"),
    (SIZES, "Does the purse fit in the crate?", "yes"),
    (SIZES, "Does the van fit in the tin of tea?", "no"),
    (SIZES, "Is the purse bigger than the van?", "no"),
    (SIZES, "Is the drum bigger than the crate?", None),
    (SIZES, "Does the drum fit in the moon?", None),
    # directions
    (HOUSE, "What is north of the porch?", "attic"),
    (HOUSE, "What is the porch south of?", "attic"),
    (HOUSE, "What is the porch north of?", None),
    (HOUSE, "How do you go from the attic to the shed?", "s,e"),
    (HOUSE, "How do you go from the well to the attic?", "e,n,w,n"),
    (HOUSE, "How do you go from the attic to the barn?", None),
    (HOUSE, "How do you go from the attic to the sea?", None),
    ("The well is west of the shed. The barn is west of the shed.", "What is west of the shed?", None),
    # motives
    (NEEDS, "Why did ada go to the kitchen?", "thirsty"),
    (NEEDS, "Why did ada get the cup?", "thirsty"),
    (NEEDS, "Why did ada go to the garden?", "bored"),
    (NEEDS, "Why did ada go to the bedroom?", None),
    (NEEDS, "Why did kofi get the quilt?", "tired"),
    (NEEDS, "Why did kofi get the cup?", None),
    (NEEDS, "Why did olu go to the garden?", None),
    (NEEDS, "Where will inge go?", "kitchen"),
    (NEEDS, "Where will ada go?", "garden"),
    (NEEDS, "Where will olu go?", None),
    ("Ada is green.", "Where will ada go?", None),
    # statements that contradict each other determine no answer
    ("The star is below the cone. The cone is below the star.", "Is the star below the cone?", None),
    ("The star is below the cone. The cone is below the star.", "Is the cone below the star?", None),
    ("The star is below the cone. The star is to the left of the cone.", "Is the star below the cone?", None),
    ("The star is above the cone. The cone is above the disc. The disc is above the star.",
     "Is the star above the disc?", None),
    ("The van is bigger than the drum. The van fits inside the drum.", "Is the van bigger than the drum?", None),
    ("The van is bigger than the drum. The van fits inside the drum.", "Does the drum fit in the van?", None),
    ("The well is west of the shed. The shed is west of the well.", "What is west of the shed?", None),
    ("The well is west of the shed. The well is north of the shed.", "What is west of the shed?", None),
    ("The well is west of the shed. The shed is west of the well.", "How do you go from the well to the shed?", None),
    ("The well is north of the shed. The shed is north of the well.", "How do you go from the well to the shed?", None),
    ("Rex is a goose. Rex is a fox. Geese are afraid of mice.", "What is Rex afraid of?", None),
    ("Rex is a goose. Geese are afraid of mice. Geese are afraid of foxes.", "What is Rex afraid of?", None),
    ("Rex is purple. Rex is green.", "What color is Rex?", None),
    ("Rex is a goose. Rex is a fox. Pip is a fox. Pip is black.", "What color is Rex?", None),
    ("Rex is purple. Rex is purple. Rex is thirsty.", "What color is Rex?", "purple"),
]  # fmt: skip


WORDS = ["Ada", "the", "attic", "went", "to", "is", "in", "of", "left", "bigger", "than", "and", "either", "Then", ","]


def sentences(story: str) -> list[str]:
    return [f"{' '.join(sentence.split())}." for sentence in story.split(".") if sentence.strip()]


@pytest.mark.parametrize(("story", "question", "answer"), CASES)
def test_answer(story: str, question: str, answer: str | None) -> None:
    assert solve(sentences(story), question) == answer


def test_later_sentences_do_not_change_earlier_answers() -> None:
    story = sentences(CARRIED)
    answers = [solve(story[:length], "Where is the lantern?") for length in range(1, len(story) + 1)]
    assert answers == [None, None, "cellar", "porch", "porch", "porch", "porch", "porch", "attic"]


@pytest.mark.parametrize(
    ("sentence", "statement"),
    [
        ("Then they went back to the attic.", Moved(("They",), "attic")),
        ("Ada moved to the attic yesterday.", Moved(("Ada",), "attic", "yesterday")),
        ("This Morning Ada and Kofi moved to the  attic", Moved(("Ada", "Kofi"), "attic", "this morning")),
        ("Ada passed the box of tea to Kofi.", Gave(("Ada",), "box of tea", "Kofi")),
        ("The red disc is to the left of the blue disc.", Related("red disc", "left", "blue disc")),
        ("The box fits inside the box of tea.", Related("box", "smaller", "box of tea")),
        ("Ada is hungry.", Described(("Ada",), "hungry")),
    ],
)
def test_parse_sentence(sentence: str, statement: object) -> None:
    assert parse_sentence(sentence) == statement


def test_parse_question() -> None:
    assert parse_question("What is north of the attic?") == WhatIs("north", "attic")
    assert parse_question("What is the attic north of?") == WhatIs("south", "attic")
    assert parse_question("Does the box of tea fit in the box?") == IsRelated("box of tea", "smaller", "box")


@pytest.mark.parametrize(
    "sentence", ["Ada ate the apple.", "Ada went to attic.", "Where is Ada?", "The attic is near the shed.", "", "\n\n"]
)
def test_sentence_that_matches_no_pattern(sentence: str) -> None:
    with pytest.raises(InputError, match=r"sentence .* is not in the English of the bAbI tasks") as caught:
        parse_sentence(sentence)
    assert repr(sentence) in str(caught.value)
    assert "\n" not in str(caught.value)
    blank = "sentence 1 of the story, counted from 0, is blank: leave it out"
    with pytest.raises(InputError, match="is not in the English of the bAbI tasks" if sentence.strip() else blank):
        solve(["Ada went to the attic.", sentence], "Where is Ada?")


def test_a_story_may_be_a_generator() -> None:
    assert solve((sentence for sentence in ["Ada went to the attic."]), "Where is Ada?") == "attic"
    with pytest.raises(InputError, match="a story is a list of sentences"):
        solve("Ada went to the attic.", "Where is Ada?")


@pytest.mark.parametrize("question", ["When did Ada go?", "Ada went to the attic.", "Is the attic near the shed?"])
def test_question_that_matches_no_pattern(question: str) -> None:
    with pytest.raises(InputError, match=r"question .* is not in the English of the bAbI tasks"):
        solve(["Ada went to the attic."], question)


def test_invalid_stories_are_rejected() -> None:
    with pytest.raises(InputError, match="no story"):
        solve([], "Where is Ada?")
    with pytest.raises(InputError, match="list of sentences"):
        solve("Ada went to the attic.", "Where is Ada?")


@given(st.lists(st.sampled_from(WORDS)))
def test_any_text_is_parsed_or_rejected(words: list[str]) -> None:
    for parse in (parse_sentence, parse_question):
        with suppress(InputError):
            parse(" ".join(words))


@pytest.mark.parametrize(
    ("plural", "single"),
    [("wolves", "wolf"), ("mice", "mouse"), ("sheep", "sheep"), ("cats", "cat"), ("geese", "goose"), ("ponies", "pony"),
     ("foxes", "fox"), ("doves", "dove"), ("horses", "horse")],
)  # fmt: skip
def test_singular(plural: str, single: str) -> None:
    assert singular(plural) == single


def test_typographic_and_invisible_characters_have_no_effect() -> None:
    story = ["Mary  moved to the kit\u00adchen.", "\ufeffJohn moved to the oﬃce."]
    assert solve(story, "Where is Mary?\u200e") == "kitchen"
    assert solve(story, "“Where is John?”") == "office"
