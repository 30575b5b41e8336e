"""Which stories and questions the library accepts, and what it makes of lists and generators."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from memn2n import Example, StoryQA, write_babi, write_jsonl
from memn2n.errors import InputError
from memn2n.qa.data.babi import read_babi
from memn2n.qa.data.jsonl import question_of
from memn2n.qa.stories import check_example

STORY = ["Mary moved to the bathroom.", "John went to the hallway."]
BLANK = "sentence 1 of the story, counted from 0, is blank: leave it out"


def test_a_story_may_be_any_iterable_of_sentences(qa: StoryQA) -> None:
    wanted = qa.answer(STORY, "Where is Mary?")
    for story in (iter(STORY), tuple(STORY), dict.fromkeys(STORY), map(str, STORY)):
        assert qa.answer(story, "Where is Mary?").story == wanted.story == tuple(STORY)
    (answer,) = qa.answer_many((iter(STORY), question) for question in ["Where is Mary?"])
    assert answer.top == wanted.top


def test_an_example_holds_tuples() -> None:
    given: Any = {"story": iter(STORY), "support": (i for i in [1]), "values": list(STORY)}
    example = Example(question="Where?", answer="x", **given)
    assert (example.story, example.support, example.values) == (tuple(STORY), (1,), tuple(STORY))
    check_example(example)
    assert hash(example)


@pytest.mark.parametrize("story", ["Mary sat.", b"Mary sat.", None, 3, [1], [None, "a"]])
def test_what_is_no_story_is_refused(qa: StoryQA, story: Any) -> None:
    for use in (lambda: qa.answer(story, "Where?"), lambda: qa.evaluate([Example(story, "Where?", "x")])):
        with pytest.raises(InputError, match="a story is a list of sentences, each a string"):
            use()


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u3000"])
def test_a_blank_sentence_is_refused_with_one_message(qa: StoryQA, tmp_path: Path, blank: str) -> None:
    story = ("Mary sat.", blank)
    example = Example(story, "Where?", "x")
    for use in (
        lambda: qa.answer(story, "Where?"),
        lambda: qa.answer_many([(story, "Where?")]),
        lambda: qa.evaluate([example]),
        lambda: StoryQA.fit([example]),
        lambda: write_jsonl(BytesIO(), [example]),
        lambda: write_babi(tmp_path / "a.txt", [example]),
        lambda: question_of({"story": list(story), "question": "Where?"}, "a.jsonl", 1),
    ):
        with pytest.raises(InputError, match=BLANK):
            use()


def test_tasks_may_be_a_generator(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / f"qa1_{part}.txt").write_text("1 a.\n2 b?\tc\t1\n")
    train, test = read_babi(tmp_path, (task for task in [1]))
    assert len(train) == len(test) == 1
