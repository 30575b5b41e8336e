"""Answers to questions with unseen words, and under renamings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memn2n import Answer, Example, StoryQA, simulate
from memn2n.errors import InputError
from memn2n.qa.asked import Asked
from memn2n.qa.stories import StorySet
from memn2n.qa.symmetries.classes import Symmetries, WordClass, renamed
from memn2n.qa.symmetries.renaming import draw_renamings
from memn2n.qa.symmetries.unseen import UnseenWords
from memn2n.qa.vocabulary import SPECIAL, Vocabulary
from memn2n.simulator.unseen import with_unseen_words
from tests.conftest import QUICK, STORY

CELLAR = ["Aisha moved to the cellar.", "John went to the hallway."]
PLACES = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")


def same(answer: Answer, other: Answer) -> bool:
    return (answer.top, answer.unknown_words, answer.placed) == (other.top, other.unknown_words, other.placed) and (
        np.array_equal(answer.attention, other.attention)
    )


def test_an_unseen_word_is_the_answer(exchanging: StoryQA) -> None:
    answer = exchanging.answer(CELLAR, "Where is Aisha?", top=100)
    assert answer.text == "cellar"
    assert answer.probability > 0.5
    assert (answer.story, answer.question) == (tuple(CELLAR), "Where is Aisha?")
    assert answer.unknown_words == ()
    (aisha, person), (cellar, place) = answer.placed
    assert (aisha, cellar) == ("aisha", "cellar")
    assert person in {"daniel", "mary", "sandra"}
    assert place in {*PLACES} - {"hallway"}
    names = [text for text, _ in answer.top]
    assert place not in names
    assert len({*names}) == len(names) == len(exchanging.vocabulary.words)
    assert answer.to_dict()["placed"] == [["aisha", person], ["cellar", place]]
    assert f"never seen in training, read like a known word: aisha as {person}, cellar as {place}" in answer.remarks


def test_it_is_the_answer_to_the_story_with_the_lent_words(exchanging: StoryQA) -> None:
    answer = exchanging.answer(CELLAR, "Where is Aisha?", top=100)
    names = {"Aisha": dict(answer.placed)["aisha"], "cellar": dict(answer.placed)["cellar"]}
    known = exchanging.answer([renamed(text.rstrip("."), names) for text in CELLAR], f"Where is {names['Aisha']}?",
                              top=100)  # fmt: skip
    back = {known: word for word, known in answer.placed}
    assert answer.top == tuple((renamed(text, back), share) for text, share in known.top)
    assert np.array_equal(answer.attention, known.attention)


def test_known_words_have_the_same_answers_as_without_classes(qa: StoryQA, exchanging: StoryQA) -> None:
    test = simulate(task=1, n_train=0, n_test=100, seed=8).test
    questions = [(example.story, example.question) for example in test]
    for plain, answer in zip(qa.answer_many(questions), exchanging.answer_many(questions), strict=True):
        assert same(plain, answer)


@pytest.mark.parametrize("renamings", [1, 3])
def test_many_answers_with_unseen_words_are_the_same_as_single_ones(exchanging: StoryQA, renamings: int) -> None:
    test = simulate(task=1, n_train=0, n_test=40, seed=8).test
    mixed = [two for pair in zip(test, with_unseen_words(test), strict=True) for two in pair]
    questions = [(example.story, example.question) for example in mixed]
    together = exchanging.answer_many(questions, renamings=renamings)
    for question, answer in zip(questions, together, strict=True):
        alone = exchanging.answer(*question, renamings=renamings)
        assert [text for text, _ in alone.top] == [text for text, _ in answer.top]
        assert [p for _, p in alone.top] == pytest.approx([p for _, p in answer.top], abs=1e-6)
        assert np.allclose(alone.attention, answer.attention, atol=1e-6)
        assert (alone.placed, alone.unknown_words) == (answer.placed, answer.unknown_words)


def test_words_that_cannot_be_placed_are_named(exchanging: StoryQA, qa: StoryQA) -> None:
    answer = exchanging.answer(
        ["Mary teleported to the bathroom.", "Zelda moved to the cellar."], "Where is Zelda, pray?"
    )
    assert answer.unknown_words == ("teleported", "pray")
    assert [word for word, _ in answer.placed] == ["zelda", "cellar"]
    assert answer.text == "cellar"
    assert same(exchanging.answer(["Zelda slept."], "Wherefore?"), qa.answer(["Zelda slept."], "Wherefore?"))


def test_more_unseen_words_than_free_ones(exchanging: StoryQA) -> None:
    story = [f"Mary moved to the place{i}." for i in range(7)]
    answer = exchanging.answer(story, "Where is Mary?")
    assert len(answer.unknown_words) == 1
    assert len(answer.placed) == 6
    assert {*answer.unknown_words, *(word for word, _ in answer.placed)} == {f"place{i}" for i in range(7)}


def test_sentences_that_are_not_read_take_no_words(exchanging: StoryQA) -> None:
    size = exchanging.network.config.memory_size
    read = [*(["Mary moved to the office."] * (size - 2)), *CELLAR]
    dropped = [f"Person{i} slept near the place{i}." for i in range(6)]
    dropped += [f"Person{i} moved to the place{i}." for i in range(6)]
    for renamings in (1, 3):
        answer = exchanging.answer([*dropped, *read], "Where is Aisha?", top=100, renamings=renamings)
        alone = exchanging.answer(read, "Where is Aisha?", top=100, renamings=renamings)
        assert answer.dropped == tuple(range(12))
        assert (answer.top, answer.placed, answer.unknown_words) == (alone.top, alone.placed, alone.unknown_words)
        assert np.array_equal(answer.attention[:, 12:], alone.attention)
        assert not answer.attention[:, :12].any()


def test_the_question_is_placed_if_the_memory_has_too_many_names(exchanging: StoryQA) -> None:
    story = [f"Person{i} moved to the office." for i in range(6)]
    answer = exchanging.answer(story, "Where is Person5?")
    assert "person5" in dict(answer.placed)
    assert len(answer.placed) == 4


def test_unknown_words_that_are_not_read_are_not_listed(qa: StoryQA) -> None:
    story = ["Zelda slept."] * 3 + ["Mary moved to the office."] * qa.network.config.memory_size
    assert qa.answer(story, "Where is Mary?").unknown_words == ()


def test_a_long_sentence_of_unknown_words_is_answered_in_time(exchanging: StoryQA) -> None:
    words = [f"word{i}" for i in range(5000)]
    answer = exchanging.answer([" ".join(words), "Mary moved to the cellar."], "Where is Mary?")
    assert answer.unknown_words == tuple(words)
    assert [word for word, _ in answer.placed] == ["cellar"]


def test_an_evaluation_with_unseen_words(exchanging: StoryQA, qa: StoryQA) -> None:
    test = simulate(task=1, n_train=0, n_test=300, seed=8).test
    unseen = list(with_unseen_words(test))
    assert qa.evaluate(unseen).error == 1
    evaluation = exchanging.evaluate(unseen)
    assert abs(evaluation.error - exchanging.evaluate(test).error) < 0.05
    assert evaluation.unknown_answers == ()
    answers = exchanging.answer_many((example.story, example.question) for example in unseen)
    wrong = sum(answer.text != example.answer for answer, example in zip(answers, unseen, strict=True))
    assert evaluation.tasks[0].wrong == wrong
    assert exchanging.evaluate(unseen, renamings=4).error < 0.2


def test_a_right_answer_that_is_lent_to_another_word_counts_as_wrong(exchanging: StoryQA) -> None:
    lent = dict(exchanging.answer(CELLAR, "Where is Aisha?").placed)["cellar"]
    right = Example(tuple(CELLAR), "Where is Aisha?", "Cellar")
    evaluation = exchanging.evaluate([right, replace(right, answer=lent)])
    assert (evaluation.tasks[0].wrong, evaluation.tasks[0].unanswerable) == (1, 1)
    assert evaluation.unknown_answers == (lent,)


def test_answers_of_several_words_are_named_back_part_by_part() -> None:
    milk = Example(("Mary took the milk.", "Mary took the apple."), "What has Mary?", "milk,apple")
    apple = Example(("Mary took the apple.", "Mary took the milk."), "What has Mary?", "apple,milk")
    symmetries = Symmetries((WordClass(("apple", "football", "milk")),))
    vocabulary = Vocabulary.build(
        (*milk.story, milk.question, "football"), ("milk,apple", "apple,milk", "football,milk")
    )
    unseen = UnseenWords.of([milk, apple], symmetries, vocabulary)
    pens = Example(("Mary took the pen.", "Mary took the milk."), "What has Mary?", "pen,milk")
    asked = Asked([pens], vocabulary, unseen=unseen)
    ((_, lent),) = asked.placed(0)
    assert asked.named_back(0, [f"{lent},milk", "mary"]) == ["pen,milk", "mary"]
    assert vocabulary.word(int(asked.stories.answer[0])) == f"{lent},milk"


def test_values_and_supporting_facts_are_kept() -> None:
    keyed = Example(("key of Mary", "key of John"), "Where is Mary?", "garden", (1,), "t",
                    ("Mary in the garden", "John in the office"))  # fmt: skip
    vocabulary = Vocabulary.build([*keyed.story, *keyed.values, keyed.question, "kitchen Sandra"], [])
    symmetries = Symmetries((WordClass(("mary", "john", "sandra")), WordClass(("garden", "kitchen", "office"))))
    unseen = UnseenWords.of([keyed], symmetries, vocabulary)
    new = replace(keyed, values=("Mary in the cellar", "Aisha in the attic"), answer="cellar")
    asked = Asked([keyed, new, keyed], vocabulary, unseen=unseen)
    names = dict(asked.placed(1))
    assert names.keys() == {"cellar", "aisha", "attic"}
    rewritten = replace(new, values=tuple(renamed(text.lower(), names) for text in new.values), answer=names["cellar"])
    expected = StorySet.encode([keyed, rewritten, keyed], vocabulary)
    assert decoded(asked.stories) == decoded(expected)


def decoded(stories: StorySet) -> list[object]:
    """Each example with its sentences as word ids."""

    def words(sentence: int) -> list[int]:
        return [*map(int, stories.words[slice(*stories.sentence_start[sentence : sentence + 2])])]

    examples: list[object] = []
    for i in range(len(stories)):
        here = slice(*stories.story_start[i : i + 2])
        facts = slice(*stories.support_start[i : i + 2])
        values = stories.story if stories.values is None else stories.values
        examples.append((
            [*map(words, stories.story[here])], [*map(words, values[here])], words(stories.question[i]),
            int(stories.answer[i]), stories.support[facts].tolist(), stories.tasks[stories.task[i]],
        ))  # fmt: skip
    return examples


def test_candidates_are_named_back() -> None:
    train = [replace(example, answer=f"in the {example.answer}")
             for example in simulate(task=1, n_train=60, n_test=0, seed=3).train]  # fmt: skip
    training = replace(QUICK, epochs=1, linear_start_epochs=1)
    qa = StoryQA.fit(train, candidates=[f"in the {place}" for place in PLACES], training=training)
    unseen = UnseenWords.of(train, Symmetries((WordClass(PLACES),)), qa.vocabulary)
    exchanging = StoryQA(qa.networks, qa.vocabulary, qa.candidates, unseen=unseen)
    for renamings in (1, 3):
        answer = exchanging.answer(["Mary moved to the cellar."], "Where is Mary?", top=6, renamings=renamings)
        ((_, lent),) = answer.placed
        assert {text for text, _ in answer.top} == {f"in the {place}" for place in {*PLACES, "cellar"} - {lent}}
        assert sum(share for _, share in answer.top) == pytest.approx(1, abs=1e-5)


def test_renamings_are_averaged(exchanging: StoryQA) -> None:
    assert exchanging.unseen is not None
    test = simulate(task=1, n_train=0, n_test=50, seed=8).test
    questions = [(example.story, example.question) for example in test]
    width = len(exchanging.vocabulary.words)
    once = exchanging.answer_many(questions, top=width, renamings=1)
    assert all(map(same, once, exchanging.answer_many(questions, top=width)))
    words = exchanging.vocabulary.words
    found = exchanging.answer_many(questions, top=width, renamings=3)
    ids = draw_renamings(exchanging.unseen.symmetries, exchanging.vocabulary, 2)
    for i, example in enumerate(test[:10]):
        expected = dict(once[i].top)
        for of_each in ids:
            names = {word: words[new - SPECIAL] for word, new in zip(words, of_each[SPECIAL:], strict=True)}
            story = [" ".join(names[word] for word in text.lower().rstrip(".").split()) for text in example.story]
            question = " ".join(names[word] for word in example.question.lower().rstrip("?").split())
            under = dict(exchanging.answer(story, question, top=width).top)
            expected = {word: share + under[names[word]] for word, share in expected.items()}
        assert {word: 3 * share for word, share in found[i].top} == pytest.approx(expected, abs=1e-5)


def test_renamings_make_the_names_alike(exchanging: StoryQA) -> None:
    questions = [([f"{who} moved to the {where}.", "Mary went to the office."], f"Where is {who}?")
                 for who in ("John", "Daniel") for where in PLACES[:4]]  # fmt: skip

    def spread(renamings: int) -> float:
        return float(np.std([one.probability for one in exchanging.answer_many(questions, renamings=renamings)]))

    assert spread(16) < spread(1)


def test_renamings_of_a_model_without_classes_change_nothing(qa: StoryQA) -> None:
    assert same(qa.answer(STORY, "Where is Mary?", renamings=5), qa.answer(STORY, "Where is Mary?"))


def test_questions_of_different_tasks_are_renamed_by_their_own_symmetries() -> None:
    train = simulate([1, 11], n_train=200, n_test=0, seed=3).train
    qa = StoryQA.fit(train, training=replace(QUICK, epochs=4))
    people = WordClass(("daniel", "john", "mary", "sandra"), ("1",))
    unseen = UnseenWords.of(train, Symmetries((people, WordClass(PLACES))), qa.vocabulary)
    exchanging = StoryQA(qa.networks, qa.vocabulary, unseen=unseen)
    test = simulate([1, 11], n_train=0, n_test=30, seed=5).test
    mixed = [example for pair in zip(test[:30], test[30:], strict=True) for example in pair]
    questions = [(example.story, example.question) for example in mixed]
    for question, answer in zip(questions, exchanging.answer_many(questions, renamings=3), strict=True):
        alone = exchanging.answer(*question, renamings=3)
        assert alone.text == answer.text
        assert alone.probability == pytest.approx(answer.probability, abs=1e-6)
        assert np.allclose(alone.attention, answer.attention, atol=1e-6)
    answers = exchanging.answer_many(questions, renamings=3)
    wrong = [answer.text != example.answer for answer, example in zip(answers, mixed, strict=True)]
    errors = [task.wrong for task in exchanging.evaluate(mixed, renamings=3).tasks]
    assert errors == [sum(wrong[::2]), sum(wrong[1::2])]


def test_the_number_of_renamings_is_checked(exchanging: StoryQA) -> None:
    with pytest.raises(InputError, match="renamings is 0"):
        exchanging.answer(STORY, "Where is Mary?", renamings=0)
    with pytest.raises(InputError, match="renamings"):
        exchanging.evaluate([Example(tuple(STORY), "Where is Mary?", "bathroom")], renamings=-1)


def test_a_saved_model_still_places_unseen_words(exchanging: StoryQA, tmp_path: Path) -> None:
    exchanging.save(tmp_path / "model")
    loaded = StoryQA.load(tmp_path / "model")
    assert loaded.unseen == exchanging.unseen
    assert same(loaded.answer(CELLAR, "Where is Aisha?"), exchanging.answer(CELLAR, "Where is Aisha?"))
