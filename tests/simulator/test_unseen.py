"""Test questions with names that training does not have."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from memn2n import World, read_babi, read_stories, simulate, solve
from memn2n.qa.stories import vocabulary_of
from memn2n.qa.vocabulary import tokenize
from memn2n.simulator import SKILLS
from memn2n.simulator.story_files import write_simulated
from memn2n.simulator.unseen import _invented, unseen_names, with_unseen_words
from memn2n.simulator.world import published_world
from tests.cli.conftest import CLI, cli

__all__ = ["cli"]


@pytest.mark.parametrize("task", list(SKILLS))
def test_each_name_becomes_one_word_that_training_does_not_have(task: int) -> None:
    split = simulate(task, n_train=200, n_test=50, seed=1)
    vocabulary = vocabulary_of(split.train)
    names = unseen_names(str(task))
    assert len({*names.values()}) == len(names)
    assert vocabulary.unknown_of(names.values()) == list(names.values())
    for old, new in zip(split.test, with_unseen_words(split.test), strict=True):
        for before, after in zip((*old.story, old.question), (*new.story, new.question), strict=True):
            assert tokenize(after) == [names.get(word, word) for word in tokenize(before)]
        parts = [names.get(part, part) for part in old.answer.lower().split(",")]
        assert new.answer.lower() == ",".join(parts)
        assert (new.support, new.task) == (old.support, old.task)


@pytest.mark.parametrize("task", range(1, 17))
def test_the_answer_still_follows_from_the_story(task: int) -> None:
    for example in with_unseen_words(simulate(task, n_train=0, n_test=50, seed=1).test):
        assert solve(example.story, example.question) == example.answer


def test_a_name_keeps_its_capital() -> None:
    (new,) = with_unseen_words(simulate(1, n_train=0, n_test=1).test)
    person = new.question.removeprefix("Where is ").removesuffix("?")
    assert person[0].isupper()
    assert new.answer.islower()


def test_names_that_are_not_exchangeable_stay() -> None:
    assert {*unseen_names("20")} == {name.lower() for name in published_world(20).people}
    assert not {"mouse", "mice", "box", "chest"} & {*unseen_names("15"), *unseen_names("18")}
    assert {"lily", "swan", "gray", "green"} <= {*unseen_names("16")}


def test_the_names_of_a_world_of_ones_own() -> None:
    world = World(people=("Anna", "Zabax"), pronouns={}, places=("Küche", "old school", "vagez"))
    test = simulate(1, n_train=0, n_test=20, world=world).test
    names = unseen_names("1", world)
    assert {"anna", "zabax", "küche", "old", "school", "vagez"} <= {*names}
    assert not {*names} & {*names.values()}, "a name of the world is not invented again"
    for example in with_unseen_words(test, world):
        assert not {*names} & {word for text in (*example.story, example.question) for word in tokenize(text)}


def test_the_invented_words_have_no_end() -> None:
    words = [*islice(_invented(), 5000)]
    assert len({*words}) == 5000
    assert words == [*islice(_invented(), 5000)]
    assert all(word.isalpha() and word.islower() and tokenize(word) == [word] for word in words)


def test_files_with_unseen_words(tmp_path: Path) -> None:
    for _ in write_simulated(tmp_path, [8, 16], 30, 20, seed=7, unseen=True):
        pass
    for task in (8, 16):
        split = simulate(task, 30, 20, seed=7)
        assert read_babi(tmp_path, task) == (split.train, [*with_unseen_words(split.test)])


def test_the_command(cli: CLI, tmp_path: Path) -> None:
    assert cli("simulate", "--unseen", "--task", 1, "--train", 5, "--test", 5, "--out", tmp_path).status == 0
    split = simulate(1, 5, 5)
    assert read_babi(tmp_path, 1) == (split.train, [*with_unseen_words(split.test)])


@pytest.mark.parametrize("task", list(SKILLS))
def test_the_published_test_files(real_data: Path, task: int) -> None:
    folder = real_data / "babi" / "en"
    vocabulary = vocabulary_of(read_stories(folder, "train", [task]))
    names = {*unseen_names(str(task))}
    for example in with_unseen_words(read_stories(folder, "test", [task])[:200]):
        assert not names & {word for text in (*example.story, example.question) for word in tokenize(text)}
        assert not names & {*example.answer.split(",")}
    assert not {*unseen_names(str(task)).values()} & {*vocabulary.words}
