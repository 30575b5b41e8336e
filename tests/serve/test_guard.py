"""The middleware, run in this process with models that are slow or broken on purpose."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import pytest
from starlette.types import Message, Receive, Scope, Send

from memn2n import Answer, StoryQA, pretrained
from memn2n.errors import ConfigError
from memn2n.serve.access import Access, access_to
from memn2n.serve.app import create_app
from memn2n.serve.guard import Guard
from memn2n.serve.limits import RESPONSE_PART, Limits
from memn2n.serve.metrics import RequestMetrics
from memn2n.serve.models import Models, ServedQA
from tests.serve.conftest import WHERE_IS_MARY, Reply


class Stub:
    """The packaged model, which calls a function before each batch."""

    def __init__(self, before: Callable[[], object]) -> None:
        self.before = before
        self.real = pretrained()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def answer_many(self, questions: Sequence[Any], *, top: int, renamings: int) -> list[Answer]:
        self.before()
        return self.real.answer_many(questions, top=top, renamings=renamings)


def app_of(before: Callable[[], object] = lambda: None, limits: Limits | None = None) -> Guard:
    limits = limits or Limits()
    served = ServedQA("stub", cast("StoryQA", Stub(before)), limits)
    return create_app(Models([served]), Access(local=False), limits)


async def send(
    app: Guard,
    chunks: Sequence[bytes] | AsyncIterator[bytes] = (),
    path: str = "/api/answer",
    seconds: float = 0.0,
    method: str = "POST",
) -> Reply:
    """Send one request as an ASGI server does. Each message of the response takes the client some seconds to read."""
    sent: list[dict[str, Any]] = []

    async def whole() -> AsyncIterator[bytes]:
        for chunk in cast("Sequence[bytes]", chunks):
            yield chunk

    coming = chunks if isinstance(chunks, AsyncIterator) else whole()

    async def receive() -> dict[str, Any]:
        async for chunk in coming:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def respond(message: Any) -> None:
        sent.append(message)
        await asyncio.sleep(seconds)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "http_version": "1.1", "scheme": "http", "server": None, "client": None,
        "headers": [(b"content-type", b"application/json")], "asgi": {"version": "3.0"},
    }  # fmt: skip
    with suppress(ZeroDivisionError):  # the HTTP server logs it
        await app(scope, receive, respond)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))


QUESTION = [json.dumps(WHERE_IS_MARY).encode()]


def test_a_failure_does_not_reveal_its_reason() -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret at /home")

    reply = asyncio.run(send(app_of(fail), QUESTION))
    assert reply.error == (500, "internal", None)
    assert b"secret" not in reply.body
    assert b"/home" not in reply.body


def test_the_readiness_check_asks_each_model() -> None:
    errors: list[Exception] = []
    asked = []

    def before() -> None:
        asked.append(1)
        if errors:
            raise errors[0]

    async def whole() -> list[Reply]:
        app = app_of(before)
        errors.append(MemoryError("secret at /home"))
        failed = await send(app, path="/readyz", method="GET")
        errors.clear()
        return [failed, *await asyncio.gather(*(send(app, path="/readyz", method="GET") for _ in range(20)))]

    failed, *ready = asyncio.run(whole())
    assert failed.error == (503, "not-ready", None)
    assert b"stub does not answer" in failed.body
    assert b"secret" not in failed.body
    assert all(reply.json == {"status": "ok"} for reply in ready)
    assert len(asked) == 2  # twenty checks at the same time ask once


def test_slow_answers_time_out_and_a_full_queue_refuses_requests() -> None:
    async def whole() -> list[Reply]:
        go = threading.Event()
        app = app_of(lambda: go.wait(10), Limits(timeout=0.3, queue=2))
        working = asyncio.create_task(send(app, QUESTION))
        await asyncio.sleep(0.05)
        replies = await asyncio.gather(*(send(app, QUESTION) for _ in range(3)))
        late = await working
        go.set()
        await asyncio.sleep(0.2)
        return [late, *replies, await send(app, QUESTION)]

    late, first, second, refused, after = asyncio.run(whole())
    for reply in (late, first, second):
        assert reply.error == (503, "timeout", None)
        assert reply.headers["retry-after"] == "1"
    assert refused.error == (503, "busy", None)
    assert refused.headers["retry-after"] == "1"
    assert after.json["prediction"] == "bathroom"


def test_a_slow_body_times_out() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    reply = asyncio.run(send(app_of(limits=Limits(timeout=0.2)), slow()))
    assert reply.error == (408, "timeout", None)
    assert reply.headers["connection"] == "close"


def test_a_response_to_a_slow_client_times_out() -> None:
    began = time.monotonic()
    reply = asyncio.run(send(app_of(limits=Limits(timeout=0.2)), QUESTION, seconds=5.0))
    assert (reply.status, reply.body) == (200, b"")
    assert time.monotonic() - began < 3


def test_a_long_response_is_sent_in_parts() -> None:
    sent: list[Message] = []

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(range(250)) * 1000})

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send_part(message: Message) -> None:
        sent.append(message)

    guard = Guard(respond, Access(local=False), Limits(), RequestMetrics(Models([])))
    asyncio.run(guard({"type": "http", "method": "GET", "path": "/", "headers": []}, receive, send_part))
    parts = sent[1:]
    assert b"".join(part["body"] for part in parts) == bytes(range(250)) * 1000
    assert [part.get("more_body", False) for part in parts] == [True, True, True, False]
    assert max(len(part["body"]) for part in parts) <= RESPONSE_PART


def test_a_body_may_have_the_size_of_the_limit() -> None:
    body = QUESTION[0] + b" " * 1000
    limits = Limits(max_body=len(body))
    assert asyncio.run(send(app_of(limits=limits), [body[:50], body[50:]])).status == 200
    assert asyncio.run(send(app_of(limits=limits), [body, b" "])).error == (413, "too-large", None)


def test_the_body_of_a_refused_request_is_discarded_up_to_a_limit() -> None:
    async def whole() -> tuple[Reply, Reply]:
        app = create_app(Models([]), Access("secret", local=False), Limits(max_body=100, timeout=0.5))
        sent = []

        async def body(chunks: int) -> AsyncIterator[bytes]:
            for _ in range(chunks):
                sent.append(await asyncio.sleep(0, b"x" * 90))
                yield sent[-1]

        replies = await send(app, body(3)), await send(app, body(1000))
        assert 3 + 5 <= len(sent) < 10
        return replies

    short, endless = asyncio.run(whole())
    assert short.error == endless.error == (401, "unauthorized", None)
    assert "connection" not in short.headers
    assert endless.headers["connection"] == "close"


def test_all_large_bodies_together_have_a_limit() -> None:
    async def whole() -> tuple[list[Reply], Reply]:
        finish = asyncio.Event()

        async def held() -> AsyncIterator[bytes]:
            yield QUESTION[0] + b" " * (90_000 - len(QUESTION[0]))
            await finish.wait()

        app = app_of(limits=Limits(max_body=100_000))
        requests = [asyncio.create_task(send(app, held())) for _ in range(20)]
        await asyncio.sleep(0.1)
        small = await send(app, QUESTION)  # does not count
        finish.set()
        return await asyncio.gather(*requests), small

    replies, after = asyncio.run(whole())
    assert sorted(reply.status for reply in replies) == [200] * 17 + [503] * 3  # 17 x 90,000 are below 16 x 100,000
    assert after.status == 200


def test_a_token_is_required_if_others_can_reach_the_host() -> None:
    assert access_to("127.0.0.1", None, False) == access_to("localhost", None, False) == access_to("::1", None, False)
    assert access_to("127.0.0.1", None, False).local
    assert access_to("0.0.0.0", None, True) == Access(local=False)
    assert access_to("127.0.0.1", "secret", False) == Access("secret", local=False)
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org", ""):
        with pytest.raises(ConfigError, match=r"set token .* with no_auth"):
            access_to(host, None, False)
    for token in ("", "two words", "ключ"):
        with pytest.raises(ConfigError, match="token"):
            access_to("127.0.0.1", token, False)
    with pytest.raises(ConfigError, match="contradict"):
        access_to("0.0.0.0", "secret", True)
