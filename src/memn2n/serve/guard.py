"""What stands before the app: who may ask, how much and how long; headers; counts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

from memn2n.serve.refusals import RETRY, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

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

_CLOSE = {"connection": "close"}

_TOGETHER = 16
"""How many bodies of the largest size may be in memory at a time."""

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

        body = _Body(receive, self, self._limits.body)
        try:
            async with asyncio.timeout(self._limits.timeout):
                self._access.check(scope["path"], scope["headers"])
                await body.read(scope["headers"])
                await self._app(scope, body.receive, answer)
        except TimeoutError:
            if status:  # the asker is too slow to take the answer
                raise
            await self._late(body).response()(scope, receive, answer)
        except RefusedError as refusal:
            await refusal.response()(scope, receive, answer)
        except ConnectionError:  # the asker has left
            pass
        finally:
            self._held -= body.held
            route = getattr(scope.get("route"), "path", "")
            self._metrics.answered(route or "other", status, time.perf_counter() - began)

    def hold(self, size: int) -> None:
        """Reckon with so many further bytes in memory.

        Raises:
            RefusedError: 503, if there are too many.
        """
        if self._held + size > _TOGETHER * self._limits.body:
            message = "too many large requests at a time; try again"
            raise RefusedError(503, "busy", message, headers={**RETRY, **_CLOSE})
        self._held += size

    def _late(self, body: _Body) -> RefusedError:
        seconds = f"{self._limits.timeout:g} seconds"
        if not body.complete:
            return RefusedError(408, "timeout", f"the request did not arrive within {seconds}", headers=_CLOSE)
        return RefusedError(
            503, "timeout", f"there was no answer within {seconds}; try again, or ask less", headers=RETRY
        )


class _Body:
    """A request's body, which is read before the request is looked at."""

    def __init__(self, receive: Receive, guard: Guard, most: int) -> None:
        self.complete = False
        self.held = 0
        self._receive = receive
        self._guard = guard
        self._most = most
        self._content: bytes | None = None

    async def read(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Read all of it.

        Raises:
            RefusedError: 413, if it is too large; 503, if there is no room for it.
            ConnectionError: if the asker leaves.
        """
        given = dict(headers)
        size, chunks = 0, []
        if _is_above(given.get(b"content-length"), self._most) and b"expect" in given:
            raise self._too_large()  # and is not sent
        while not self.complete:
            message = await self._receive()
            if message["type"] != "http.request":
                raise ConnectionError
            chunk: bytes = message.get("body", b"")
            size += len(chunk)
            self.complete = not message.get("more_body", False)
            if size <= self._most:
                self._guard.hold(len(chunk))
                self.held += len(chunk)
                chunks.append(chunk)
            elif size > _DRAINED * self._most:
                break
        if size > self._most:
            raise self._too_large()
        self._content = b"".join(chunks)

    async def receive(self) -> Message:
        """What the app receives: the whole body at once, then what happens to the connection."""
        if self._content is None:
            return await self._receive()
        content, self._content = self._content, None
        return {"type": "http.request", "body": content, "more_body": False}

    def _too_large(self) -> RefusedError:
        message = f"the body is too large: it may have {self._most} bytes at most"
        return RefusedError(413, "too-large", message, headers=_CLOSE)


def _is_above(number: bytes | None, most: int) -> bool:
    return number is not None and number.isdigit() and int(number) > most
