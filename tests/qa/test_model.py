"""StoryQA: training, answers and evaluation."""

import dataclasses
import json

import numpy as np
import pytest

from memn2n import Example, NetworkConfig, StoryQA, TrainingConfig, simulate
from memn2n.errors import ConfigError, DataWarning, InputError
from memn2n.qa.vocabulary import Vocabulary
from tests.conftest import QUICK, STORY


def test_an_answer_with_its_attention(qa: StoryQA) -> None:
    answer = qa.answer(STORY, "Where is Mary?", top=3)
    assert answer.text == "bathroom"
    assert answer.probability > 0.5
    assert answer.top[0] == (answer.text, answer.probability)
    assert len(answer.top) == 3
    assert [probability for _, probability in answer.top] == sorted((p for _, p in answer.top), reverse=True)
    assert answer.attention.shape == (NetworkConfig().hops, 2)
    assert answer.attention.dtype == np.float32
    assert np.all(answer.attention.sum(axis=1) <= 1 + 1e-6)
    assert answer.attention[-1].argmax() == 0, "the sentence about Mary"
    assert answer.dropped == ()
    assert answer.unknown_words == ()
    assert json.loads(json.dumps(answer.to_dict()))["prediction"] == "bathroom"


def test_another_question_has_another_answer(qa: StoryQA) -> None:
    assert qa.answer(STORY, "Where is John?").text == "hallway"
    assert qa.answer(STORY[::-1], "Where is John?").attention[-1].argmax() == 0


def test_unknown_words_are_listed(qa: StoryQA) -> None:
    answer = qa.answer(["Mary teleported to the bathroom.", "Zelda slept."], "Where is Mary, please?")
    assert answer.unknown_words == ("teleported", "zelda", "slept", "please")
    assert answer.text == "bathroom"


def test_a_question_of_unknown_words_only(qa: StoryQA) -> None:
    answer = qa.answer(STORY, "Wherefore art thou?")
    assert answer.unknown_words == ("wherefore", "art", "thou")
    assert 0 < answer.probability <= 1


def test_only_the_latest_sentences_of_a_long_story_are_used(examples: list[Example]) -> None:
    config = NetworkConfig(memory_size=4)
    with pytest.warns(DataWarning, match="30 of 50 stories"):
        qa = StoryQA.fit(examples[:50], network=config, training=dataclasses.replace(QUICK, epochs=1))
    long = ["Mary moved to the bathroom."] * 3 + STORY + STORY
    answer = qa.answer(long, "Where is Mary?")
    assert answer.dropped == (0, 1, 2)
    assert answer.attention.shape == (3, 7)
    assert not answer.attention[:, :3].any()
    assert answer.attention[:, 3:].all()
    short = qa.answer(long[3:], "Where is Mary?")
    assert answer.top == short.top
    assert np.array_equal(answer.attention[:, 3:], short.attention)


def test_stories_longer_than_all_training_stories_are_used_completely(qa: StoryQA) -> None:
    story = ["Mary moved to the bathroom."] + ["John went to the hallway."] * 30
    answer = qa.answer(story, "Where is Mary?")
    assert answer.dropped == ()
    assert answer.attention.shape[1] == 31


def test_many_answers_are_the_same_as_single_ones(qa: StoryQA) -> None:
    test = simulate(task=1, n_train=0, n_test=600, seed=8).test
    questions = [(example.story, example.question) for example in test]
    for question, together in zip(questions[::50], qa.answer_many(questions)[::50], strict=True):
        alone = qa.answer(*question)
        assert alone.text == together.text
        assert alone.probability == pytest.approx(together.probability, abs=1e-6)
        assert np.allclose(alone.attention, together.attention, atol=1e-6)
    assert qa.answer_many([]) == []


def test_questions_that_cannot_be_answered(qa: StoryQA) -> None:
    for story, question in (("Mary moved.", "Where is Mary?"), ([STORY], "Where is Mary?"), (STORY, None)):
        with pytest.raises(InputError, match="a story is a list of sentences"):
            qa.answer(story, question)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="there is no story"):
        qa.answer([], "Where is Mary?")
    with pytest.raises(InputError, match="no word in the question"):
        qa.answer(STORY, "?!")
    with pytest.raises(InputError, match="top is 0"):
        qa.answer(STORY, "Where is Mary?", top=0)


def test_the_counts_of_an_evaluation(qa: StoryQA, examples: list[Example]) -> None:
    fresh = simulate(task=1, n_train=0, n_test=200, seed=99).test
    novel = Example(tuple(STORY), "Where is Mary?", "Atlantis", task="x")
    plain = Example(tuple(STORY), "Where is Mary?", "bathroom", task="x")
    marked = Example(tuple(STORY), "Where is Mary?", "bathroom", (0,), task="x")
    misled = Example(tuple(STORY), "Where is Mary?", "bathroom", (1,), task="x")
    evaluation = qa.evaluate([*fresh, *examples[:10], novel, plain, marked, misled])
    one, other = evaluation.tasks
    assert (one.task, one.questions, one.annotated, one.unanswerable) == ("1", 210, 210, 0)
    assert one.seen >= 10
    assert one.seen_wrong <= one.wrong
    assert one.unseen_error == (one.wrong - one.seen_wrong) / (210 - one.seen)
    assert (other.task, other.questions, other.wrong, other.unanswerable) == ("x", 4, 1, 1)
    assert other.error == 0.25
    assert other.failed
    assert (other.annotated, other.recalled, other.attention_recall) == (2, 1, 0.5)
    assert evaluation.unknown_answers == ("Atlantis",)
    assert evaluation.error == (one.error + other.error) / 2
    assert "x" in evaluation.failed
    assert json.loads(json.dumps(evaluation.to_dict()))["tasks"][1]["wrong"] == 1


def test_evaluation_agrees_with_the_answers(qa: StoryQA) -> None:
    test = simulate(task=1, n_train=0, n_test=300, seed=5).test
    answers = qa.answer_many((example.story, example.question) for example in test)
    score = qa.evaluate(test).tasks[0]
    assert score.wrong == sum(a.text != e.answer for a, e in zip(answers, test, strict=True))
    looked = [set(answer.attention.argmax(axis=1).tolist()) for answer in answers]
    assert score.recalled == sum(bool(at & set(e.support)) for at, e in zip(looked, test, strict=True))
    assert score.error < 0.5


def test_recall_is_none_without_annotations(qa: StoryQA) -> None:
    evaluation = qa.evaluate([Example(tuple(STORY), "Where is Mary?", "bathroom")])
    assert evaluation.attention_recall is None
    assert evaluation.tasks[0].attention_recall is None


def test_data_that_cannot_be_trained_or_tested_on(qa: StoryQA) -> None:
    with pytest.raises(InputError, match="no example to train on"):
        StoryQA.fit([])
    with pytest.raises(InputError, match="no example to test on"):
        qa.evaluate([])
    with pytest.raises(InputError, match="the vocabulary lacks the answer 'office'"):
        StoryQA.fit([Example(("a",), "b", "office")], vocabulary=Vocabulary(("a", "b")))


def test_a_given_vocabulary_is_used(examples: list[Example], tiny: NetworkConfig) -> None:
    vocabulary = Vocabulary.build(["Mary John Daniel Sandra went moved to the where is"],
                                  [*{example.answer for example in examples}, "Atlantis"])  # fmt: skip
    qa = StoryQA.fit(examples[:40], network=tiny, training=QUICK, vocabulary=vocabulary, restarts=2, seed=9)
    assert qa.vocabulary is vocabulary
    assert (qa.training.restarts, qa.training.seed, len(qa.restarts)) == (2, 9, 2)


def test_validation_answers_that_cannot_be_given_are_left_out_with_a_warning(
    examples: list[Example], tiny: NetworkConfig
) -> None:
    valid = [*examples[40:42], Example(("a",), "Where is Mary?", "Atlantis")]
    with pytest.warns(DataWarning, match="1 of 3 validation questions have an answer that no training question has"):
        qa = StoryQA.fit(examples[:40], valid, network=tiny, training=QUICK)
    score = qa.restarts[0].valid
    assert score is not None
    assert score.error in {0, 0.5, 1}


def test_case_can_matter(examples: list[Example], tiny: NetworkConfig) -> None:
    qa = StoryQA.fit(examples[:40], network=tiny, training=QUICK, lowercase=False)
    assert "Mary" in qa.vocabulary.words
    assert qa.answer(STORY, "where is mary?").unknown_words == ("where", "mary")


@pytest.mark.parametrize("n", [10, 50, 200])
def test_a_sentence_longer_than_all_training_sentences_does_not_outweigh_the_others(qa: StoryQA, n: int) -> None:
    story = ["well " * n + "Mary moved to the bathroom.", "John went to the hallway."]
    assert qa.answer(story, "Where is Mary?").text == "bathroom"
    assert qa.answer(story, "Where is John?").text == "hallway"


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (Example((), "Where?", "x"), "there is no story"),
        (Example("Mary moved.", "Where?", "x"), "a story is a list of sentences"),  # type: ignore[arg-type]
        (Example(("a",), "?!", "x"), "no word in the question"),
        (Example(("a",), "Where?", " "), "has no answer"),
        (Example(("a",), "Where?", None), "has no answer"),  # type: ignore[arg-type]
        (Example(("a",), "Where?", "x", (1,)), "a supporting fact outside its story"),
        (["a"], "must be a memn2n.Example, not list"),
    ],
)
def test_examples_that_cannot_be_used_are_refused(qa: StoryQA, example: Example, message: str) -> None:
    for use in (StoryQA.fit, qa.evaluate, lambda some: StoryQA.fit([Example(("a",), "b", "c")], some)):
        with pytest.raises(InputError) as error:
            use([example])
        assert message in str(error.value)


def test_training_on_one_example(tiny: NetworkConfig) -> None:
    example = Example(("a b.",), "a?", "b")
    qa = StoryQA.fit([example], network=tiny, training=dataclasses.replace(QUICK, epochs=30))
    assert qa.answer(["a b."], "a?").text == "b"


def test_networks_of_an_ensemble_must_be_alike(qa: StoryQA, examples: list[Example]) -> None:
    other = StoryQA.fit(examples, network=NetworkConfig(dim=5), training=dataclasses.replace(QUICK, epochs=1))
    with pytest.raises(ConfigError, match="must have the same settings and sizes"):
        StoryQA([*qa.networks, *other.networks], qa.vocabulary)
    with pytest.raises(ConfigError, match="there is no network"):
        StoryQA([], qa.vocabulary)


def test_an_ensemble_answers_by_the_mean_of_its_networks(ensemble: StoryQA, examples: list[Example]) -> None:
    assert len(ensemble.networks) == 3
    assert [restart.kept for restart in ensemble.restarts] == [True] * 3
    members = [StoryQA([network], ensemble.vocabulary) for network in ensemble.networks]
    for example in examples[:20]:
        every = len(ensemble.vocabulary)
        together = ensemble.answer(example.story, example.question, top=every)
        alone = [member.answer(example.story, example.question, top=every) for member in members]
        for text, probability in together.top:
            assert probability == pytest.approx(np.mean([dict(one.top)[text] for one in alone]), abs=1e-6)
        assert list(together.top) == sorted(together.top, key=lambda pair: -pair[1])
        np.testing.assert_allclose(together.attention, np.mean([one.attention for one in alone], axis=0), atol=1e-6)
    assert ensemble.evaluate(examples).error <= max(member.evaluate(examples).error for member in members)


@pytest.mark.parametrize("backend", ["torch", "auto"])
def test_every_backend_trains_the_same_kind_of_model(backend: str, examples: list[Example]) -> None:
    training = TrainingConfig(restarts=1, epochs=25, linear_start_epochs=10)
    qa = StoryQA.fit(examples, training=training, backend=backend)  # type: ignore[arg-type]
    assert qa.evaluate(examples).error < 0.2


def test_a_backend_or_device_that_does_not_exist(examples: list[Example]) -> None:
    with pytest.raises(ConfigError, match="backend is 'gpu': it must be one of auto, native, torch"):
        StoryQA.fit(examples, backend="gpu")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="device is 'tpu'"):
        StoryQA.fit(examples, device="tpu")
    with pytest.raises(ConfigError, match="threads is 1000: it must be from 1 to the number of cores"):
        StoryQA.fit(examples, threads=1000)


def test_an_answer_does_not_depend_on_what_else_is_asked(qa: StoryQA, examples: list[Example]) -> None:
    asked = [(example.story, example.question) for example in sorted(examples, key=lambda e: len(e.story))]
    questions = asked[:12] + asked[-12:]
    alone = [qa.answer(*question) for question in questions]
    for first in range(0, 24, 3):
        for n in (1, 2, 3, 7, 17):
            together = qa.answer_many(questions[first : first + n])
            for mine, theirs in zip(together, alone[first : first + n], strict=True):
                assert [text for text, _ in mine.top] == [text for text, _ in theirs.top]
                np.testing.assert_allclose([p for _, p in mine.top], [p for _, p in theirs.top], atol=1e-5)
                np.testing.assert_allclose(mine.attention, theirs.attention, atol=1e-5)
