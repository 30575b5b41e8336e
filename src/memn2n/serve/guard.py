"""ASGI middleware around the app: access, limits of size and time, response headers, metrics."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from memn2n.serve.limits import BODIES, DISCARDED_BODIES, RESPONSE_PART, UNCOUNTED_BYTES
from memn2n.serve.refusals import RefusedError, busy, slow_answer, slow_body, too_large

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memn2n.serve.access import Access
    from memn2n.serve.limits import Limits
    from memn2n.serve.metrics import RequestMetrics

_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}
"""Headers of each response that does not set them itself."""


class Guard:
    """ASGI middleware that passes on only requests within the limits, with their whole body. It counts all requests."""

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, metrics: RequestMetrics) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._metrics = metrics
        self._bytes_in_memory = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await _send_in_parts(message, send)

        headers = dict(scope["headers"])
        body = _Body(headers, receive, self, self._limits.max_body)
        try:
            async with asyncio.timeout(self._limits.timeout):
                await self._serve(scope, headers, body, respond)
        except TimeoutError:
            if not status:  # otherwise the client reads too slowly, and the HTTP server closes the connection
                refusal = slow_answer if body.complete else slow_body
                await body.refuse(refusal(self._limits.timeout), scope, respond)
        except ConnectionError:
            pass  # the client disconnected
        finally:
            self._bytes_in_memory -= body.counted
            route = getattr(scope.get("route"), "path", "")
            self._metrics.answered(route or "other", status, time.perf_counter() - began)

    async def _serve(self, scope: Scope, headers: Mapping[bytes, bytes], body: _Body, send: Send) -> None:
        if b"range" in headers:  # Starlette would refuse some ranges in plain text, and no file here is large
            scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
        try:
            self._access.check(scope["path"], headers)
            await body.read()
        except RefusedError as refused:
            await body.discard()
            await body.refuse(refused, scope, send)
        else:
            await self._app(scope, body.receive, send)

    def reserve(self, size: int) -> None:
        """Add ``size`` bytes to those that request bodies take up in memory.

        Raises:
            RefusedError: 503, if they would be more than the limit.
        """
        if self._bytes_in_memory + size > BODIES * self._limits.max_body:
            raise busy("too many large requests are being served")
        self._bytes_in_memory += size


class _Body:
    """A request's body, which is read as a whole before the app is called."""

    def __init__(self, headers: Mapping[bytes, bytes], receive: Receive, guard: Guard, limit: int) -> None:
        self.complete = False
        self.counted = 0  # bytes that the guard has reserved for this body
        self._expects = b"expect" in headers  # the client waits for 100 Continue before it sends the body
        self._announced = int(headers.get(b"content-length", 0))
        self._size = 0
        self._receive = receive
        self._guard = guard
        self._limit = limit
        self._content: bytes | None = None

    async def read(self) -> None:
        """Read the whole body.

        Raises:
            RefusedError: 413 if the body is too large; 503 if too many large bodies are in memory.
            ConnectionError: if the client disconnects.
        """
        chunks = []
        while not self.complete:
            if self._announced > self._limit:
                raise too_large(self._limit)
            chunk = await self._next()
            if self._size > self._limit:
                raise too_large(self._limit)
            if self._size > UNCOUNTED_BYTES:
                self._guard.reserve(len(chunk))
                self.counted += len(chunk)
            chunks.append(chunk)
        self._content = b"".join(chunks)

    async def discard(self) -> None:
        """Read the rest of a refused body, up to a limit, and throw it away."""
        while not self.complete and not self._expects and self._size <= DISCARDED_BODIES * self._limit:
            await self._next()

    async def refuse(self, refused: RefusedError, scope: Scope, send: Send) -> None:
        """Send a refusal. Close the connection after it if more of the body would follow."""
        if not self.complete:
            refused.headers = {**(refused.headers or {}), "connection": "close"}
        await refused.response()(scope, self.receive, send)

    async def receive(self) -> Message:
        """The next ASGI message for the app: first the whole body, then a disconnection."""
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


async def _send_in_parts(message: Message, send: Send) -> None:
    """Send a message, cut into parts of a bounded size if it has a longer body.

    The HTTP server accepts a part when the client has read most of the parts before. If the request is cancelled
    meanwhile, the parts that are left take up no memory.
    """
    body: bytes = message.get("body", b"")
    start = 0
    while len(body) - start > RESPONSE_PART:
        await send({"type": "http.response.body", "body": body[start : start + RESPONSE_PART], "more_body": True})
        start += RESPONSE_PART
    await send({**message, "body": body[start:]} if start else message)
