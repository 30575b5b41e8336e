"""Custom worlds, in Python and in TOML files."""

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


def test_sentences_start_with_a_capital_and_names_can_be_in_lower_case() -> None:
    world = World(phrases={"is_motive": "{motive} is what {person} is.", "where_will": "{person_lower}, where to?"})
    example = simulate(20, n_train=1, n_test=0, world=world).train[0]
    assert example.story[0].split()[0] in ("Bored", "Hungry", "Thirsty", "Tired")
    assert example.question.split(",")[0] in ("Daniel", "John", "Mary", "Sandra")


def test_a_person_without_a_pronoun_is_they() -> None:
    train = simulate(11, n_train=5, n_test=0, world=World(people=("Kim",), pronouns={})).train
    assert all(" they " in sentence for example in train for sentence in example.story[1::2])


def test_the_published_worlds() -> None:
    assert "school" in published_world(14).places
    assert "Jeff" in published_world(5).people
    assert published_world(1) == World()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"people": ()}, "people is empty: it must have at least one name"),
        ({"moves": ("ran", "Ran")}, '"ran" occurs twice in moves'),
        (
            {"places": ("den", "ball, room")},
            "places: 'ball, room' is not a valid name: it must have a letter or digit, no comma",
        ),
        ({"objects": ("...",)}, "objects: '...' is not a valid name: it must have a letter or digit"),
        ({"places": ("Mary", "den")}, '"mary" is in both people and places: rename one'),
        ({"positions": ("over", "under")}, "positions must have 4 names; it has 2"),
        ({"directions": {"up": "u"}}, "directions must have 4 names; it has 1"),
        ({"phrases": {"jump": "x"}}, "unknown phrase 'jump'; there are: move, get"),
        ({"phrases": {"move": "{person} went."}}, r"must have \{person\}, \{place\}, \{verb\}"),
        ({"phrases": {"move": "{person went."}}, "the phrase move is '{person went.'"),
        ({"phrases": {"move": "{person!r} {verb} {place}"}}, "must be a name without format or conversion"),
        ({"phrases": {"yes": "{person}"}}, "it must have no placeholders"),
        ({"phrases": {"yes": "ja", "no": "ja"}}, "the phrases yes, no, maybe must differ"),
        ({"phrases": {"not_in": "{person} is in the {place}."}}, "the phrases in, not_in, either_in must differ"),
        ({"phrases": {"where_person": "Where is {person}."}}, "it must end in a question mark"),
        ({"phrases": {"in": "{person}: {place}?"}}, "it must not end in a question mark"),
        ({"phrases": {"in": "{person}\n{place}."}}, "it must be one line, and not empty"),
        ({"phrases": {"nothing": "a, b"}}, "nothing: 'a, b' is not a valid name"),
        ({"objects": ("nothing", "ball")}, '"nothing" is both an object and the answer for no objects: rename one'),
        ({"animals": {"cat": "pets", "dog": "pets"}}, '"pets" occurs twice in animals'),
        ({"animals": {"cat": "ca\tts"}}, "animals: 'ca.*ts' is not a valid name"),
        ({"directions": {"a": "x", "b": "x", "c": "y", "d": "z"}}, '"x" occurs twice in directions'),
        ({"motives": {"sad": ("den\tx", "ball")}}, "motives: .* is not a valid name"),
        ({"gets": ("left",)}, '"left" is in both gets and drops: rename one'),
        ({"people": (" Ann", "Bo")}, "no space at its ends"),
        ({"places": ("caf\u00e9", "cafe\u0301")}, "occurs twice in places"),
        ({"pronouns": {"Anan": "she"}}, '"Anan" has a pronoun, but is not in people'),
    ],
)
def test_invalid_world(names: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        World(**names)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('places = ["den", "den"]\n', '1: "den" occurs twice in places'),
        ('\npeopel = ["Ada"]\n', '2: unknown key "peopel"; there are: .*people'),
        ('moves = ["ran"]\nplaces = "den"\n', "2: places must be a list of strings"),
        ('moves = ["ran"]\n[pronouns]\nAda = 1\n', "2: pronouns must be a table of strings"),
        ('motives = { sad = ["den"] }\n', r"1: motives must be a table of motive = \[place, object\]"),
        ('moves = ["ran"]\n[phrases]\nyes = "si"\nmove = "x"\n', "4: the phrase move is 'x'"),
        ("people = [\n", " this is not a valid TOML file: "),
        (f"x = {'1' * 5000}\n", " this is not a valid TOML file: "),
        (f"x = {'[' * 5000}\n", " this is not a valid TOML file: "),
        ('objects = ["..."]\n[phrases]\nno = "nein"\n', "1: objects: '...' is not a valid name"),
        ('people = ["Mia"]\nobjects = ["mia"]\n', '2: "mia" is in both people and objects'),
    ],
)
def test_invalid_world_file_gives_one_line(toml: Path, text: str, message: str) -> None:
    toml.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=f"^{toml}:{message}"):
        read_world(toml)


def test_missing_world_file(toml: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_world(toml)
