"""What stands before the app, in this process: with models that are slow or broken on purpose."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any, cast

import pytest

from memn2n import Answer, StoryQA, pretrained
from memn2n.errors import ConfigError
from memn2n.serve.access import Access, access_to
from memn2n.serve.app import create_app
from memn2n.serve.guard import Guard
from memn2n.serve.limits import Limits
from memn2n.serve.models import Models, ServedQA
from tests.serve.conftest import WHERE_IS_MARY, Reply


class Stub:
    """Answers with what a function does."""

    def __init__(self, before: Callable[[], object]) -> None:
        self.before = before
        self.real = pretrained()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def answer_many(self, questions: Sequence[Any], *, top: int) -> list[Answer]:
        self.before()
        return self.real.answer_many(questions, top=top)


def app_of(before: Callable[[], object] = lambda: None, limits: Limits | None = None) -> Guard:
    limits = limits or Limits()
    served = ServedQA("stub", cast("StoryQA", Stub(before)), limits)
    return create_app(Models([served]), Access(local=False), limits)


async def send(
    app: Guard, chunks: Sequence[bytes] | AsyncIterator[bytes] = (), path: str = "/api/answer", seconds: float = 0.0
) -> Reply:
    """One request, as a server hands it over; the body comes in chunks, and the answer is taken slowly."""
    sent: list[dict[str, Any]] = []

    async def whole() -> AsyncIterator[bytes]:
        for chunk in cast("Sequence[bytes]", chunks):
            yield chunk

    coming = chunks if isinstance(chunks, AsyncIterator) else whole()

    async def receive() -> dict[str, Any]:
        async for chunk in coming:
            return {"type": "http.request", "body": chunk, "more_body": True}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def answer(message: Any) -> None:
        sent.append(message)
        await asyncio.sleep(seconds)

    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": "", "http_version": "1.1", "scheme": "http", "server": None, "client": None,
        "headers": [(b"content-type", b"application/json")], "asgi": {"version": "3.0"},
    }  # fmt: skip
    with suppress(ZeroDivisionError):  # what the server logs
        await app(scope, receive, answer)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))


ASKED = [json.dumps(WHERE_IS_MARY).encode()]


def test_a_failure_tells_nothing_of_the_inside() -> None:
    def fail() -> None:
        raise ZeroDivisionError("secret at /home")

    reply = asyncio.run(send(app_of(fail), ASKED))
    assert reply.error == (500, "internal", None)
    assert b"secret" not in reply.body
    assert b"/home" not in reply.body


def test_a_slow_answer_is_given_up_and_what_waits_is_refused() -> None:
    async def whole() -> list[Reply]:
        let = threading.Event()
        app = app_of(lambda: let.wait(10), Limits(timeout=0.3, queue=2))
        working = asyncio.create_task(send(app, ASKED))
        await asyncio.sleep(0.05)
        replies = await asyncio.gather(*(send(app, ASKED) for _ in range(3)))
        late = await working
        let.set()
        await asyncio.sleep(0.2)
        return [late, *replies, await send(app, ASKED)]

    late, first, second, refused, after = asyncio.run(whole())
    for reply in (late, first, second):
        assert reply.error == (503, "timeout", None)
        assert reply.headers["retry-after"] == "1"
    assert refused.error == (503, "busy", None)
    assert refused.headers["retry-after"] == "1"
    assert after.json["prediction"] == "bathroom"


def test_a_slow_body_is_given_up() -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(5)
        yield b"}"

    reply = asyncio.run(send(app_of(limits=Limits(timeout=0.2)), slow()))
    assert reply.error == (408, "timeout", None)
    assert reply.headers["connection"] == "close"


def test_who_takes_the_answer_slowly_is_cut_off() -> None:
    began = time.monotonic()
    reply = asyncio.run(send(app_of(limits=Limits(timeout=0.2)), ASKED, seconds=5.0))
    assert (reply.status, reply.body) == (200, b"")
    assert time.monotonic() - began < 3


def test_a_body_is_read_up_to_its_limit() -> None:
    body = ASKED[0] + b" " * 1000
    limits = Limits(body=len(body))
    assert asyncio.run(send(app_of(limits=limits), [body[:50], body[50:]])).status == 200
    assert asyncio.run(send(app_of(limits=limits), [body, b" "])).error == (413, "too-large", None)


def test_the_body_of_a_refused_request_is_let_in_and_not_kept() -> None:
    async def whole() -> tuple[Reply, Reply]:
        app = create_app(Models([]), Access("secret", local=False), Limits(body=100, timeout=0.5))
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


def test_large_bodies_have_a_bound_together() -> None:
    async def whole() -> tuple[list[Reply], Reply]:
        go_on = asyncio.Event()

        async def held() -> AsyncIterator[bytes]:
            yield ASKED[0] + b" " * (90_000 - len(ASKED[0]))
            await go_on.wait()

        app = app_of(limits=Limits(body=100_000))
        asked = [asyncio.create_task(send(app, held())) for _ in range(20)]
        await asyncio.sleep(0.1)
        small = await send(app, ASKED)  # for which there is always room
        go_on.set()
        return await asyncio.gather(*asked), small

    replies, after = asyncio.run(whole())
    assert sorted(reply.status for reply in replies) == [200] * 17 + [503] * 3  # 17 x 90,000 are below 16 x 100,000
    assert after.status == 200


def test_limits_must_be_positive() -> None:
    for name in ("body", "timeout", "queue"):
        with pytest.raises(ConfigError, match=f"{name} is 0"):
            Limits(**{name: 0})
    with pytest.raises(ConfigError, match="timeout is nan"):
        Limits(timeout=float("nan"))


def test_who_needs_a_token() -> None:
    assert access_to("127.0.0.1", None, False) == access_to("localhost", None, False) == access_to("::1", None, False)
    assert access_to("127.0.0.1", None, False).local
    assert access_to("0.0.0.0", None, True) == Access(local=False)
    assert access_to("127.0.0.1", "secret", False) == Access("secret", local=False)
    for host in ("0.0.0.0", "::", "192.168.1.5", "example.org", ""):
        with pytest.raises(ConfigError, match=r"--token .* --no-auth"):
            access_to(host, None, False)
    for token in ("", "two words", "ключ"):
        with pytest.raises(ConfigError, match="token"):
            access_to("127.0.0.1", token, False)
    with pytest.raises(ConfigError, match="contradict"):
        access_to("0.0.0.0", "secret", True)
