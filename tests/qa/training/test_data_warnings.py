"""Warnings of ``StoryQA.fit`` about data that a training cannot use."""

import warnings

import pytest

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig
from memn2n.errors import DataWarning

ONE_EPOCH = TrainingConfig(restarts=1, epochs=1, linear_start="none", validation_split="tail")
SORTED = [Example((f"{answer} {i}.",), "what?", answer) for answer in ("red", "blue", "lime") for i in range(10)]


def fit(examples: list[Example], training: TrainingConfig = ONE_EPOCH, memory_size: int = 3) -> None:
    StoryQA.fit(examples, network=NetworkConfig(dim=2, hops=1, memory_size=memory_size), training=training)


def long(task: str, number: int, of: int) -> list[Example]:
    """Examples of which some have four sentences."""
    return [Example(("a b.",) * (4 if i < number else 3), "c?", "d", task=task) for i in range(of)]


def test_an_answer_that_only_held_out_questions_have_is_named() -> None:
    message = r"only questions that are held out for validation have the answer 'lime': the network does not learn it"
    with pytest.warns(DataWarning, match=message) as caught:
        fit(SORTED, ONE_EPOCH.changed({"validation": 1 / 3}))
    assert caught[0].filename == __file__, "the warning names the program's call of fit"


def test_no_more_than_five_answers_are_named() -> None:
    unique = [Example(("a b.",), "what?", f"x{i}") for i in range(20)]
    with pytest.warns(DataWarning, match=r"the answer 'x10', 'x11', 'x12', 'x13', 'x14' and 5 more"):
        fit(unique, ONE_EPOCH.changed({"validation": 0.5}))


def test_sorted_examples_are_all_learned_by_default() -> None:
    training = TrainingConfig(restarts=1, epochs=40)
    assert StoryQA.fit(SORTED, network=NetworkConfig(hops=1), training=training).evaluate(SORTED).error == 0


@pytest.mark.parametrize("number", [1, 2, 3])
def test_there_is_no_warning_about_a_few_examples(number: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(SORTED[:number], ONE_EPOCH.changed({"validation_split": "auto"}))


def test_stories_that_are_longer_than_the_memory_are_counted() -> None:
    message = r"^7 of 10 stories of task 3, 1 of 20 stories of task x are longer than the memory, "
    with pytest.warns(DataWarning, match=message):
        fit([*long("3", 7, 10), *long("x", 1, 20), *long("y", 0, 5)])
    with pytest.warns(DataWarning, match=r"^7 of 10 stories are longer than the memory"):
        fit(long("", 7, 10))
    with pytest.warns(DataWarning, match=r"^14 of 70 stories are longer than the memory"):
        fit([example for task in "abcdefg" for example in long(task, 2, 10)])
