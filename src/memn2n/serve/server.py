"""The HTTP server around the app: its socket, its connections, and how it stops."""

from __future__ import annotations

import gc
import signal
import socket
from typing import TYPE_CHECKING

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from memn2n.errors import InputError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from memn2n.serve.limits import Limits

_HEAD = 32 * 1024
"""Bytes of a request's line and headers, at most."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: a name or address of this machine.
        port: 0 takes any that is free.

    Raises:
        InputError: if the port is in use or may not be used, or the host is not of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(f"host {host}: {error.strerror}; name this machine, or an address of it") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise InputError(f"port {port} of {host}: {error.strerror}; choose another one with --port") from None
    return listening


def run(app: ASGIApp, listening: socket.socket, limits: Limits, on_start: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests that came before are answered.

    Args:
        app: what is served.
        listening: a socket, as of ``listen``; closed in the end.
        limits: connections, and seconds for requests to end in.
        on_start: called once requests are served.
    """

    class Connection(_Connection):
        most = limits.connections
        seconds = limits.timeout

    config = uvicorn.Config(
        app, http=Connection, ws="none", lifespan="on", log_level="warning", access_log=False, server_header=False,
        proxy_headers=False, timeout_graceful_shutdown=int(limits.timeout) + 1,
    )  # fmt: skip
    server = _Server(config, on_start)
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises a signal again when it has stopped
        signal.signal(number, server.handle_exit)
    gc.collect()
    gc.freeze()  # PyTorch and the models stay: looking through them again stops everything for a tenth of a second
    server.run([listening])


class _Server(uvicorn.Server):
    """Tells when it has started."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._on_start = on_start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._on_start is not None:
            self._on_start()


class _Connection(HttpToolsProtocol):
    """A connection whose request's head must come soon and be short."""

    most: int
    seconds: float

    _timer: asyncio.TimerHandle | None = None
    _head_size = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self._refuse(b"503 Service Unavailable", "busy", "too many connections; try again", b"retry-after: 1\r\n")
        else:
            self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:
            self._head_size += len(data)
            if self._head_size > _HEAD:
                message = f"the request's headers are longer than {_HEAD} bytes"
                self._refuse(b"431 Request Header Fields Too Large", "too-large", message)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        self._end_head()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - of uvicorn
        self._refuse(b"400 Bad Request", "not-http", "this is not an HTTP request")

    def _begin_head(self) -> None:
        self._end_head()
        self._timer = self.loop.call_later(self.seconds, self._late)

    def _end_head(self) -> None:
        self._head_size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._refuse(b"408 Request Timeout", "timeout", f"the request did not arrive within {self.seconds:g} seconds")

    def _refuse(self, status: bytes, code: str, message: str, header: bytes = b"") -> None:
        self._end_head()
        body = orjson.dumps({"error": {"code": code, "message": message, "field": None}})
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%bconnection: close\r\n\r\n%b"
            % (status, len(body), header, body)
        )
        self.transport.close()
