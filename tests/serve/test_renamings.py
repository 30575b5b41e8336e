"""Answers of the server with unseen words and under renamings."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from memn2n import StoryQA
from memn2n.qa.symmetries.classes import Swap, Symmetries
from memn2n.serve.access import Access
from memn2n.serve.app import create_app
from memn2n.serve.limits import Limits
from memn2n.serve.models import Models, QueuedQuestion, ServedQA, describe
from tests.serve.conftest import WHERE_IS_MARY, Reply
from tests.serve.test_guard import send

CELLAR = {"story": ["Mary moved to the cellar.", "John went to the attic."], "question": "Where is Mary?"}


@pytest.fixture
def served(exchanging: StoryQA) -> ServedQA:
    return ServedQA("exchanging", exchanging, Limits(max_questions=20))


def ask(served: ServedQA, content: dict[str, Any], path: str = "/api/answer") -> Reply:
    app = create_app(Models([served]), Access(local=False), Limits(max_questions=20))
    return asyncio.run(send(app, [json.dumps(content).encode()], path))


@pytest.mark.parametrize("renamings", [1, 4])
def test_unseen_words_are_placed(served: ServedQA, exchanging: StoryQA, renamings: int) -> None:
    answer = exchanging.answer(CELLAR["story"], "Where is Mary?", renamings=renamings)
    reply = ask(served, CELLAR | {"renamings": renamings}).json
    assert (reply["prediction"], reply["unknown_words"]) == (answer.text, []) == ("cellar", [])
    assert reply["placed"] == [list(pair) for pair in answer.placed]
    assert [share for _, share in reply["top"]] == [share for _, share in answer.top]
    many = ask(served, {"questions": [CELLAR, WHERE_IS_MARY], "renamings": renamings}, "/api/answers").json["answers"]
    assert [one["prediction"] for one in many] == ["cellar", "bathroom"]


def test_questions_of_one_batch_have_their_own_renamings(served: ServedQA, exchanging: StoryQA) -> None:
    async def together() -> list[Any]:
        asked = [QueuedQuestion(WHERE_IS_MARY["story"], "Where is Mary?", 3, k) for k in (1, 5, 1, 2)]
        return await asyncio.gather(*(served.answers([one]) for one in asked))

    for (answer,), k in zip(asyncio.run(together()), (1, 5, 1, 2), strict=True):
        alone = exchanging.answer(WHERE_IS_MARY["story"], "Where is Mary?", renamings=k)
        assert answer.probability == pytest.approx(alone.probability, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"renamings": 0}, "invalid"), ({"renamings": "2"}, "invalid"), ({"renamings": 17}, "too-many")],
)
def test_a_wrong_number_of_renamings_is_refused(served: ServedQA, change: dict[str, Any], code: str) -> None:
    assert ask(served, CELLAR | change).error == (422, code, "renamings")


def test_the_renamings_of_many_questions_are_limited(served: ServedQA) -> None:
    questions = {"questions": [WHERE_IS_MARY] * 10}
    assert ask(served, questions | {"renamings": 2}, "/api/answers").status == 200
    assert ask(served, questions | {"renamings": 3}, "/api/answers").error == (422, "too-many", "renamings")
    assert ask(served, {"questions": [WHERE_IS_MARY] * 20}, "/api/answers").status == 200


def test_swaps_of_several_words_count_as_exchangeable(qa: StoryQA) -> None:
    swap = Swap(("bathroom", "mary"), ("garden", "john"))
    compass = StoryQA(qa.networks, qa.vocabulary, symmetries=Symmetries((), (swap,)))
    assert describe(ServedQA("compass", compass, Limits()))["exchangeable"] == 4
