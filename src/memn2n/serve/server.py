"""The HTTP server around the app: its socket, and how it starts and stops."""

from __future__ import annotations

import errno
import gc
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from memn2n.errors import InputError
from memn2n.serve.connections import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from memn2n.serve.limits import Limits


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
        option = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
        raise InputError(f"port {port} of {host}: {error.strerror}; choose another one with {option}") from None
    return listening


def run(app: ASGIApp, listening: socket.socket, limits: Limits, on_start: Callable[[], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests that came before are answered.

    Args:
        app: what is served.
        listening: a socket, as of ``listen``; closed in the end.
        limits: connections, and seconds for requests to end in.
        on_start: called once requests are served.
    """

    class Bounded(Connection):
        most = limits.connections
        seconds = limits.timeout

    config = uvicorn.Config(
        app, http=Bounded, ws="none", lifespan="on", log_level="error", access_log=False, server_header=False,
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
