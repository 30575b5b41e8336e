"""The server as a process: its start, its stop, and clients that mean no good."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import time
from collections.abc import Sequence

import pytest

import memn2n
from memn2n import simulate
from tests.serve.conftest import STORY, WHERE_IS_MARY, Server, serving


def test_a_token_is_wanted_by_what_asks_a_model(guarded: Server) -> None:
    assert guarded.ask("/api/answer", WHERE_IS_MARY).error == (401, "unauthorized", None)
    for path in ("/api/models", "/metrics", "/api/nothing"):
        assert guarded.ask(path).error == (401, "unauthorized", None)
    for wrong in (
        "secret",
        "Bearer",
        "Bearer wrong",
        "Bearer secret2",
        "Basic secret",
        "Bearer ключ".encode().decode("latin-1"),
    ):
        reply = guarded.ask("/api/answer", WHERE_IS_MARY, authorization=wrong)
        assert reply.status == 401
        assert reply.headers["www-authenticate"] == "Bearer"
    assert guarded.ask("/api/answer", WHERE_IS_MARY, authorization="Bearer secret").json["prediction"] == "bathroom"
    assert guarded.ask("/metrics", authorization="bearer secret").status == 200
    for path in ("/", "/page/page.js", "/healthz", "/docs", "/openapi.json"):
        assert guarded.ask(path).status == 200


def test_limits_are_those_that_were_given(guarded: Server) -> None:
    authorization = "Bearer secret"
    assert guarded.ask("/api/models", authorization=authorization).json["limits"]["sentences"] == 50
    reply = guarded.ask("/api/answer", {"story": ["a"] * 51, "question": "Where?"}, authorization=authorization)
    assert reply.error == (422, "too-many", "story")


def test_other_names_than_this_machines_own_are_refused(server: Server) -> None:
    for host in ("localhost", f"localhost:{server.port}", "127.0.0.1:80", "[::1]:80"):
        assert server.ask("/healthz", host=host).status == 200
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1", "", "["):
        assert server.ask("/api/answer", WHERE_IS_MARY, host=host).status in (400, 403), host
    assert server.ask("/", host="evil.example").error == (403, "foreign-host", None)


def test_a_stop_finishes_what_runs() -> None:
    asked = simulate(1, n_train=0, n_test=1000, seed=2).test * 10
    questions = [{"story": one.story, "question": one.question} for one in asked]
    with serving() as server, socket.create_connection(("localhost", server.port)) as idle:
        idle.sendall(b"POST /api/answer HTTP/1.1\r\n")  # and no more: it must not keep the server
        with socket.create_connection(("localhost", server.port)) as client:
            body = json.dumps({"questions": questions, "attention": False}).encode()
            head = "POST /api/answers HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            client.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.1)
            server.process.send_signal(signal.SIGTERM)
            client.settimeout(30)
            with client.makefile("rb") as answer:
                assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
                told = json.loads(answer.read().split(b"\r\n\r\n", 1)[1])
        assert server.process.wait(30) == 0
    assert len(told["answers"]) == 10_000
    assert told["answers"][:1000] == told["answers"][9000:]


def test_ctrl_c_is_a_stop() -> None:
    with serving() as server:
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


async def _raw(server: Server, sent: bytes, then: Sequence[tuple[float, bytes]]) -> bytes:
    reader, writer = await asyncio.open_connection("localhost", server.port)

    async def send() -> None:
        with contextlib.suppress(ConnectionError):
            for wait, part in [(0.0, sent), *then]:
                await asyncio.sleep(wait)
                writer.write(part)
                await writer.drain()

    sending = asyncio.create_task(send())
    received = b""
    with contextlib.suppress(ConnectionError):
        while part := await asyncio.wait_for(reader.read(65536), 20):
            received += part
    sending.cancel()
    writer.close()
    return received


def raw(server: Server, sent: bytes, *then: tuple[float, bytes]) -> bytes:
    """What comes back for bytes, and others after some seconds, until the server ends the connection."""
    return asyncio.run(_raw(server, sent, then))


def test_slow_clients_are_sent_away(guarded: Server) -> None:
    began = time.monotonic()
    for sent in (b"", b"GET /healthz HTT", b"GET /healthz HTTP/1.1\r\nhost: a\r\nx: "):
        assert raw(guarded, sent).startswith(b"HTTP/1.1 408 "), sent
    assert time.monotonic() - began < 10


def test_a_drop_at_a_time_is_no_way_around_the_time_limit(guarded: Server) -> None:
    head = b"POST /api/answer HTTP/1.1\r\nhost: a\r\nauthorization: Bearer secret\r\ncontent-length: 99\r\n\r\n"
    assert raw(guarded, head, *[(0.3, b"{")] * 9).startswith(b"HTTP/1.1 408 ")


def test_line_ends_are_no_request(guarded: Server) -> None:
    answered = raw(guarded, b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n", *[(0.3, b"\r\n")] * 9)
    first, second = re.findall(rb"HTTP/1.1 (\d+)", answered)
    assert (first, second) == (b"200", b"408")


def test_who_never_takes_the_answer_is_cut_off(guarded: Server) -> None:
    body = json.dumps({"questions": [{"story": ["a"] * 50, "question": "Where?"}] * 4000}).encode()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("localhost", guarded.port))
        client.settimeout(20)
        head = "POST /api/answers HTTP/1.1\r\nhost: a\r\nauthorization: Bearer secret\r\n"
        more = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        client.sendall(f"{head}{more}".encode() + body)
        time.sleep(4)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := client.recv(65536):
                received += part
    told = re.findall(rb"content-length: (\d+)", received)
    assert not told or len(received) < int(told[0])
    assert guarded.ask("/healthz").status == 200


def test_slow_clients_keep_nobody_else_waiting(server: Server) -> None:
    slow = [socket.create_connection(("localhost", server.port)) for _ in range(200)]
    try:
        for client in slow:
            client.sendall(b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{")
        assert server.ask("/api/answer", WHERE_IS_MARY).json["prediction"] == "bathroom"
    finally:
        for client in slow:
            client.close()


POST = b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 2**20 + b"\r\n\r\n", 431, "too-large"),
        (b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 2**18 + b"\r\n", 431, "too-large"),
        (b"GET /" + b"x" * 2**20 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 431, "too-large"),
        (POST + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n" + b"x: y\r\n" * 2**18, 431, "too-large"),
        (POST + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nx: " + b"y" * 2**20, 431, "too-large"),
        (POST + b"transfer-encoding: chunked\r\n\r\n1;x=" + b"y" * 2**20, 431, "too-large"),
        (b"\x16\x03\x01 this is not HTTP\r\n\r\n", 400, "not-http"),
        (POST + b"content-length: -1\r\n\r\n", 400, "not-http"),
        (POST + b"transfer-encoding: chunked\r\n\r\nno number\r\n", 400, "not-http"),
        (POST + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}", 400, "not-http"),
        (POST + b"expect: 100-continue\r\ncontent-length: 99999999\r\n\r\n", 413, "too-large"),
        (POST + b"transfer-encoding: chunked\r\n\r\n100000\r\n" + (b" " * 2**20 + b"\r\n100000\r\n") * 30,
         413, "too-large"),
    ],
    ids=["header", "headers", "url", "trailers", "trailer", "extension", "not-http", "length", "chunk", "upgrade",
         "expect", "endless"],
)  # fmt: skip
def test_what_is_no_fair_request(server: Server, sent: bytes, status: int, code: str) -> None:
    head, _, body = raw(server, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    assert json.loads(body)["error"]["code"] == code
    assert server.ask("/healthz").status == 200


def test_what_came_before_nonsense_is_answered(server: Server) -> None:
    body = json.dumps(WHERE_IS_MARY).encode()
    asked = POST + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    answered = raw(server, asked + asked + b"nonsense\r\n\r\n")
    assert re.findall(rb"HTTP/1.1 (\d+)", answered) == [b"200", b"200", b"400"]
    assert answered.count(b'"prediction":"bathroom"') == 2


@pytest.mark.parametrize(
    ("path", "content", "code", "field"),
    [
        ("answer", b'{"question": "Where?", "story": [' + b"1," * 2_000_000 + b"1]}", "invalid", "story[0]"),
        ("answers", b'{"questions": [' + b"{}," * 1_000_000 + b"{}]}", "invalid", "questions[0].story"),
        ("answer", b"{" + b",".join(b'"%x": 1' % i for i in range(300_000)) + b"}", "too-many", None),
        ("answers", b'{"questions": [{' + b",".join(b'"%x": 1' % i for i in range(300_000)) + b"}]}", "too-many", None),
        ("answer", json.dumps({"story": ["a" + "\u0301\u0323" * 900_000], "question": "Where?"},
                              ensure_ascii=False).encode(), "invalid", "story"),
        ("answer", b'{"question": "Where?", "story": ["' + b"x," * 2_000_000 + b'"]}', "too-many", "story"),
    ],
    ids=["numbers", "objects", "fields", "more-fields", "marks", "words"],
)  # fmt: skip
def test_four_megabytes_of_nonsense_stop_nothing(
    server: Server, path: str, content: bytes, code: str, field: str | None
) -> None:
    assert server.ask(f"/api/{path}", content, seconds=8).error == (422, code, field)


def test_ten_megabytes_are_refused_in_words(server: Server) -> None:
    body = json.dumps({"story": ["x" * 10_000_000], "question": "Where?"}).encode()
    assert server.ask("/api/answer", body).error == (413, "too-large", None)


async def ask_many(server: Server, bodies: list[bytes], connections: int) -> list[bytes]:
    """The answers to requests that are sent over so many connections at once."""
    answers = [b""] * len(bodies)
    waiting = iter(range(len(bodies)))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("localhost", server.port)
        for i in waiting:
            writer.write(b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
                         b"content-length: %d\r\n\r\n%b" % (len(bodies[i]), bodies[i]))  # fmt: skip
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            answers[i] = await reader.readexactly(size)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one() for _ in range(connections)))
    return answers


def test_two_hundred_connections_get_each_its_own_answer(server: Server) -> None:
    asked = simulate([1, 6, 12, 15], n_train=0, n_test=300, seed=7).test
    bodies = [json.dumps({"story": one.story, "question": one.question}).encode() for one in asked]
    answers = asyncio.run(ask_many(server, bodies, 200))
    direct = memn2n.pretrained().answer_many([(one.story, one.question) for one in asked])
    for told, answer in zip(map(json.loads, answers), direct, strict=True):
        assert told["prediction"] == answer.text
        assert told["probability"] == pytest.approx(answer.probability, abs=2e-6)
        assert told["attention"] == [pytest.approx(hop, abs=2e-6) for hop in answer.attention.tolist()]


def test_the_story_is_whole_in_every_answer(server: Server) -> None:
    told = server.ask("/api/answer", WHERE_IS_MARY).json
    assert [len(hop) for hop in told["attention"]] == [len(STORY)] * 3
