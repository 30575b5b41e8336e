"""What stands before the app: who may ask, how much and how long; headers; counts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from memn2n.serve.refusals import RETRY, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memn2n.serve.access import Access
    from memn2n.serve.limits import Limits
    from memn2n.serve.metrics import Metrics

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
"""Of every answer that has no other."""

_TOGETHER = 16
"""How many bodies of the largest size may be in memory at a time."""

_SMALL = 64 * 1024
"""Bytes of a body that there is always room for."""

_DRAINED = 4
"""How many bodies of the largest size are read of one that is too large, so that its sender sees the refusal."""


class Guard:
    """An ASGI app around another one.

    Args:
        app: the other one.
        access: who may ask.
        limits: how much and how long.
        metrics: what counts.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._metrics = metrics
        self._held = 0  # bytes of the bodies in memory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = dict(scope["headers"])
        body = _Body(headers, receive, self, self._limits.body)
        try:
            async with asyncio.timeout(self._limits.timeout):
                await self._serve(scope, headers, body, answer)
        except TimeoutError:
            if not status:  # else the asker is too slow to take the answer, and is cut off
                await body.refusal(self._late(body)).response()(scope, receive, answer)
        except ConnectionError:  # the asker has left
            pass
        finally:
            self._held -= body.held
            route = getattr(scope.get("route"), "path", "")
            self._metrics.answered(route or "other", status, time.perf_counter() - began)

    async def _serve(self, scope: Scope, headers: Mapping[bytes, bytes], body: _Body, send: Send) -> None:
        if b"range" in headers:  # no file here is long enough for parts, whose refusals would not be JSON
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
        try:
            self._access.check(scope["path"], headers)
            await body.read()
        except RefusedError as refused:
            await body.drain()
            await body.refusal(refused).response()(scope, body.receive, send)
        else:
            await self._app(scope, body.receive, send)

    def hold(self, size: int) -> None:
        """Reckon with so many further bytes in memory.

        Raises:
            RefusedError: 503, if there are too many.
        """
        if self._held + size > _TOGETHER * self._limits.body:
            raise RefusedError(503, "busy", "too many large requests at a time; try again", headers=RETRY)
        self._held += size

    def _late(self, body: _Body) -> RefusedError:
        within = f"within {self._limits.timeout:g} seconds"
        if not body.complete:
            return RefusedError(408, "timeout", f"the request did not arrive {within}")
        return RefusedError(503, "timeout", f"there was no answer {within}; try again, or ask less", headers=RETRY)


class _Body:
    """A request's body, which is read before the request is looked at."""

    def __init__(self, headers: Mapping[bytes, bytes], receive: Receive, guard: Guard, most: int) -> None:
        self.complete = False
        self.held = 0
        self._asks_before = b"expect" in headers  # and sends nothing before it is let
        self._announced = int(headers.get(b"content-length", 0))
        self._size = 0
        self._receive = receive
        self._guard = guard
        self._most = most
        self._content: bytes | None = None

    async def read(self) -> None:
        """Read all of it.

        Raises:
            RefusedError: 413, if it is too large; 503, if there is no room for it.
            ConnectionError: if the asker leaves.
        """
        chunks = []
        while not self.complete:
            if self._announced > self._most:
                raise self._too_large()
            chunk = await self._next()
            if self._size > self._most:
                raise self._too_large()
            if self._size > _SMALL:
                self._guard.hold(len(chunk))
                self.held += len(chunk)
            chunks.append(chunk)
        self._content = b"".join(chunks)

    async def drain(self) -> None:
        """Let a body come that is not wanted, within reason: who is still sending would not see why."""
        while not self.complete and not self._asks_before and self._size <= _DRAINED * self._most:
            await self._next()

    def refusal(self, refused: RefusedError) -> RefusedError:
        """The refusal, after which the connection is closed if more of the body would come."""
        if not self.complete:
            refused.headers = {**(refused.headers or {}), "connection": "close"}
        return refused

    async def receive(self) -> Message:
        """What the app receives: the whole body at once, then what happens to the connection."""
        if self._content is None:
            return await self._receive()
        content, self._content = self._content, None
        return {"type": "http.request", "body": content, "more_body": False}

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] != "http.request":
            raise ConnectionError
        self.complete = not message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        self._size += len(chunk)
        return chunk

    def _too_large(self) -> RefusedError:
        return RefusedError(413, "too-large", f"the body is too large: it may have {self._most} bytes at most")
