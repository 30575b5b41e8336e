"""Connections that answer each request that has arrived: after the client's last byte, and while the server stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

_LAST_REQUESTS = 0.2
"""Seconds in which a server that stops still reads requests from the connections that it has accepted."""

_ROUNDS = 4
"""How often the open connections are looked up in this time."""


class Connection(H11Protocol):
    """An HTTP/1.1 connection. uvicorn's own drops requests in two cases in which this one answers them.

    - The client closes its sending half after its last request, as ``shutdown(SHUT_WR)`` does.
    - The server stops while requests are on their way, or wait behind others on the same connection.
    """

    _no_more_requests = False
    _ended = False  # by the client
    _stopped = False  # by the server

    @property
    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _answering(self) -> bool:
        """Whether a request has arrived as a whole and its response is not complete."""
        return self._busy and not self.cycle.more_body

    def data_received(self, data: bytes) -> None:
        """Read a part of a request."""
        if not self._stopped or (self._busy and not self._answering):  # else a client could delay the stop for ever
            super().data_received(data)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether to keep the connection open for a response when the client will send nothing more."""
        self._ended = True
        self.finish()
        return self._answering

    def finish(self) -> None:
        """Close the connection after the response to the last request that has arrived, and say so in its headers."""
        self._no_more_requests = True
        if self._busy and not self.conn.trailing_data[0]:
            self.cycle.keep_alive = False
            if CLOSE_HEADER not in self.cycle.scope["headers"]:
                self.cycle.scope["headers"] = [*self.cycle.scope["headers"], CLOSE_HEADER]

    def handle_events(self) -> None:
        """Start to answer the requests that have arrived."""
        super().handle_events()
        if self._no_more_requests:
            self.finish()
        if self._ended and not self._answering:
            self.transport.close()  # the rest of a request will not come

    def shutdown(self) -> None:
        """Close the connection, after the requests that have arrived if there are any. Read no further ones."""
        self._stopped = True
        if self._busy:
            self.finish()
        else:
            super().shutdown()


class GracefulServer(uvicorn.Server):
    """A uvicorn server that answers each request of the connections that it has accepted before it stops."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept waiting connections, stop listening, answer what arrives within ``_LAST_REQUESTS``, then stop."""
        accepted = [connection for listening in sockets or () for connection in _accept_all(listening)]
        for server in self.servers:
            server.close()
        for connection in accepted:
            await asyncio.get_running_loop().connect_accepted_socket(self._connection, connection)
        for _ in range(_ROUNDS):
            for open_connection in self.server_state.connections:
                if isinstance(open_connection, Connection):
                    open_connection.finish()
            await asyncio.sleep(_LAST_REQUESTS / _ROUNDS)
        await super().shutdown(sockets)

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, self.lifespan.state)


def _accept_all(listening: socket.socket) -> Iterable[socket.socket]:
    """Accept all connections that wait."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # there is none, or too many files are open
            return
        connection.setblocking(False)
        yield connection
