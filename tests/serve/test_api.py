"""The API over HTTP: answers equal those of the Python API, and refusals name the field."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import memn2n
from memn2n import Answer, MemoryLM, simulate, solve
from tests.serve.conftest import STORY, WHERE_IS_MARY, Server


def assert_same(reply: dict[str, Any], answer: Answer, top: int = 5) -> None:
    assert reply["prediction"] == answer.text
    assert reply["probability"] == pytest.approx(answer.probability, abs=2e-6)
    assert [word for word, _ in reply["top"]] == [word for word, _ in answer.top[:top]]
    np.testing.assert_allclose(reply["attention"], answer.attention, atol=2e-6)
    assert tuple(reply["dropped"]) == answer.dropped
    assert tuple(reply["unknown_words"]) == answer.unknown_words


def test_an_answer_equals_that_of_the_python_api(server: Server) -> None:
    qa = memn2n.pretrained()
    story = [*STORY] * 80 + ["Zelda went to the office.", "Qwertyuiop is asdfgh zxcvb."]
    reply = server.ask("/api/answer", {"story": story, "question": "Where is Mary?", "top": 3})
    assert reply.status == 200
    answer = qa.answer(story, "Where is Mary?", top=3)
    assert reply.json["model"] == "stories"
    assert len(reply.json["top"]) == 3
    assert len(reply.json["dropped"]) == len(story) - qa.network.config.memory_size
    assert [word for word, _ in reply.json["placed"]] == ["zelda"]
    assert reply.json["unknown_words"] == ["qwertyuiop", "asdfgh", "zxcvb"]
    assert_same(reply.json, answer)


def test_a_request_can_name_a_model(server: Server, model: Path) -> None:
    reply = server.ask("/api/answer", WHERE_IS_MARY | {"model": "first"}).json
    assert reply["model"] == "first"
    assert_same(reply, memn2n.StoryQA.load(model).answer(STORY, "Where is Mary?"))


def test_many_answers_have_the_order_of_their_questions(server: Server) -> None:
    asked = simulate([1, 2, 15], n_train=0, n_test=300, seed=5).test  # more than a batch
    questions = [{"story": one.story, "question": one.question} for one in asked]
    reply = server.ask("/api/answers", {"questions": questions}).json["answers"]
    direct = memn2n.pretrained().answer_many([(one.story, one.question) for one in asked])
    for one, answer in zip(reply, direct, strict=True):
        assert_same(one, answer)


def test_attention_can_be_left_out(server: Server) -> None:
    (reply,) = server.ask("/api/answers", {"questions": [WHERE_IS_MARY], "attention": False, "top": 1}).json["answers"]
    assert (reply["prediction"], reply["attention"], len(reply["top"])) == ("bathroom", None, 1)


def test_next_words_equal_those_of_the_python_api(server: Server, toy: Path) -> None:
    reply = server.ask("/api/next-words", {"text": "the cat sees the zebra", "top": 4}).json
    found = MemoryLM.load(toy).next_words("the cat sees the zebra", top=4)
    assert reply.pop("model") == "toy"
    assert reply["memory"] == ["the", "cat", "sees", "the", "zebra"]
    assert [one["word"] for one in reply["next"]] == [word for word, _ in found.ranked]
    np.testing.assert_allclose([one["probability"] for one in reply["next"]], [p for _, p in found.ranked], atol=1e-6)
    np.testing.assert_allclose(reply["attention"], found.attention, atol=1e-6)
    assert reply["unknown_words"] == ["zebra"]
    assert server.ask("/api/next-words", {}).json["memory"] == ["<eos>"]


def test_a_score_equals_that_of_the_python_api(server: Server, toy: Path) -> None:
    text = "the cat sees the dog\nthe zebra\n"
    reply = server.ask("/api/score", {"text": text}).json
    lm = MemoryLM.load(toy)
    corpus = lm.read(text.encode())
    for one, word in zip(reply["words"], lm.score(corpus), strict=True):
        assert (one["word"], one["unknown"]) == (word.word, word.unknown)
        assert one["log_probability"] == pytest.approx(word.log_probability, abs=1e-5)
    assert reply["words"][0]["log_probability"] is None
    assert reply["perplexity"] == pytest.approx(lm.perplexity(corpus), rel=1e-5)


def test_the_list_of_models_shows_no_path(server: Server, model: Path) -> None:
    reply = server.ask("/api/models")
    names = [(one["name"], one["kind"], one["networks"]) for one in reply.json["models"]]
    assert names == [("stories", "qa", len(memn2n.pretrained().networks)), ("first", "qa", 1), ("toy", "lm", 1)]
    assert reply.json["limits"]["questions"] == 10_000
    assert str(model.parent).encode() not in reply.body


def test_examples_of_all_skills_are_right(server: Server) -> None:
    reply = server.ask("/api/examples?seed=3").json["examples"]
    assert [one["task"] for one in reply] == list(range(1, 21))
    for one in reply:
        assert solve(one["story"], one["question"]) == one["answer"]
        assert all(0 <= fact < len(one["story"]) for fact in one["support"])
    assert reply != server.ask("/api/examples?seed=4").json["examples"]


def test_health_and_metrics(server: Server) -> None:
    def count(name: str) -> float:
        lines = server.ask("/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    for path in ("/healthz", "/readyz"):
        assert server.ask(path).json == {"status": "ok"}
        assert server.ask(path, method="HEAD").status == 200
    before = [
        count('memn2n_asked_total{model="first"}'),
        count('memn2n_requests_total{route="/api/answer",status="422"}'),
    ]
    server.ask("/api/answers", {"questions": [WHERE_IS_MARY] * 7, "model": "first"})
    server.ask("/api/answer", {})
    after = [
        count('memn2n_asked_total{model="first"}'),
        count('memn2n_requests_total{route="/api/answer",status="422"}'),
    ]
    assert [after[0] - before[0], after[1] - before[1]] == [7, 1]
    assert count("memn2n_waiting") == 0


def test_the_examples_of_the_openapi_document_work(server: Server) -> None:
    document = server.ask("/openapi.json").json
    schemas = document["components"]["schemas"]

    def example(schema: dict[str, Any]) -> Any:
        """An object made of the examples or defaults of its fields."""
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
        if "examples" in schema or "default" in schema:
            return schema["examples"][0] if "examples" in schema else schema["default"]
        if schema["type"] == "array":
            return [example(schema["items"])]
        return {name: example(field) for name, field in schema["properties"].items()}

    posts = [path for path, methods in document["paths"].items() if "post" in methods]
    assert posts == ["/api/answer", "/api/answers", "/api/next-words", "/api/score"]
    for path in posts:
        asked = example(document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"])
        assert server.ask(path, asked).status == 200, asked


def test_the_documentation_needs_no_other_host(server: Server) -> None:
    page = server.ask("/docs")
    assert b"http" not in page.body
    assert "unsafe-inline" not in page.headers["content-security-policy"].split("script-src")[1].split(";")[0]
    for file in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert server.ask(f"/docs/{file}").status == 200


@pytest.mark.parametrize(
    ("path", "content", "status", "code", "field"),
    [
        ("/api/answer", {"question": "Where?"}, 422, "invalid", "story"),
        ("/api/answer", {"story": STORY}, 422, "invalid", "question"),
        ("/api/answer", {"story": [], "question": "Where?"}, 422, "invalid", "story"),
        ("/api/answer", {"story": STORY, "question": " ?! "}, 422, "invalid", "question"),
        ("/api/answer", {"story": ["Mary ran.", " "], "question": "Where?"}, 422, "invalid", "story[1]"),
        ("/api/answer", {"story": ["Mary ran.", 7], "question": "Where?"}, 422, "invalid", "story[1]"),
        ("/api/answer", {"story": "Mary ran.", "question": "Where?"}, 422, "invalid", "story"),
        ("/api/answer", WHERE_IS_MARY | {"top": 0}, 422, "invalid", "top"),
        ("/api/answer", WHERE_IS_MARY | {"top": "3"}, 422, "invalid", "top"),
        ("/api/answer", WHERE_IS_MARY | {"top": 10**400}, 422, "too-many", "top"),
        ("/api/answer", WHERE_IS_MARY | {"top": 101}, 422, "too-many", "top"),
        ("/api/answer", {"stroy": STORY, "question": "Where?"}, 422, "invalid", "stroy"),
        ("/api/answer", WHERE_IS_MARY | {"\ud800": []}, 422, "invalid", None),
        ("/api/answer", WHERE_IS_MARY | {"model": "no"}, 404, "unknown-model", "model"),
        ("/api/answer", WHERE_IS_MARY | {"model": "toy"}, 404, "unknown-model", "model"),
        ("/api/answer", {"story": ["a"] * 1001, "question": "Where?"}, 422, "too-many", "story"),
        ("/api/answer", {"story": ["a " * 6000], "question": "Where?"}, 422, "too-many", "story"),
        ("/api/answers", {"questions": []}, 422, "invalid", "questions"),
        ("/api/answers", {"questions": [WHERE_IS_MARY] * 10_001}, 422, "too-many", "questions"),
        ("/api/answers", {"questions": [WHERE_IS_MARY, {"story": STORY}]}, 422, "invalid", "questions[1].question"),
        ("/api/answers", {"questions": [WHERE_IS_MARY, {"story": [""], "question": "Where?"}]}, 422, "invalid",
         "questions[1].story[0]"),
        ("/api/next-words", {"text": 3}, 422, "invalid", "text"),
        ("/api/next-words", {"text": "a \ud800"}, 422, "invalid", "text"),
        ("/api/next-words", {"text": "a " * 5001}, 422, "too-many", "text"),
        ("/api/next-words", {"model": "stories"}, 404, "unknown-model", "model"),
        ("/api/score", {"text": " "}, 422, "invalid", "text"),
        ("/api/examples?seed=-1", None, 422, "invalid", "seed"),
        ("/api/answer", b"[" * 20_000, 400, "not-json", None),
        ("/api/answer", b"[" * 100_000, 422, "too-many", None),
        ("/api/next-words", {"text": "a" * 80_001}, 422, "too-many", "text"),
        ("/api/answer", {"story": ["a" * 80_000], "question": "Where?"}, 422, "too-many", "story"),
        ("/api/answer", b'{"story": ["Mary', 400, "not-json", None),
        ("/api/answer", b'{"story": "\xff"}', 400, "not-json", None),
        ("/api/answer", [WHERE_IS_MARY], 422, "invalid", None),
        ("/api/answer", b'{"top": ' + b"1" * 5000 + b"}", 400, "not-json", None),
        ("/api/answers", {"questions": [WHERE_IS_MARY] * 2000, "top": 51}, 422, "too-many", "top"),
        ("/api/next-words", {"text": "a" + "\u0301" * 31}, 422, "invalid", "text"),
        ("/api/answer/", WHERE_IS_MARY, 404, "not-found", None),
        ("/api/nothing", None, 404, "not-found", None),
        ("/page/../api.py", None, 404, "not-found", None),
        ("/page/%2e%2e/api.py", None, 404, "not-found", None),
        ("/api/answer", None, 405, "method-not-allowed", None),
    ],
)  # fmt: skip
def test_refusals(server: Server, path: str, content: Any, status: int, code: str, field: str | None) -> None:
    reply = server.ask(path, content)
    assert reply.error == (status, code, field), reply.body
    assert b"Traceback" not in reply.body
    assert b"memn2n/" not in reply.body


def test_a_body_without_the_content_type_of_json_is_refused(server: Server) -> None:
    body = json.dumps(WHERE_IS_MARY).encode()
    other = {"content-type": "text/plain"}
    assert server.ask("/api/answer", body, "", 30.0, **other).error == (415, "not-json", None)
    for compressed, headers in ((gzip.compress(body), {}), (body, {"content-encoding": "br"})):
        reply = server.ask("/api/answer", compressed, "", 30.0, **headers)
        assert reply.error == (415, "not-json", None)
        assert "compressed" in reply.json["error"]["message"]
    assert server.ask("/api/answer", body, "", 30.0, **{"content-encoding": "identity"}).status == 200
    assert server.ask("/api/answer", b"").error == (422, "invalid", None)


def test_text_of_a_request_is_returned_only_as_json(server: Server) -> None:
    script = "<script>alert(1)</script>"
    answered = server.ask("/api/answer", {"story": [script], "question": f"Where is {script}?"})
    assert answered.json["unknown_words"] == ["<", "script", ">", "alert", "1", "/"]
    refused = server.ask("/api/answer", WHERE_IS_MARY | {"model": script})
    assert script in refused.json["error"]["message"]
    for reply in (answered, refused):
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_range_requests_get_the_whole_file(server: Server) -> None:
    whole = server.ask("/page/page.js").body
    for part in ("bytes=0-1", "bytes=abc", "bytes=99999999-"):
        assert server.ask("/page/page.js", range=part).body == whole


def test_a_message_quotes_only_the_start_of_a_long_value(server: Server) -> None:
    reply = server.ask("/api/answer", WHERE_IS_MARY | {"model": "x" * 1_000_000})
    assert reply.error == (404, "unknown-model", "model")
    assert len(reply.body) < 1000
