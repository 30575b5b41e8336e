"""Candidate answers apart from the vocabulary, and values for key-value networks."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memn2n import ConfigError, Example, InputError, NetworkConfig, StoryQA, TrainingConfig, read_jsonl, write_jsonl
from memn2n.errors import DataWarning
from memn2n.qa.batch import make_batch
from memn2n.qa.candidates import Candidates
from memn2n.qa.stories import StorySet, vocabulary_of

REPLIES = ("Mary is in the Kitchen", "Mary is in the Garden", "I do not know Mary")
QUICK = TrainingConfig(restarts=1, epochs=40, linear_start="none", validation=0, learning_rate=0.02)
VALUES = Example(("oslo", "lima"), "oslo?", "norway", values=("norway", "peru"))


def dialogs(number: int = 120) -> list[Example]:
    """Where Mary is, or that nobody said it; other persons move too."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(number):
        place = int(rng.integers(3))
        story = ["John went to the garden.", "John went to the kitchen."]
        if place < 2:
            story.insert(int(rng.integers(3)), f"Mary went to the {('kitchen', 'garden')[place]}.")
        found.append(Example(tuple(story), "Where is Mary?", REPLIES[place].lower()))
    return found


@pytest.fixture(scope="module")
def qa() -> StoryQA:
    return StoryQA.fit(dialogs(), candidates=REPLIES, network=NetworkConfig(dim=16, hops=1), training=QUICK)


def test_a_model_learns_to_choose_a_reply(qa: StoryQA, tmp_path: Path) -> None:
    assert qa.evaluate(dialogs()).error == 0
    story = ["John went to the garden.", "Mary went to the garden.", "John went to the kitchen."]
    answer = qa.answer(story, "Where is Mary?")
    assert answer.text == REPLIES[1], "in its own spelling"
    assert {text for text, _ in answer.top} == set(REPLIES)
    assert sum(probability for _, probability in answer.top) == pytest.approx(1, abs=1e-5)
    qa.save(tmp_path)
    loaded = StoryQA.load(tmp_path)
    assert loaded.candidates == qa.candidates
    assert loaded.evaluate(dialogs()) == qa.evaluate(dialogs())


def test_the_vocabulary_has_the_words_of_the_replies_instead_of_the_answers(qa: StoryQA) -> None:
    assert {"know", "not", "mary"} <= set(qa.vocabulary.words)
    assert not {reply.lower() for reply in REPLIES} & set(qa.vocabulary.words)
    assert qa.network.shape.candidates == 3


def test_a_right_answer_that_is_no_candidate_counts_as_wrong(qa: StoryQA) -> None:
    (score,) = qa.evaluate([Example(("Mary went home.",), "Where is Mary?", "at home")]).tasks
    assert (score.wrong, score.unanswerable) == (1, 1)


def test_a_training_answer_must_be_a_candidate() -> None:
    with pytest.raises(InputError, match="the candidates lack the answer 'i do not know mary'; give all answers"):
        StoryQA.fit(dialogs(), candidates=REPLIES[:2], training=QUICK)


def test_validation_answers_that_are_no_candidates_are_left_out() -> None:
    valid = [*dialogs(5), Example(("Mary went home.",), "Where is Mary?", "at home")]
    with pytest.warns(DataWarning, match="1 of 6 validation questions have an answer that no training question has"):
        StoryQA.fit(dialogs(20), valid, candidates=REPLIES, training=QUICK)


def test_case_can_matter() -> None:
    same = [replace(one, answer=next(text for text in REPLIES if text.lower() == one.answer)) for one in dialogs(20)]
    qa = StoryQA.fit(same, candidates=REPLIES, training=QUICK, lowercase=False)
    assert "Kitchen" in qa.vocabulary.words
    assert [score.unanswerable for data in (same, dialogs(20)) for score in qa.evaluate(data).tasks] == [0, 20]


def test_candidates_that_are_not_those_of_the_network_are_refused(qa: StoryQA) -> None:
    for other in (None, Candidates(REPLIES[:2])):
        with pytest.raises(ConfigError, match="the network is for 3 candidates"):
            StoryQA(qa.networks, qa.vocabulary, other)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ((), "there is no candidate"),
        (("yes", "Yes "), "twice"),
        (("yes", "?"), r"no word in the candidate answer '\?'"),
    ],
)
def test_candidates_are_checked(texts: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Candidates(texts)
    assert Candidates(("yes", "Yes"), lowercase=False).answer_id("Yes") == 1


def test_values_are_rows_beside_the_sentences() -> None:
    examples = [VALUES, Example(("oslo",), "oslo?", "norway")]
    stories = StorySet.encode(examples, vocabulary_of(examples))
    batch = make_batch(stories, np.arange(2), 50)

    def text(row: int) -> str:
        words = vocabulary_of(examples).words
        return " ".join(words[i - 2] for i in batch.sentences[row] if i >= 2)

    assert [[text(row) for row in rows] for rows in batch.memory] == [["lima", "oslo"], ["oslo", ""]]
    assert batch.values is not None
    assert [[text(row) for row in rows] for rows in batch.values] == [["peru", "norway"], ["oslo", ""]]
    assert make_batch(StorySet.encode(dialogs(3), vocabulary_of(dialogs(3))), np.arange(3), 50).values is None


def test_a_family_that_reads_no_values_refuses_them(qa: StoryQA) -> None:
    for use in (lambda: StoryQA.fit([VALUES] * 20, training=QUICK), lambda: qa.evaluate([VALUES]),
                lambda: qa.answer(VALUES.story, VALUES.question, VALUES.values)):  # fmt: skip
        with pytest.raises(ConfigError, match="family is memn2n, which does not read values"):
            use()
    for values in (("norway",), "np", (1, 2)):
        with pytest.raises(InputError, match="must have a value for each sentence"):
            qa.answer(VALUES.story, VALUES.question, values)  # type: ignore[arg-type]


def test_values_in_json_lines(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "facts.jsonl", [VALUES])
    assert read_jsonl(tmp_path / "facts.jsonl") == [VALUES]
    for values, message in (('["x"]', '"values" has 1 texts, but the story has 2 sentences'), ("3", "must be a list")):
        line = f'{{"story": ["a", "b"], "question": "a?", "answer": "x", "values": {values}}}'
        (tmp_path / "facts.jsonl").write_text(line, "utf-8")
        with pytest.raises(InputError, match=f"facts.jsonl:1: .*{message}"):
            read_jsonl(tmp_path / "facts.jsonl")
