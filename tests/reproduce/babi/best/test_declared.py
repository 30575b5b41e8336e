"""The declared symmetries of bAbI's tasks, compared with the real data and with the rules."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from memn2n import Example, InputError, read_stories, solve
from memn2n.qa.symmetries.classes import Swap, Symmetries, WordClass, renamed
from memn2n.qa.symmetries.files import read_symmetries
from memn2n.reproduce.babi.best.columns import DECLARED, declared_symmetries

EVERYTHING = read_symmetries(DECLARED)
WORD = re.compile("[A-Za-z]+")


@cache
def questions(folder: Path, task: str) -> list[Example]:
    return read_stories(folder, "train", int(task))


@pytest.fixture
def folder(real_data: Path) -> Path:
    return real_data / "babi" / "en"


def rename(text: str, names: dict[str, str]) -> str:
    def new(word: re.Match[str]) -> str:
        name = names.get(word[0].lower(), word[0])
        return name.capitalize() if word[0][0].isupper() else name

    return WORD.sub(new, text)


def renamings(part: WordClass | Swap) -> list[dict[str, str]]:
    """Renamings of which all others are made up: each exchanges two words, or the two sides of a swap."""
    sides: list[tuple[tuple[str, ...], tuple[str, ...]]]
    if isinstance(part, WordClass):
        sides = [((one,), (other,)) for one, other in pairwise(part.words)]
    else:
        sides = [(part.first, part.second)]
    return [dict(zip((*a, *b), (*b, *a), strict=True)) for a, b in sides]


@pytest.mark.parametrize("part", EVERYTHING.parts, ids=lambda part: f"{part.words[0]}-{part.tasks[0]}")
def test_renamed_stories_have_the_renamed_answer(part: WordClass | Swap, folder: Path) -> None:
    for task in part.tasks:
        asked = 0
        for names in renamings(part):
            for one in questions(folder, task)[::40]:
                story = [rename(sentence, names) for sentence in one.story]
                try:
                    found = solve(story, rename(one.question, names))
                except InputError:
                    continue  # such as "journeyed back", which the rules do not read
                assert found is not None
                assert found.lower() == renamed(one.answer.lower(), names), (task, names, one)
                asked += 1
        assert asked >= 20, f"task {task}: the rules read too few stories"


def test_no_word_of_a_task_was_forgotten(folder: Path) -> None:
    """Every answer of a task is exchangeable, except for numbers, yes and no, and the like."""
    fixed = {"yes", "no", "maybe", "none", "one", "two", "three", "nothing"}
    fixed |= {"sheep"}  # of task 15, without another word for the plural
    fixed |= {"kitchen"}  # of task 20, where one goes for two motives
    for task in range(1, 21):
        examples = questions(folder, str(task))
        words = declared_symmetries(examples).words
        answers = {word for one in examples for word in re.split("[ ,]", one.answer.lower())}
        assert answers - fixed <= words, task


def test_declared_symmetries_are_those_of_the_tasks_of_the_data(folder: Path) -> None:
    jointly = declared_symmetries([one for task in range(1, 21) for one in questions(folder, str(task))])
    assert jointly == EVERYTHING
    assert {task for part in EVERYTHING.parts for task in part.tasks} == {str(task) for task in range(1, 21)}
    two = declared_symmetries([*questions(folder, "4"), *questions(folder, "11")])
    assert {task for part in two.parts for task in part.tasks} == {"4", "11"}
    assert two.of_task("4") == EVERYTHING.of_task("4")
    assert declared_symmetries([Example(("a",), "b?", "c", task="21")]) == Symmetries()


def test_data_in_other_words_is_refused() -> None:
    hindi = [Example(("Mariyam daftar gayi.",), "Mariyam kahan hai?", "daftar", task="1")]
    with pytest.raises(InputError, match="need the words of bAbI's English files, and 'mary' is not in"):
        declared_symmetries(hindi)
