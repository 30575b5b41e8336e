"""The HTTP server that runs the app: its socket, start and stop."""

from __future__ import annotations

import errno
import gc
import signal
import socket
from typing import TYPE_CHECKING

import uvicorn

from memn2n.errors import InputError
from memn2n.serve.limits import HEADER_BYTES, KEEP_ALIVE

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from memn2n.serve.limits import Limits

_BACKLOG = 1024


def listen(host: str, port: int, limits: Limits) -> socket.socket:
    """Open a socket that listens.

    Args:
        host: a name or address of this machine.
        port: 0 selects a free port.
        limits: a client that reads nothing for ``timeout`` seconds is disconnected (on Linux).

    Raises:
        InputError: if the port is in use or not permitted, or the host is not this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listening = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:  # ValueError: a name that cannot be encoded, such as "a..b"
        reason = getattr(error, "strerror", "this is not the name of a machine")
        raise InputError(f"host {host}: {reason}; use a name or an address of this machine") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # accepted connections inherit it
            milliseconds = min(int(1000 * limits.timeout) + 1, 2**31 - 1)
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        option = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
        raise InputError(f"port {port} of {host}: {error.strerror}; choose another one with {option}") from None
    return listening


def run(app: ASGIApp, listening: socket.socket, limits: Limits) -> None:
    """Serve until SIGINT or SIGTERM, then finish the requests that have arrived.

    Args:
        app: the ASGI app.
        listening: a socket from ``listen``; it is closed at the end.
        limits: the limits on connections and on the time of a request.
    """
    config = uvicorn.Config(
        app,
        http="h11",  # uvicorn's other parser does not limit the size of headers
        h11_max_incomplete_event_size=HEADER_BYTES,
        limit_concurrency=limits.max_connections + 1,  # uvicorn refuses requests when this number is reached
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(limits.timeout) + 1,
        ws="none", lifespan="on", log_level="error", access_log=False, server_header=False, proxy_headers=False,
    )  # fmt: skip
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):  # uvicorn raises the signal again after it has stopped
        signal.signal(number, server.handle_exit)
    gc.collect()
    gc.freeze()  # libraries and models stay in memory: collecting them again would stop all requests for 0.1 s
    try:
        server.run([listening])
    finally:
        gc.unfreeze()  # so that Python can free the models when it ends
