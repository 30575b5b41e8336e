"""Hostile clients: slow ones, ones that send too much, and ones that do not speak HTTP.

``server`` is the server itself; ``proxied`` is the server behind nginx with deploy/nginx.conf.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from memn2n.serve.limits import Limits
from tests.serve.conftest import WHERE_IS_MARY, Server, nginx, serving

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; TCP_USER_TIMEOUT is Linux's")

GET = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n"
POST = b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
BODY = json.dumps(WHERE_IS_MARY).encode()
WHOLE = POST + b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)


def once(requests: dict[str, bytes]) -> dict[str, tuple[bytes, bytes]]:
    """Clients that send these requests and nothing after them."""
    return {name: (request, b"") for name, request in requests.items()}


LARGE = once(
    {
        "header": GET + b"x: " + b"x" * 2**20 + b"\r\n\r\n",
        "headers": GET + b"x: y\r\n" * 2**18 + b"\r\n",
        "url": b"GET /" + b"x" * 2**20 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "trailers": CHUNKED + b"1\r\n{\r\n0\r\n" + b"x: y\r\n" * 2**18,
        "trailer": CHUNKED + b"1\r\n{\r\n0\r\nx: " + b"y" * 2**20,
        "extension": CHUNKED + b"1;x=" + b"y" * 2**20,
        "expect": POST + b"expect: 100-continue\r\ncontent-length: 99999999\r\n\r\n",
        "endless": CHUNKED + b"100000\r\n" + (b" " * 2**20 + b"\r\n100000\r\n") * 30,
    }
)
MALFORMED = once(
    {
        "not-http": b"\x16\x03\x01 this is not HTTP\r\n\r\n",
        "length": POST + b"content-length: -1\r\n\r\n",
        "chunk": CHUNKED + b"no number\r\n",
        "version": b"GET / HTTP/3.0\r\nhost: localhost\r\n\r\n",
        "encoding": POST + b"transfer-encoding: gzip\r\n\r\n",
        "trace": b"TRACE / HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "upgrade": POST + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}",
        "after": WHOLE + WHOLE + b"nonsense\r\n\r\n",
    }
)
SLOW = {  # what each client sends at first, and what it sends again and again
    "silent": (b"", b""),
    "line": (b"GET /healthz HTT", b""),
    "header": (GET + b"x: ", b""),
    "headers": (GET, b"x: y\r\n"),
    "line-ends": (GET + b"\r\n", b"\r\n"),
    "body": (POST + b"content-length: 99\r\n\r\n", b"{"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"x: y\r\n"),
}


class Ending(NamedTuple):
    """How a connection ended: the response, and the seconds until the server closed the connection."""

    response: bytes
    seconds: float

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", self.response)]

    @property
    def last(self) -> tuple[int, str]:
        """Status and code of the last response, which must be a refusal."""
        return self.statuses[-1], json.loads(self.response.rpartition(b"\r\n\r\n")[2])["error"]["code"]


async def _exchange(server: Server, first: bytes, again: bytes = b"", every: float = 0.3) -> Ending:
    """Send ``first``, then ``again`` every few seconds, until the server closes the connection."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            writer.write(first)
            while again:
                await writer.drain()
                await asyncio.sleep(every)
                writer.write(again)

    sending = asyncio.create_task(send())
    response = b""
    with contextlib.suppress(ConnectionError):
        while part := await asyncio.wait_for(reader.read(65536), 40):
            response += part
    sending.cancel()
    writer.close()
    return Ending(response, time.monotonic() - began)


def exchange(server: Server, clients: Mapping[str, tuple[bytes, bytes]]) -> dict[str, Ending]:
    """How the connections of some clients ended, all at the same time."""

    async def run() -> list[Ending]:
        return await asyncio.gather(*(_exchange(server, *sent) for sent in clients.values()))

    endings = dict(zip(clients, asyncio.run(run()), strict=True))
    assert server.ask("/healthz").status == 200
    return endings


@pytest.fixture(scope="module")
def behind_nginx(proxied: Server) -> dict[str, Ending]:
    """How nginx treats all of these clients, at the same time: some of them take as long as its time limits."""
    return exchange(proxied, {**LARGE, **MALFORMED, **{f"slow-{name}": sent for name, sent in SLOW.items()}})


def memory(server: Server) -> float:
    """Resident memory of the server's process, in MB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmRSS:\s*(\d+)", status)[0]) / 1024


@linux
def test_large_requests_are_refused_by_the_server(server: Server) -> None:
    server.ask("/api/answer", WHERE_IS_MARY)
    before = memory(server)
    endings = exchange(server, LARGE)
    assert endings.pop("expect").last == (413, "too-large")
    for name, ending in endings.items():
        # The server closes the connection before it has read everything, so that the response can get lost.
        assert ending.statuses in ([413] if name == "endless" else [400], []), name
    assert max(ending.seconds for ending in endings.values()) < 8
    assert memory(server) - before < 50


def test_large_requests_are_refused_by_nginx(behind_nginx: dict[str, Ending]) -> None:
    endings = behind_nginx
    for name in ("header", "headers", "url"):
        assert endings[name].last == (431, "too-large"), name
    for name in ("expect", "endless"):
        assert endings[name].last == (413, "too-large"), name
    for name in ("trailers", "trailer", "extension"):  # nginx discards them until the server's time is over
        assert endings[name].last == (408, "timeout"), name
        assert endings[name].seconds < 1.5 * Limits().timeout, name


def test_malformed_requests_are_refused_by_the_server(server: Server) -> None:
    endings = exchange(server, MALFORMED)
    for name in ("not-http", "length", "chunk"):
        assert endings[name].statuses == [400], name
    assert endings["upgrade"].last == (422, "invalid")  # its body was read
    assert endings["version"].statuses in ([200], [400])
    assert endings["encoding"].statuses[-1] >= 400
    assert endings["trace"].last == (405, "method-not-allowed")
    assert endings["after"].statuses == [200, 200, 400]
    assert endings["after"].response.count(b'"prediction":"bathroom"') == 2


def test_malformed_requests_are_refused_by_nginx(behind_nginx: dict[str, Ending]) -> None:
    endings = behind_nginx
    for name in ("not-http", "length", "chunk", "after"):
        assert endings[name].last == (400, "not-http"), name
    assert endings["upgrade"].last == (422, "invalid")
    assert endings["version"].last == endings["encoding"].last == (400, "not-http")
    assert endings["trace"].last == (405, "method-not-allowed")
    assert endings["after"].statuses == [200, 200, 400]
    assert endings["after"].response.count(b'"prediction":"bathroom"') == 2


def test_slow_clients_are_disconnected_by_nginx(behind_nginx: dict[str, Ending]) -> None:
    endings = {name: behind_nginx[f"slow-{name}"] for name in SLOW}
    for name in ("silent", "line", "header", "headers"):
        assert endings[name].statuses == [], name  # nginx does not answer a request that it has not read
    assert endings["line-ends"].statuses == [200]
    for name in ("body", "trailers"):
        assert endings[name].last == (408, "timeout"), name
    for name, ending in endings.items():
        assert 0.9 * Limits().timeout < ending.seconds < 1.5 * Limits().timeout, name


def test_slow_bodies_are_refused_by_the_server(guarded: Server) -> None:
    authorization = b"host: localhost\r\nauthorization: Bearer secret\r\n"
    slow = {name: (SLOW[name][0].replace(b"host: localhost\r\n", authorization), SLOW[name][1])
            for name in ("body", "trailers")}  # fmt: skip
    for ending in exchange(guarded, slow).values():
        assert ending.last == (408, "timeout")
        assert 0.9 < ending.seconds < 3


def test_line_ends_between_requests_end_a_connection_to_the_server(server: Server) -> None:
    ending = exchange(server, {"line-ends": SLOW["line-ends"]})["line-ends"]
    assert ending.statuses == [200, 400]
    assert ending.seconds < 3


def _large_request(token: bytes = b"") -> tuple[bytes, int]:
    """A request, and a lower bound for the size of its response."""
    questions = [{"story": ["a"] * 50, "question": "Where?"}] * 4000
    body = json.dumps({"questions": questions}).encode()
    head = POST.replace(b"/answer ", b"/answers ") + token + b"content-length: %d\r\n\r\n" % len(body)
    return head + body, 4000 * 3 * 50


def _read_late(server: Server, request: bytes, pause: float) -> int:
    """Bytes of the response that a client receives after a pause in which it reads nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        client.settimeout(30)
        client.sendall(request)
        time.sleep(pause)
        received = 0
        with contextlib.suppress(ConnectionError):
            while part := client.recv(65536):
                received += len(part)
    assert server.ask("/healthz").status == 200
    return received


@linux
def test_a_client_that_never_reads_is_disconnected_by_the_server(guarded: Server) -> None:
    request, size = _large_request(b"authorization: Bearer secret\r\n")
    with contextlib.ExitStack() as clients:
        assert _read_late(guarded, request, 4) < size
        before = open_connections(guarded)
        for _ in range(5):
            client = clients.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", guarded.port))
            client.sendall(request)
        deadline = time.monotonic() + 20
        while open_connections(guarded) > before:
            assert time.monotonic() < deadline, "the server keeps connections of clients that never read"
            time.sleep(0.2)


def open_connections(server: Server) -> int:
    """Established connections to a server's port, from /proc/net/tcp."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
    return sum(row[1].endswith(f":{server.port:04X}") and row[3] == "01" for row in rows)


def test_a_client_that_never_reads_is_disconnected_by_nginx(proxied: Server) -> None:
    request, size = _large_request()
    assert _read_late(proxied, request, 1.3 * Limits().timeout) < size


def test_slow_clients_do_not_delay_others(either: Server) -> None:
    slow = [socket.create_connection(("localhost", either.port)) for _ in range(200)]
    try:
        for client in slow:
            client.sendall(POST + b"content-length: 50\r\n\r\n{")
        assert either.ask("/api/answer", WHERE_IS_MARY, seconds=5).json["prediction"] == "bathroom"
    finally:
        for client in slow:
            client.close()


def test_the_server_has_a_limit_on_connections() -> None:
    with serving("--max-connections", 20) as server:
        with contextlib.ExitStack() as clients:
            for _ in range(19):
                clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            assert server.ask("/healthz").status == 200
            clients.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            time.sleep(0.3)
            assert server.ask("/healthz").status == 503
        time.sleep(0.3)
        assert server.ask("/healthz").status == 200


def test_paths_of_nginx_itself_are_hidden(proxied: Server) -> None:
    for path in ("/refusals/busy", "/refusals/", "/refusals/none"):
        assert proxied.ask(path).error == (404, "not-found", None), path


def test_nginx_answers_while_the_server_is_down(tmp_path: Path) -> None:
    with serving() as server, nginx(server, tmp_path) as proxied:
        assert proxied.ask("/healthz").status == 200
        server.process.terminate()
        server.process.wait(30)
        assert proxied.ask("/healthz").error == (503, "busy", None)


def test_nginx_has_a_limit_on_connections_of_one_address(proxied: Server) -> None:
    with contextlib.ExitStack() as clients:
        for _ in range(300):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", proxied.port)))
            client.sendall(POST + b"content-length: 50\r\n\r\n{")
        time.sleep(0.5)
        reply = proxied.ask("/healthz", seconds=5)
        assert reply.error == (503, "busy", None)
        assert reply.headers["retry-after"] == "1"
        assert reply.headers["x-content-type-options"] == "nosniff"
    time.sleep(0.5)
    assert proxied.ask("/healthz").status == 200


@pytest.mark.parametrize(
    ("path", "content", "code", "field"),
    [
        ("answer", b'{"question": "Where?", "story": [' + b"1," * 500_000 + b"1]}", "invalid", "story[0]"),
        ("answer", b'{"question": "Where?", "story": [' + b"1," * 2_000_000 + b"1]}", "too-many", None),
        ("answer", b'{"question": "Where?", "story": [' + b"[]," * 1_000_000 + b"1]}", "too-many", None),
        ("next-words", b'{"text": "' + b"a " * 2_090_000 + b'"}', "too-many", "text"),
        ("score", b'{"text": "' + b"," * 4_000_000 + b'"}', "too-many", "text"),
        ("answers", b'{"questions": [' + b"{}," * 19_000 + b"{}]}", "invalid", "questions[0].story"),
        ("answers", b'{"questions": [' + b"{}," * 1_000_000 + b"{}]}", "too-many", None),
        ("answer", b"{" + b",".join(b'"%x": 1' % i for i in range(300_000)) + b"}", "too-many", None),
        ("answers", b'{"questions": [{' + b",".join(b'"%x": 1' % i for i in range(300_000)) + b"}]}", "too-many", None),
        ("answer", json.dumps({"story": ["a" + "\u0301\u0323" * 900_000], "question": "Where?"},
                              ensure_ascii=False).encode(), "too-many", "story"),
        ("answer", b'{"question": "Where?", "story": ["' + b"x," * 2_000_000 + b'"]}', "too-many", "story"),
    ],
    ids=["numbers", "more-numbers", "lists", "text", "commas", "objects", "more-objects", "fields", "more-fields",
         "marks", "words"],
)  # fmt: skip
def test_four_megabytes_of_nonsense_are_refused_quickly(
    either: Server, path: str, content: bytes, code: str, field: str | None
) -> None:
    assert either.ask(f"/api/{path}", content, seconds=8).error == (422, code, field)


def test_a_body_of_ten_megabytes_gets_a_refusal_that_the_client_can_read(either: Server) -> None:
    body = json.dumps({"story": ["x" * 10_000_000], "question": "Where?"}).encode()
    assert either.ask("/api/answer", body).error == (413, "too-large", None)
