"""Bodies with too many values are refused before they are parsed, and the others are not."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from memn2n.serve.bodies import check_structure
from memn2n.serve.limits import FIELDS, Limits
from memn2n.serve.refusals import RefusedError
from tests.serve.test_guard import app_of, send

LIMITS = Limits(max_questions=10)


def is_refused(content: Any) -> bool:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        check_structure(body, LIMITS)
    except RefusedError as refused:
        assert (refused.status, refused.code) == (422, "too-many")
        return True
    return False


def test_the_largest_request_within_the_limits_is_not_refused() -> None:
    question = {"story": ["a"] * 1000, "question": "Where?"}
    assert not is_refused({"questions": [question] * 10, "model": None, "top": 5, "attention": True})


@pytest.mark.parametrize("text", ['[{[{"', '":,"', "\\", '\\"[', "\\\\", '[\\\\"{:\\', "{:[," * 50])
def test_characters_in_strings_do_not_count(text: str) -> None:
    few, many = [text] * 40, [[text]] * 40
    assert not is_refused({"story": few, text: text})
    assert is_refused({"story": many})


def test_lists_objects_and_fields_have_a_limit() -> None:
    most = 2 * LIMITS.max_questions + FIELDS
    assert not is_refused(b"[" * most + b" " * 99)
    assert is_refused(b"[" * (most + 1))
    assert is_refused(b"{" * (most + 1))
    fields = 4 * LIMITS.max_questions + FIELDS
    assert not is_refused({str(i): 0 for i in range(fields)})
    assert is_refused({str(i): 0 for i in range(fields + 1)})


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/answers", b'{"questions": [' + b"{}," * 1_300_000 + b"{}]}"),
        ("/api/answer", b"{" + b",".join(b'"%x": 1' % i for i in range(380_000)) + b"}"),
        ("/api/answer", b'{"question": "Where?", "story": [' + b"[]," * 1_300_000 + b"[]]}"),
        ("/api/answer", b'{"question": "Where?", "story": ["' + b"x," * 2_000_000 + b'"]}'),
        ("/api/answer", b'{"story": ["a"], "question": "' + b"! " * 2_000_000 + b'"}'),
    ],
    ids=["objects", "fields", "lists", "words", "question"],
)
def test_a_request_that_is_refused_does_not_delay_others(path: str, body: bytes) -> None:
    async def whole() -> tuple[float, int]:
        app = app_of()
        await send(app, [b"{}"])
        longest = 0.0

        async def beat() -> None:
            nonlocal longest
            while True:
                began = time.process_time()  # of this process, so that others on the machine do not matter
                await asyncio.sleep(0.001)
                longest = max(longest, time.process_time() - began)

        beating = asyncio.create_task(beat())
        reply = await send(app, [body], path)
        await asyncio.sleep(0)
        beating.cancel()
        return longest, reply.status

    longest, status = asyncio.run(whole())
    assert status == 422
    assert longest < 0.1
