"""Placing words that training did not have."""

import json

import pytest

from memn2n import Example, simulate
from memn2n.qa.stories import vocabulary_of
from memn2n.qa.symmetries import unseen as module
from memn2n.qa.symmetries.classes import Swap, Symmetries, WordClass
from memn2n.qa.symmetries.unseen import Notes, UnseenWords
from memn2n.qa.vocabulary import Vocabulary

PEOPLE = ("daniel", "john", "mary", "sandra")
PLACES = ("bathroom", "bedroom", "garden", "hallway", "kitchen", "office")
OBJECTS = ("apple", "football", "milk")
WOMEN, MEN = ("mary", "sandra"), ("daniel", "john")


class Placing:
    """The frames of simulated tasks, and the vocabulary."""

    def __init__(self, tasks: list[int], *classes: WordClass, swaps: tuple[Swap, ...] = ()) -> None:
        self.examples = simulate(tasks, n_train=400, n_test=0, seed=1).train
        self.vocabulary = vocabulary_of(self.examples)
        self.words = UnseenWords.of(self.examples, Symmetries(classes, swaps), self.vocabulary)

    def notes(self, *texts: str) -> list[Notes]:
        return [self.words.notes(text, self.vocabulary) for text in texts]

    def lend(self, *texts: str) -> dict[str, str | None]:
        notes = self.notes(*texts)
        return self.words.lend(notes, self.vocabulary, self.words.possible_tasks(note.form for note in notes))


@pytest.fixture(scope="module")
def carrying() -> Placing:
    return Placing([2], WordClass(PEOPLE), WordClass(PLACES), WordClass(OBJECTS))


@pytest.fixture(scope="module")
def moving() -> Placing:
    """Persons can be exchanged in task 1; women and men, each among themselves, in task 11."""
    return Placing([1, 11], WordClass(PEOPLE, ("1",)), WordClass(WOMEN, ("11",)), WordClass(MEN, ("11",)),
                   WordClass(PLACES))  # fmt: skip


def test_each_unknown_word_gets_a_free_word_of_its_class(carrying: Placing) -> None:
    lent = carrying.lend("Aisha went to the cellar.", "Mary took the pen.", "Mary went to the office.",
                         "Where is the pen?")  # fmt: skip
    assert set(lent) == {"aisha", "cellar", "pen"}
    assert lent["aisha"] in {*PEOPLE} - {"mary"}
    assert lent["cellar"] in {*PLACES} - {"office"}
    assert lent["pen"] in OBJECTS


def test_no_word_is_lent_twice(carrying: Placing) -> None:
    lent = carrying.lend(*(f"Mary went to the place{i}." for i in range(6)))
    assert set(lent.values()) == {*PLACES}


def test_a_word_stays_unknown_if_no_word_of_its_class_is_free(carrying: Placing) -> None:
    lent = carrying.lend(*(f"Mary went to the place{i}." for i in range(6)), "John went to the office.")
    assert list(lent.values()).count(None) == 1
    assert {*lent.values()} == {None, *PLACES} - {"office"}


def test_a_word_that_fits_no_frame_stays_unknown(carrying: Placing) -> None:
    assert carrying.lend("Zelda slept.", "Mary teleported to the cellar.") == {
        "zelda": None, "slept": None, "teleported": None, "cellar": None,
    }  # fmt: skip


def test_known_words_need_no_placing(carrying: Placing) -> None:
    assert carrying.lend("Mary went to the office.", "Where is Mary?") == {}


def test_a_word_is_placed_by_the_most_of_its_frames(carrying: Placing) -> None:
    texts = ["Mary took the pen there.", "John dropped the pen.", "Where is the pen?", "Mary went to the pen."]
    assert carrying.lend(*texts)["pen"] in OBJECTS
    assert carrying.lend(texts[-1])["pen"] in PLACES


@pytest.mark.parametrize(("pronoun", "people"), [("she", WOMEN), ("he", MEN)])
def test_the_sentence_that_follows_tells_women_and_men_apart(
    moving: Placing, pronoun: str, people: tuple[str, ...]
) -> None:
    for i in range(8):
        lent = moving.lend(f"Person{i} went to the office.", f"After that {pronoun} moved to the kitchen.")
        assert lent[f"person{i}"] in people


def test_the_sentences_tell_the_task(moving: Placing) -> None:
    def possible(*texts: str) -> set[str]:
        forms = [note.form for note in moving.notes(*texts)]
        return {moving.words.tasks[i] for i in moving.words.possible_tasks(forms)}

    assert possible("Mary went to the cellar.", "After that she moved to the kitchen.") == {"11"}
    assert possible("Mary went to the cellar.") == {"1", "11"}
    both = moving.words.symmetries_of(frozenset((0, 1)))
    assert both.classes == (WordClass(PLACES),), "the only class that both tasks have"
    assert [one.words for one in moving.words.symmetries_of(frozenset((1,))).classes] == [WOMEN, MEN, PLACES]


def test_more_words_than_the_first_class_has_get_words_of_another_class_that_fits(moving: Placing) -> None:
    texts = [text for i in range(3) for text in (f"Name{i} went to the office.", "After that she went to the garden.")]
    lent = moving.lend(*texts)
    assert {*WOMEN} < {*lent.values()} < {*PEOPLE}


def test_the_frames_are_json_values(moving: Placing, carrying: Placing) -> None:
    for words in (moving.words, carrying.words):
        record = json.loads(json.dumps(words.to_dict()))
        assert UnseenWords.from_dict(record, words.symmetries) == words


@pytest.mark.parametrize(
    "change",
    [{"frames": {"? left": {"9": 1}}}, {"frames": {"? left": {"0": 0}}}, {"frames": 5}, {"forms": {"": [7]}},
     {"tasks": None}],
)  # fmt: skip
def test_damaged_frames_are_refused(carrying: Placing, change: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
        UnseenWords.from_dict(carrying.words.to_dict() | change, carrying.words.symmetries)


def test_only_the_most_frequent_frames_are_kept(carrying: Placing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FRAMES", 5)
    few = UnseenWords.of(carrying.examples, carrying.words.symmetries, carrying.vocabulary)
    assert len(few.frames) == 5
    assert few.frames.items() < carrying.words.frames.items()


def test_a_second_training_adds_its_frames(moving: Placing) -> None:
    first, second = moving.examples[:400], moving.examples[400:]
    symmetries, vocabulary = moving.words.symmetries, moving.vocabulary
    earlier = UnseenWords.of(first, symmetries, vocabulary)
    both = UnseenWords.of(second, symmetries, vocabulary, earlier)
    assert (both.tasks, both.forms, both.frames) == (moving.words.tasks, moving.words.forms, moving.words.frames)
    other = UnseenWords.of(second, Symmetries(symmetries.classes[1:]), vocabulary, earlier)
    assert other == UnseenWords.of(second, Symmetries(symmetries.classes[1:]), vocabulary)


def test_swaps_of_two_words_make_a_class() -> None:
    swaps = (Swap(("daniel",), ("john",), ("11",)), Swap(("mary",), ("sandra",), ("11",)),
             Swap(("daniel", "john", "he"), ("mary", "sandra", "she"), ("11",)))  # fmt: skip
    placing = Placing([11], WordClass(PLACES), swaps=swaps)
    assert [one.words for one in placing.words.classes] == [PLACES, MEN, WOMEN]
    lent = placing.lend("Aisha went to the cellar.", "After that she moved to the office.")
    assert lent["aisha"] in WOMEN
    assert lent["cellar"] in PLACES
    chain = Symmetries(swaps=tuple(Swap((a,), (b,)) for a, b in (("a", "b"), ("c", "d"), ("b", "c"), ("e", "f"))))
    assert [one.words for one in UnseenWords(chain).classes] == [("a", "b", "c", "d"), ("e", "f")]


def test_values_and_case() -> None:
    keyed = Example(("Key of Mary",), "Who?", "Mary", values=("Mary has it",))
    vocabulary = Vocabulary(("Has", "John", "Mary", "has", "it", "of", "Key", "Who"), lowercase=False)
    words = UnseenWords.of([keyed], Symmetries((WordClass(("Mary", "John")),)), vocabulary)
    assert set(words.frames) == {"Key of ?", "? has it"}
    notes = words.notes("Aisha has it", vocabulary)
    assert words.lend([notes], vocabulary)["Aisha"] in {"Mary", "John"}
    assert words.lend([words.notes("Aisha Has it", vocabulary)], vocabulary) == {"Aisha": None}


def test_the_words_of_the_question_come_first(carrying: Placing) -> None:
    lent = carrying.lend(*(f"Person{i} went to the office." for i in range(6)), "Where is Person5?")
    assert [*lent] == [f"person{i}" for i in range(6)]
    assert [word for word, known in lent.items() if known is None] == ["person3", "person4"]


def test_a_word_of_a_class_that_the_vocabulary_lacks_is_not_lent(carrying: Placing) -> None:
    wider = Symmetries((WordClass(("mary", *(f"absent{i}" for i in range(20)))),))
    words = UnseenWords(wider, frames={"? went to the office": {0: 1}})
    notes = [words.notes(f"{name} went to the office.", carrying.vocabulary) for name in ("Aisha", "Zelda", "Absent1")]
    assert words.lend(notes, carrying.vocabulary) == {"aisha": None, "zelda": None, "absent1": "mary"}
