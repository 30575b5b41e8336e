"""The server as a process: its start, its stop, and clients that mean no good."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time

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
    assert guarded.ask("/api/models", authorization=authorization).json["limits"]["questions"] == 3
    reply = guarded.ask("/api/answers", {"questions": [WHERE_IS_MARY] * 4}, authorization=authorization)
    assert reply.error == (422, "too-many", "questions")


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


def raw(server: Server, *parts: bytes, wait: float = 0.0) -> bytes:
    """What comes back for bytes, until the server closes."""
    with socket.create_connection(("localhost", server.port), timeout=20) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(wait)
        received = b""
        try:
            while part := client.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


def test_slow_clients_are_sent_away(guarded: Server) -> None:
    began = time.monotonic()
    for sent in (b"", b"GET /healthz HTT", b"GET /healthz HTTP/1.1\r\nhost: a\r\nx: "):
        assert raw(guarded, sent).startswith(b"HTTP/1.1 408 "), sent
    assert time.monotonic() - began < 10


def test_a_drop_at_a_time_is_no_way_around_the_time_limit(guarded: Server) -> None:
    head = b"POST /api/answer HTTP/1.1\r\nhost: a\r\nauthorization: Bearer secret\r\ncontent-length: 99\r\n\r\n"
    assert raw(guarded, head, *[b"{"] * 3, wait=0.3).startswith(b"HTTP/1.1 408 ")


def test_slow_clients_keep_nobody_else_waiting(server: Server) -> None:
    slow = [socket.create_connection(("localhost", server.port)) for _ in range(200)]
    try:
        for client in slow:
            client.sendall(b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 50\r\n\r\n{")
        assert server.ask("/api/answer", WHERE_IS_MARY).json["prediction"] == "bathroom"
    finally:
        for client in slow:
            client.close()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 2**20 + b"\r\n\r\n", 431, "too-large"),
        (b"GET /" + b"x" * 2**20 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", 431, "too-large"),
        (b"\x16\x03\x01 this is not HTTP\r\n\r\n", 400, "not-http"),
        (b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n", 400, "not-http"),
        (b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 99999999\r\n\r\n",
         413, "too-large"),
        (b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
         + b"100000\r\n" + (b" " * 2**20 + b"\r\n100000\r\n") * 30, 413, "too-large"),
    ],
)  # fmt: skip
def test_what_is_no_fair_request(server: Server, sent: bytes, status: int, code: str) -> None:
    try:
        head, _, body = raw(server, sent).partition(b"\r\n\r\n")
    except (BrokenPipeError, ConnectionResetError):  # it was closed while it was sent
        assert len(sent) > 2**18
    else:
        assert head.startswith(b"HTTP/1.1 %d " % status), head
        assert json.loads(body)["error"]["code"] == code
    assert server.ask("/healthz").status == 200


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
