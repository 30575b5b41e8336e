"""The HTTP server that runs the app: its socket, start and stop."""

from __future__ import annotations

import atexit
import errno
import gc
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import uvicorn

from memn2n.errors import ConfigError, InputError, MemN2NError, Setting
from memn2n.serve.access import access_to
from memn2n.serve.app import create_app
from memn2n.serve.connections import Connection, GracefulServer
from memn2n.serve.limits import HEADER_BYTES, KEEP_ALIVE, Limits
from memn2n.serve.models import load_models
from memn2n.serve.unix_socket import identity, listen_unix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from memn2n.lm.model import MemoryLM
    from memn2n.qa.model import StoryQA

HOST, PORT = "127.0.0.1", 8321

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


class Server:
    """A server of some models in a thread of its own. It can be started once.

    >>> with Server(["stories"], port=0) as server:  # doctest: +SKIP
    ...     print(server.url)

    Args:
        models: models by name; or directories and names of pretrained models, as ``memn2n serve`` takes them. By
            default the model that comes with the package.
        host: a name or address of this machine.
        port: 0 selects a free port.
        uds: the file of a Unix domain socket to listen at, in place of host and port.
        uds_mode: the permissions of this file; by default, only its owner can connect.
        token: must be sent with each request to the API.
        no_auth: answer all requests, with any host name.
        cors_origin: origins of web pages that may read the responses.
        root_path: the path that a proxy serves the app under, such as ``/memn2n``.
        limits: the limits on requests.

    Raises:
        ConfigError: if the settings contradict each other.
        InputError: if a model cannot be loaded, or two models have the same name.
    """

    def __init__(
        self,
        models: Mapping[str, StoryQA | MemoryLM] | Iterable[str] = (),
        *,
        host: str = HOST,
        port: int = PORT,
        uds: str | Path | None = None,
        uds_mode: int = 0o600,
        token: str | None = None,
        no_auth: bool = False,
        cors_origin: Iterable[str] = (),
        root_path: str = "",
        limits: Limits | None = None,
    ) -> None:
        if uds is not None and (host, port) != (HOST, PORT):
            raise ConfigError(Setting("uds"), " takes the place of ", Setting("host"), " and ", Setting("port"))
        self._host, self._port, self._limits = host, port, limits or Limits()
        self._uds, self._uds_mode = None if uds is None else Path(uds).absolute(), uds_mode
        access = access_to(host, token, no_auth, cors_origin)
        self.models = load_models(models, self._limits)
        self._started = threading.Event()
        self._uvicorn = GracefulServer(uvicorn.Config(
            create_app(self.models, access, self._limits, self._started.set, root_path),
            http=Connection,  # h11: uvicorn's other parser does not limit the size of headers
            h11_max_incomplete_event_size=HEADER_BYTES,
            limit_concurrency=self._limits.max_connections + 1,  # uvicorn refuses requests when this number is reached
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=int(self._limits.timeout) + 1,
            ws="none", lifespan="on", log_level="error", access_log=False, server_header=False, proxy_headers=False,
        ))  # fmt: skip
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address, with the port that was selected once the server has started; ``unix:PATH`` for a socket."""
        if self._uds is not None:
            return f"unix:{self._uds}"
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    def start(self) -> Self:
        """Start the server, and return it when it answers requests.

        Raises:
            InputError: if the port or the socket is in use or not permitted, or the host is not this machine.
            MemN2NError: if the server was started before.
        """
        if self._thread is not None:
            raise MemN2NError("a server can be started once; make another one")
        if self._uds is None:
            listening = listen(self._host, self._port, self._limits)
            self._port = listening.getsockname()[1]
        else:
            listening = listen_unix(self._uds, self._uds_mode, _BACKLOG)
        self._thread = threading.Thread(target=self._serve, args=(listening,), name="memn2n-server", daemon=True)
        self._thread.start()
        atexit.register(self.stop)
        self._started.wait()
        if not self._thread.is_alive():
            raise MemN2NError("the server did not start; the log has the reason")
        return self

    def stop(self) -> None:
        """Accept no further requests, finish those that have arrived, and stop. A stopped server stays stopped."""
        if self._thread is not None:
            self._uvicorn.should_exit = True
            self._thread.join()
            atexit.unregister(self.stop)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()

    def run(self, on_start: Callable[[], None]) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP, then stop. Must be called in the main thread of a program.

        A SIGHUP that the program was started to ignore, as by nohup, stays ignored.

        Args:
            on_start: called when the server answers requests.
        """
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
                signal.signal(number, self._uvicorn.handle_exit)
        gc.collect()
        gc.freeze()  # libraries and models stay in memory: collecting them again would stop all requests for 0.1 s
        try:
            with self:
                on_start()
                assert self._thread is not None
                self._thread.join()
        finally:
            gc.unfreeze()  # so that Python can free the models when it ends

    def _serve(self, listening: socket.socket) -> None:
        file = None if self._uds is None else identity(self._uds)
        try:
            with listening:
                self._uvicorn.run([listening])  # not in the main thread, so uvicorn handles no signals
        finally:
            if self._uds is not None and identity(self._uds) == file is not None:
                self._uds.unlink()
            self._started.set()
