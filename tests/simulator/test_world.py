"""Worlds of one's own, in Python and in TOML files."""

from pathlib import Path
from typing import Any

import pytest

from memn2n import World, read_world, simulate
from memn2n.errors import DataError, InputError
from memn2n.simulator.phrases import PHRASES
from memn2n.simulator.world import published_world

GERMAN = """\
people = ["Anna", "Ben", "Clara"]
places = ["Küche", "Schule", "Garten"]
moves = ["ging", "lief"]

[pronouns]
Anna = "sie"
Ben = "er"
Clara = "sie"

[phrases]
move = "{person} {verb} hierher: {place}."
where_person = "Wo ist {person}?"
"""


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "world.toml"


def test_a_world_in_another_language(toml: Path) -> None:
    toml.write_text(GERMAN, encoding="utf-8")
    world = read_world(toml)
    assert world.people == ("Anna", "Ben", "Clara")
    assert world.objects == World().objects
    assert world.phrases["get"] == PHRASES["get"]
    example = simulate(1, n_train=1, n_test=0, world=world).train[0]
    assert example.question.startswith("Wo ist ")
    assert example.answer in world.places
    assert {sentence.split()[1] for sentence in example.story} <= {"ging", "lief"}
    pronouns = {sentence.split()[-5] for one in simulate(11, 40, 0, world=world).train for sentence in one.story[1::2]}
    assert pronouns == {"sie", "er"}


def test_sentences_start_with_a_capital_and_names_can_be_small() -> None:
    world = World(phrases={"is_motive": "{motive} is what {person} is.", "where_will": "{person_lower}, where to?"})
    example = simulate(20, n_train=1, n_test=0, world=world).train[0]
    assert example.story[0].split()[0] in ("Bored", "Hungry", "Thirsty", "Tired")
    assert example.question.split(",")[0] in ("Daniel", "John", "Mary", "Sandra")


def test_somebody_without_pronoun_is_they() -> None:
    train = simulate(11, n_train=5, n_test=0, world=World(people=("Kim",), pronouns={})).train
    assert all(" they " in sentence for example in train for sentence in example.story[1::2])


def test_the_published_worlds() -> None:
    assert "school" in published_world(14).places
    assert "Jeff" in published_world(5).people
    assert published_world(1) == World()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"people": ()}, "a world needs one of people at least"),
        ({"moves": ("ran", "Ran")}, '"ran" stands twice among the world\'s moves'),
        (
            {"places": ("den", "ball, room")},
            "'ball, room' of the world's places is no name: it needs a letter or digit, no comma",
        ),
        ({"objects": ("...",)}, "'...' of the world's objects is no name: it needs a letter or digit"),
        ({"places": ("Mary", "den")}, '"mary" stands among the world\'s people and its places: rename one'),
        ({"positions": ("over", "under")}, "a world has 4 of positions, this one has 2"),
        ({"directions": {"up": "u"}}, "a world has 4 of directions, this one has 1"),
        ({"phrases": {"jump": "x"}}, "there is no sentence 'jump' to replace; there is: move, get"),
        ({"phrases": {"move": "{person} went."}}, r"must have \{person\}, \{place\}, \{verb\}"),
        ({"phrases": {"move": "{person went."}}, "the sentence move is '{person went.'"),
        ({"phrases": {"move": "{person!r} {verb} {place}"}}, "must be a name alone"),
        ({"phrases": {"yes": "{person}"}}, "it must have no placeholder"),
        ({"phrases": {"yes": "ja", "no": "ja"}}, "the sentences yes, no, maybe must differ"),
        ({"phrases": {"not_in": "{person} is in the {place}."}}, "the sentences in, not_in, either_in must differ"),
        ({"phrases": {"where_person": "Where is {person}."}}, "it must end in a question mark"),
        ({"phrases": {"in": "{person}: {place}?"}}, "it must not end in a question mark"),
        ({"phrases": {"in": "{person}\n{place}."}}, "it must be one line, and not empty"),
        ({"phrases": {"nothing": "a, b"}}, "'a, b' of the world's nothing is no name"),
        ({"objects": ("nothing", "ball")}, '"nothing" is an object, and what somebody carries who has none'),
        ({"animals": {"cat": "pets", "dog": "pets"}}, '"pets" stands twice among the world\'s animals'),
        ({"animals": {"cat": "ca\tts"}}, "of the world's animals is no name"),
        ({"directions": {"a": "x", "b": "x", "c": "y", "d": "z"}}, '"x" stands twice among the world\'s directions'),
        ({"motives": {"sad": ("den\tx", "ball")}}, "of the world's motives is no name"),
        ({"gets": ("left",)}, '"left" stands among the world\'s gets and its drops: rename one'),
        ({"people": (" Ann", "Bo")}, "no space at its ends"),
        ({"places": ("caf\u00e9", "cafe\u0301")}, "stands twice among the world's places"),
        ({"pronouns": {"Anan": "she"}}, '"Anan" has a pronoun and is not among the world\'s people'),
    ],
)
def test_a_world_that_cannot_be(names: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        World(**names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('places = ["den", "den"]\n', '1: "den" stands twice among the world\'s places'),
        ('\npeopel = ["Ada"]\n', '2: unknown key "peopel"; there is: .*people'),
        ('moves = ["ran"]\nplaces = "den"\n', "2: places must be a list of texts"),
        ('moves = ["ran"]\n[pronouns]\nAda = 1\n', "2: pronouns must be a table of texts"),
        ('motives = { sad = ["den"] }\n', r"1: motives must be a table of \[place, object\]"),
        ('moves = ["ran"]\n[phrases]\nyes = "si"\nmove = "x"\n', "4: the sentence move is 'x'"),
        ("people = [\n", " this is not TOML: "),
        (f"x = {'1' * 5000}\n", " this is not TOML: "),
        (f"x = {'[' * 5000}\n", " this is not TOML: "),
        ('objects = ["..."]\n[phrases]\nno = "nein"\n', "1: '...' of the world's objects is no name"),
        ('people = ["Mia"]\nobjects = ["mia"]\n', '2: "mia" stands among'),
    ],
)
def test_a_bad_world_file_is_one_line(toml: Path, text: str, message: str) -> None:
    toml.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=f"^{toml}:{message}"):
        read_world(toml)


def test_a_world_file_that_is_not_there(toml: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_world(toml)
