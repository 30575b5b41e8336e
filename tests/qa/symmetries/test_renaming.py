"""Random renamings of exchangeable words, and training under them."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig
from memn2n.errors import ConfigError, DataWarning
from memn2n.qa import engine
from memn2n.qa.candidates import Candidates
from memn2n.qa.stories import StorySet, vocabulary_of
from memn2n.qa.symmetries import renaming
from memn2n.qa.symmetries.classes import Swap, Symmetries, WordClass, renamed
from memn2n.qa.symmetries.finder import Found
from memn2n.qa.symmetries.renaming import Renamings, draw_renamings, renamed_answers
from memn2n.qa.vocabulary import SPECIAL, Vocabulary

NATIVE = pytest.param(
    "native",
    marks=pytest.mark.skipif(bool(engine.unavailable()), reason=f"no engine: {engine.unavailable()}"),
)

PERSONS = WordClass(("john", "mary", "sandra"))
OBJECTS = WordClass(("apple", "milk"), ("8",))
COMPASS = (Swap(("north", "n"), ("south", "s"), ("19",)), Swap(("east", "e"), ("west", "w"), ("19",)))
SYMMETRIES = Symmetries((PERSONS, OBJECTS), COMPASS)
EXAMPLES = [
    Example(("mary took the apple", "john took the milk", "sandra slept"), "what is mary carrying?", "apple", task="8"),
    Example(("mary took the apple", "mary took the milk"), "what is mary carrying?", "apple,milk", task="8"),
    Example(("north of it", "east of it", "west of south"), "how to mary?", "n,e", task="19"),
]


def renamings(examples: list[Example] = EXAMPLES, symmetries: Symmetries = SYMMETRIES) -> tuple[Renamings, Vocabulary]:
    vocabulary = vocabulary_of(examples, more_answers=renamed_answers(examples, symmetries, True))
    return Renamings(symmetries, vocabulary, StorySet.encode(examples, vocabulary)), vocabulary


def names(vocabulary: Vocabulary, ids: Any) -> dict[str, str]:
    return {vocabulary.word(i): vocabulary.word(int(ids[i])) for i in range(SPECIAL, len(vocabulary))}


def test_renaming_makes_answers_that_no_example_has() -> None:
    assert renamed_answers(EXAMPLES, SYMMETRIES, True) == {"milk,apple", "milk", "s,e", "n,w", "s,w"}
    assert not renamed_answers(EXAMPLES, Symmetries(), True)


def test_examples_of_a_task_are_renamed_alike() -> None:
    made, vocabulary = renamings()
    assert made.group.tolist() == [0, 0, 1]
    ids = made.draw(50, np.random.default_rng(0))
    assert ids.shape == (50, 2, len(vocabulary))
    assert (np.sort(ids, axis=2) == np.arange(len(vocabulary))).all(), "each one is a permutation"
    assert (ids[:, :, :SPECIAL] == np.arange(SPECIAL)).all()
    of_8, of_19 = ([names(vocabulary, row) for row in ids[:, group]] for group in (0, 1))
    for name in of_8:
        assert name["apple,milk"] == f"{name['apple']},{name['milk']}"
        assert {name[word] for word in PERSONS.words} == set(PERSONS.words)
        assert name["north"] == "north"
        assert name["took"] == "took"
    for name in of_19:
        short = {"north": "n", "south": "s", "east": "e", "west": "w"}
        assert name["n,e"] == f"{short[name['north']]},{short[name['east']]}"
        assert name["apple"] == "apple"


def test_answers_of_other_tasks_are_not_renamed() -> None:
    """The objects of task 20 belong to motives; those of task 8 do not have all of them."""
    swap = Swap(("apple", "hungry"), ("bread", "sad"), ("20",))
    hungry = Example(("mary is hungry", "john is sad"), "what for?", "apple", task="20")
    more = [*EXAMPLES, hungry, Example(hungry.story, "and john?", "bread", task="20")]
    made, vocabulary = renamings(more, Symmetries(SYMMETRIES.classes, (*COMPASS, swap)))
    assert "bread,milk" not in vocabulary.words
    for row in made.draw(20, np.random.default_rng(0))[:, -1]:
        assert names(vocabulary, row)["apple,milk"] == "apple,milk"


def test_all_permutations_are_as_frequent() -> None:
    made, vocabulary = renamings()
    ids = made.draw(6000, np.random.default_rng(0))
    persons = Counter(tuple(row[vocabulary.answer_id(word)] for word in PERSONS.words) for row in ids[:, 0])
    assert len(persons) == 6
    assert all(800 < number < 1200 for number in persons.values())
    compass = Counter(row[vocabulary.answer_id("n,e")] for row in ids[:, 1])
    assert len(compass) == 4
    assert all(1300 < number < 1700 for number in compass.values())


def test_swaps_that_share_words_generate_their_group() -> None:
    """The mirrors of the square and its diagonal: eight symmetries."""
    around = (*COMPASS, Swap(("north", "south", "n", "s"), ("east", "west", "e", "w"), ("19",)))
    made, vocabulary = renamings(symmetries=Symmetries((), around))
    words = [vocabulary.answer_id(word) for word in ("north", "south", "east", "west")]
    found = Counter(tuple(row[words]) for row in made.draw(8000, np.random.default_rng(0))[:, -1])
    assert len(found) == 8
    assert all(800 < number < 1200 for number in found.values())


def test_the_same_seed_draws_the_same() -> None:
    made, _ = renamings()
    first, second = (made.draw(5, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_vocabulary_without_an_answer_is_refused() -> None:
    vocabulary = vocabulary_of(EXAMPLES)
    with pytest.raises(ConfigError, match=r"the vocabulary lacks '[a-z],?.*', which the symmetries make"):
        Renamings(SYMMETRIES, vocabulary, StorySet.encode(EXAMPLES, vocabulary))


def test_candidates_need_the_same_symmetries_in_all_tasks() -> None:
    candidates = Candidates(("to the apple", "to the milk"), True)
    stories = StorySet.encode(EXAMPLES, vocabulary_of(EXAMPLES), candidates)
    with pytest.raises(ConfigError, match="with candidates, all tasks must have the same"):
        Renamings(SYMMETRIES, vocabulary_of(EXAMPLES), stories)


def test_too_many_new_answers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renaming, "MOST_NEW_ANSWERS", 5)
    with pytest.raises(ConfigError, match="make more than 5 answers of"):
        renamed_answers([Example(("a",), "b?", "a,b")], Symmetries((WordClass(("a", "b", "c", "d")),)), True)


def things(number: int, answers: list[str]) -> tuple[Symmetries, Vocabulary]:
    words = tuple(f"thing{i:02}" for i in range(number))
    return Symmetries((WordClass(words),)), Vocabulary.build(words, answers)


def test_answers_are_renamed_part_by_part() -> None:
    """The table of codes gives the same as renaming the words of each answer."""
    more = [f"n,{a},e" for a in ("apple", "milk")] + [f"{a} and {b}" for a in PERSONS.words for b in PERSONS.words]
    examples = [*EXAMPLES, *(Example(("a",), "b?", answer, task=task) for answer in more for task in ("8", "19"))]
    made, vocabulary = renamings(examples)
    for group in made.draw(30, np.random.default_rng(1)):
        for row in group:
            name = names(vocabulary, row)
            words = {word: name[word] for word in SYMMETRIES.words if word in name}
            for answer in ("john and mary", "sandra and sandra", "apple,milk"):
                assert name[answer] == renamed(answer, words)
    symmetries, vocabulary = things(7, [f"thing0{a},thing0{b} x thing0{c}"
                                        for a in range(7) for b in range(7) for c in range(7)])  # fmt: skip
    for row in draw_renamings(symmetries, vocabulary, 20):
        name = names(vocabulary, row)
        words = {word: name[word] for word in symmetries.words}
        assert len(set(words.values())) == 7
        assert all(name[entry] == renamed(entry, words) for entry in vocabulary.words)


def test_answers_with_too_many_renamings_are_not_renamed() -> None:
    """Another task has such answers, without the class."""
    symmetries, vocabulary = things(40, ["thing01,thing02,thing03", "thing04,thing05,thing06"])
    (row,) = draw_renamings(symmetries, vocabulary, 1)
    name = names(vocabulary, row)
    assert name["thing01,thing02,thing03"] == "thing01,thing02,thing03"
    assert any(name[word] != word for word in symmetries.words)


def test_answers_under_renamings_prepare_once(monkeypatch: pytest.MonkeyPatch) -> None:
    symmetries, vocabulary = things(4, ["thing01,thing02"])
    first = draw_renamings(symmetries, vocabulary, 2)
    monkeypatch.setattr(renaming, "_Group", None)
    np.testing.assert_array_equal(draw_renamings(symmetries, vocabulary, 2), first)


def rooms(person: str, place: str) -> Example:
    return Example((f"{person} went to the {place}.",), f"Where is {person}?", place)


PEOPLE, PLACES = ("Mary", "John", "Sandra", "Daniel"), ("garden", "kitchen", "office", "hall")
PAIRS = [rooms(person, place) for person, place in zip(PEOPLE, PLACES, strict=True)]
ALL_PAIRS = [rooms(person, place) for person in PEOPLE for place in PLACES]
SETTINGS = TrainingConfig(epochs=60, restarts=1, validation=0, learning_rate=0.05, batch_size=4)
CLASSES = Symmetries((WordClass(PEOPLE), WordClass(PLACES)))


@pytest.mark.parametrize("backend", [NATIVE, "torch"])
def test_training_under_renaming_learns_no_names_by_rote(backend: Any) -> None:
    """Each person is in one place only: without renaming, a network may learn that, and not what the story says."""
    model = StoryQA.fit(PAIRS * 4, network=NetworkConfig(dim=10, hops=1), training=SETTINGS, symmetries=CLASSES,
                        backend=backend)  # fmt: skip
    assert model.evaluate(ALL_PAIRS).error == 0
    assert model.symmetries.words == {word.lower() for word in (*PEOPLE, *PLACES)}


def test_symmetries_are_saved_and_shown(tmp_path: Any) -> None:
    model = StoryQA.fit(PAIRS, training=SETTINGS.changed({"epochs": 1}), symmetries=CLASSES)
    model.save(tmp_path / "m")
    loaded = StoryQA.load(tmp_path / "m")
    assert loaded.symmetries == model.symmetries
    assert loaded.summary()["symmetries"] == "mary john sandra daniel | garden kitchen office hall"
    again = StoryQA.fit(PAIRS, start=loaded, training=SETTINGS.changed({"epochs": 1}))
    assert again.symmetries == model.symmetries


def test_validation_is_not_renamed() -> None:
    model = StoryQA.fit(PAIRS, [PAIRS[0]], training=SETTINGS.changed({"epochs": 2}), symmetries=CLASSES)
    score = model.restarts[0].valid
    assert score is not None
    ranked = dict(model.answer(PAIRS[0].story, PAIRS[0].question, top=100).top)
    assert score.loss == pytest.approx(-np.log(ranked["garden"]), rel=1e-4)


def test_going_on_keeps_symmetries_of_words_that_the_new_data_lacks() -> None:
    once = SETTINGS.changed({"epochs": 1})
    model = StoryQA.fit(PAIRS, training=once, symmetries=CLASSES)
    again = StoryQA.fit(PAIRS[:2], start=model, training=once)
    assert again.symmetries == model.symmetries
    upper = StoryQA.fit(PAIRS, training=once, symmetries=CLASSES, lowercase=False)
    assert upper.symmetries.words == {*PEOPLE, *PLACES}
    assert StoryQA.fit(PAIRS[:2], start=upper, training=once).symmetries == upper.symmetries


def test_automatic_symmetries_fit_a_given_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Found(Symmetries((WordClass(("mary", "john")), WordClass(("garden", "kitchen", "office"))), ()), (), {})
    monkeypatch.setattr("memn2n.qa.symmetries.finder.find_symmetries", lambda *_, **__: found)
    vocabulary = Vocabulary.build([PAIRS[0].story[0], PAIRS[0].question, "john kitchen"], [])
    examples = [PAIRS[0], Example(("John went to the kitchen.",), "Where is John?", "kitchen")]
    model = StoryQA.fit(examples, training=SETTINGS.changed({"epochs": 1}), symmetries="auto", vocabulary=vocabulary)
    assert model.symmetries == Symmetries((WordClass(("mary", "john")),))


def test_a_task_that_no_question_has_is_named() -> None:
    other = Symmetries((WordClass(("mary", "john"), ("7", "8")),))
    with pytest.warns(DataWarning, match="name tasks that no training question has: 7, 8") as caught:
        StoryQA.fit(PAIRS, training=SETTINGS.changed({"epochs": 1}), symmetries=other)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(("given", "message"), [
    (Symmetries((WordClass(("mary", "cellar")),)), "the word 'cellar' is not in the training data; leave it out"),
    ("all", "'all': it must be auto, none, or Symmetries"),
    (7, "7: it must be auto, none, or Symmetries"),
])  # fmt: skip
def test_wrong_symmetries_are_refused(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        StoryQA.fit(PAIRS, symmetries=given)


def test_symmetries_that_are_found_make_few_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """If there would be too many, the classes of words in answers of several words are left out."""
    things, people = WordClass(("ball", "book", "cup", "pen")), WordClass(("john", "mary"))
    found = Found(Symmetries((things, people)), (), {})
    monkeypatch.setattr("memn2n.qa.symmetries.finder.find_symmetries", lambda *_, **__: found)
    story = ("Mary took the ball.", "Mary took the book.", "John took the cup.", "John took the pen.")
    both = [Example(story, "What has Mary?", "ball,book"), Example(story, "What has John?", "cup,pen")]

    def symmetries() -> Symmetries:
        return StoryQA.fit(both, training=SETTINGS.changed({"epochs": 1}), symmetries="auto").symmetries

    assert symmetries() == found.symmetries, "ten new answers"
    monkeypatch.setattr(renaming, "MOST_NEW_ANSWERS", 9)
    assert symmetries() == Symmetries((people,))
