"""ASGI middleware around the app: access, limits of size and time, response headers, metrics, access log."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.responses import Response

from memn2n.serve.limits import BODIES, DISCARDED_BODIES, LOGGED_CHARACTERS, RESPONSE_PART, UNCOUNTED_BYTES
from memn2n.serve.origins import cross_origin_headers, is_preflight
from memn2n.serve.refusals import RefusedError, busy, slow_answer, slow_body, too_large

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memn2n.serve.access import Access
    from memn2n.serve.limits import Limits
    from memn2n.serve.metrics import RequestMetrics

ACCESS_LOG = "memn2n.access"
"""Name of the logger that gets a record of level INFO for each request."""

_log = logging.getLogger(ACCESS_LOG)

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
    """ASGI middleware that passes on only requests within the limits, with their whole body. It counts all requests.

    Args:
        app: the app behind it.
        access: what a request needs in order to be served.
        limits: the limits on the size and the time of a request.
        metrics: counts the requests.
        root_path: the path that a proxy serves the app under; by default the one that the ASGI server names. The
            path of a request may have it or not.
    """

    def __init__(
        self, app: ASGIApp, access: Access, limits: Limits, metrics: RequestMetrics, root_path: str = ""
    ) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._metrics = metrics
        self._root_path = root_path
        self._bytes_in_memory = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        root = self._root_path or scope.get("root_path", "")
        path = _path_below(root, scope["path"])
        scope = {**scope, "root_path": root, "path": root + path}
        headers = dict(scope["headers"])
        allowed = cross_origin_headers(self._access.origins, scope["method"], headers)

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                found = MutableHeaders(scope=message)
                for name, value in (_HEADERS | allowed).items():
                    found.setdefault(name, value)
            await _send_in_parts(message, send)

        body = _Body(headers, receive, self, self._limits.max_body)
        try:
            async with asyncio.timeout(self._limits.timeout):
                if is_preflight(scope["method"], headers) and "access-control-allow-origin" in allowed:
                    await Response(status_code=204)(scope, body.receive, respond)
                else:
                    await self._serve(scope, path, body, respond)
        except TimeoutError:
            if not status:  # otherwise the client reads too slowly, and the HTTP server closes the connection
                refusal = slow_answer if body.complete else slow_body
                await body.refuse(refusal(self._limits.timeout), scope, respond)
        except ConnectionError:
            pass  # the client disconnected
        finally:
            self._bytes_in_memory -= body.counted
            route = getattr(scope.get("route"), "path", "")
            seconds = time.perf_counter() - began
            self._metrics.answered(route or "other", status, seconds)
            if _log.isEnabledFor(logging.INFO):
                target = scope.get("raw_path") or path.encode()
                _log.info("%s %s %d %.1f ms", _logged(scope["method"]), _logged(target), status, 1000 * seconds)

    async def _serve(self, scope: Scope, path: str, body: _Body, send: Send) -> None:
        # Starlette would refuse some ranges in plain text, and no file here is large
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"range"]
        try:
            self._access.check(path, scope["headers"])
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


def _path_below(root: str, path: str) -> str:
    """The path below a root path; the path itself if it is not below it."""
    rest = path.removeprefix(root)
    return rest if rest[:1] in ("", "/") else path


def _logged(text: str | bytes) -> str:
    """A part of a line of the access log: shortened, and printable ASCII without spaces."""
    text = text.decode("latin-1") if isinstance(text, bytes) else text
    return ascii(text[:LOGGED_CHARACTERS])[1:-1].replace(" ", "\\x20")
