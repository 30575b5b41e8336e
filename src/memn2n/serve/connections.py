"""HTTP connections that end if their other side takes too long, or sends more than it may.

uvicorn bounds neither the time nor the size of a request's head, waits for ever for an answer to be taken, and refuses
what is no HTTP in plain text. This is the one place that relies on how it works inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_HEAD = 32 * 1024
"""Bytes of a request's line and headers, at most."""


class Connection(HttpToolsProtocol):
    """A connection: ``most`` may be open, and each has ``seconds`` for a head, and for its answer to be taken."""

    most: int
    seconds: float

    _head_timer: asyncio.TimerHandle | None = None
    _leave_timer: asyncio.TimerHandle | None = None
    _head_size = 0
    _untold = 0  # bytes since the parser last told anything
    _last_words: bytes | None = None
    _said = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Accept it, if there are not too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(b"503 Service Unavailable", "busy", "too many connections; try again", b"retry-after: 1\r\n")
        else:
            self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._end_head()
        self._stay()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; after a refusal, only so that its reader is not reset before it has read."""
        if self._last_words is not None:
            return
        self._untold += len(data)
        super().data_received(data)
        if self._untold > _HEAD:
            self._refuse_head()
        elif self._head_timer is None and self._is_idle() and not self.transport.is_closing():
            self._begin_head()  # line ends between requests are no beginning of one

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_size = 0
        self._begin_head()

    def on_url(self, url: bytes) -> None:
        """A part of its URL."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, before the body or after it."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """All headers before the body."""
        self._untold = 0
        self._end_head()
        if self.parser.should_upgrade() and self.parser.get_method() not in (b"GET", b"HEAD"):
            raise ValueError  # the parser would leave the body out
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._untold = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """An answer was given, though not taken."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._leave()
        elif self._last_words is not None and self._is_idle():
            self._say_last()

    def timeout_keep_alive_handler(self) -> None:
        """No request came for a while."""
        super().timeout_keep_alive_handler()
        self._leave()

    def pause_writing(self) -> None:
        """The answer is taken slowly."""
        super().pause_writing()
        self._leave()

    def resume_writing(self) -> None:
        """It is taken."""
        super().resume_writing()
        if not self.transport.is_closing() and not self._said:
            self._stay()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - of uvicorn
        """What came cannot be read on."""
        if self._head_size > _HEAD:
            self._refuse_head()
        else:
            self._refuse(b"400 Bad Request", "not-http", "this is not an HTTP/1.1 request")

    def _count(self, size: int) -> None:
        self._untold = 0
        self._head_size += size
        if self._head_size > _HEAD:
            raise ValueError

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _begin_head(self) -> None:
        self._end_head()
        self._head_timer = self.loop.call_later(self.seconds, self._refuse_late)

    def _end_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _leave(self) -> None:
        """End it soon, whatever was not taken by then."""
        self._stay()
        self._leave_timer = self.loop.call_later(self.seconds, self.transport.abort)

    def _stay(self) -> None:
        if self._leave_timer is not None:
            self._leave_timer.cancel()
            self._leave_timer = None

    def _refuse_late(self) -> None:
        self._refuse(b"408 Request Timeout", "timeout", f"the request did not arrive within {self.seconds:g} seconds")

    def _refuse_head(self) -> None:
        message = f"the request's headers are longer than {_HEAD} bytes"
        self._refuse(b"431 Request Header Fields Too Large", "too-large", message)

    def _refuse(self, status: bytes, code: str, message: str, header: bytes = b"") -> None:
        """Say what is wrong, after the answers that are due, and end the connection."""
        if self._last_words is not None or self.transport.is_closing():
            return
        self._end_head()
        body = orjson.dumps({"error": {"code": code, "message": message, "field": None}})
        self._last_words = (
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%bconnection: close\r\n\r\n%b"
            % (status, len(body), header, body)
        )
        if self._is_idle():
            self._say_last()
        elif self.cycle.more_body:  # of this very request
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._say_last()

    def _say_last(self) -> None:
        self._said = True
        self.transport.write(self._last_words or b"")
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()
        self._leave()
