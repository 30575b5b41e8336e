import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memn2n import Example, simulate
from memn2n.errors import InputError
from memn2n.simulator.world import World


def solve(example: Example) -> tuple[str, int]:
    """The answer and the sentence that it follows from, read off the text alone."""
    question = re.fullmatch(r"Where is (\w+)\?", example.question)
    assert question is not None
    for position in range(len(example.story) - 1, -1, -1):
        move = re.fullmatch(r"(\w+) [a-z ]+ to the (\w+)\.", example.story[position])
        assert move is not None
        if move[1] == question[1]:
            return move[2], position
    raise AssertionError("nothing is known about the person who is asked for")


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_answers_and_supporting_facts_follow_from_the_text(seed: int) -> None:
    train, test = simulate(task=1, n_train=50, n_test=50, seed=seed)
    for example in (*train, *test):
        assert (example.answer, *example.support) == solve(example)
        assert example.task == "1"


def test_sizes_are_as_asked() -> None:
    train, test = simulate(n_train=7, n_test=3)
    assert (len(train), len(test)) == (7, 3)
    assert simulate(n_train=0, n_test=0) == ([], [])


def test_train_and_test_share_no_question() -> None:
    train, test = simulate(n_train=3000, n_test=3000, seed=1)
    pairs = {(example.story, example.question) for example in train}
    assert pairs.isdisjoint((example.story, example.question) for example in test)


def test_the_same_seed_gives_the_same_stories_everywhere() -> None:
    text = repr(simulate(n_train=100, n_test=100, seed=5)).encode()
    assert hashlib.sha256(text).hexdigest() == "751ef01090ede9d7a47460ac0d9f5fb9fde432dffff97b808e1b823d5d556d82"
    assert simulate(seed=5) != simulate(seed=6)


def test_stories_are_as_in_babi() -> None:
    train = simulate(n_train=1000).train
    assert [len(example.story) for example in train[:6]] == [2, 4, 6, 8, 10, 2]
    last: dict[str, str] = {}
    for sentence in train[4].story:
        person, place = sentence.split()[0], sentence.split()[-1]
        assert last.get(person) != place, "nobody goes to where they are"
        last[person] = place


def test_a_world_of_ones_own() -> None:
    world = World(people=("Asterix", "Obelix"), places=("Rom", "Lutetia", "Massilia"), moves=("marched",))
    train = simulate(n_train=20, n_test=0, world=world).train
    words = {word for example in train for sentence in example.story for word in sentence.rstrip(".").split()}
    assert words == {"Asterix", "Obelix", "marched", "to", "the", "Rom", "Lutetia", "Massilia"}


@pytest.mark.parametrize(
    ("names", "message"),
    [({"people": ()}, "1 of people"), ({"places": ("x",)}, "2 of places"), ({"moves": ("a", "a")}, "stands twice")],
)
def test_a_world_that_cannot_be(names: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        World(**names)


def test_what_cannot_be_simulated() -> None:
    with pytest.raises(InputError, match="task 2 is not simulated; there is: 1"):
        simulate(task=2)
    with pytest.raises(InputError, match="n_test is -1"):
        simulate(n_test=-1)
    small = World(people=("A",), places=("x", "y"), moves=("went",))
    with pytest.raises(InputError, match="leave no others to test on"):
        simulate(n_train=100, n_test=5, world=small)
