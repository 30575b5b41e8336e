"""The server as a process: access, start, stop, and many clients at once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import memn2n.serve
from memn2n import simulate
from tests.serve.conftest import STORY, WHERE_IS_MARY, Server, serving


def test_requests_to_models_and_metrics_need_the_token(guarded: Server) -> None:
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


def test_limits_follow_the_options(guarded: Server) -> None:
    authorization = "Bearer secret"
    assert guarded.ask("/api/models", authorization=authorization).json["limits"]["sentences"] == 50
    reply = guarded.ask("/api/answer", {"story": ["a"] * 51, "question": "Where?"}, authorization=authorization)
    assert reply.error == (422, "too-many", "story")


def test_foreign_host_names_are_refused(server: Server) -> None:
    for host in ("localhost", f"localhost:{server.port}", "127.0.0.1:80", "[::1]:80"):
        assert server.ask("/healthz", host=host).status == 200
    for host in ("evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1", "", "["):
        assert server.ask("/api/answer", WHERE_IS_MARY, host=host).status in (400, 403), host
    assert server.ask("/", host="evil.example").error == (403, "foreign-host", None)


def test_a_stop_finishes_open_requests() -> None:
    asked = simulate(1, n_train=0, n_test=1000, seed=2).test * 10
    questions = [{"story": one.story, "question": one.question} for one in asked]
    with serving() as server, socket.create_connection(("localhost", server.port)) as idle:
        idle.sendall(b"POST /api/answer HTTP/1.1\r\n")  # an unfinished request must not delay the stop
        with socket.create_connection(("localhost", server.port)) as client:
            body = json.dumps({"questions": questions, "attention": False}).encode()
            head = "POST /api/answers HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            client.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            time.sleep(0.1)
            server.process.send_signal(signal.SIGTERM)
            client.settimeout(30)
            with client.makefile("rb") as answer:
                assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
                reply = json.loads(answer.read().split(b"\r\n\r\n", 1)[1])
        assert server.process.wait(30) == 0
    assert len(reply["answers"]) == 10_000
    assert reply["answers"][:1000] == reply["answers"][9000:]


def test_ctrl_c_stops_the_server_without_a_word_on_standard_error() -> None:
    body = json.dumps({"story": ["Mary went to the office."], "question": "Where is Mary?"}).encode()
    with serving() as server:
        assert len(asyncio.run(ask_many(server, [body], 1))) == 1  # the model has computed something
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(30) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


async def ask_many(server: Server, bodies: list[bytes], connections: int) -> list[bytes]:
    """The responses to some requests, which are sent over many connections at once."""
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


def test_each_of_two_hundred_connections_gets_its_own_answer(either: Server) -> None:
    asked = simulate([1, 6, 12, 15], n_train=0, n_test=300, seed=7).test
    bodies = [json.dumps({"story": one.story, "question": one.question}).encode() for one in asked]
    answers = asyncio.run(ask_many(either, bodies, 200))
    direct = memn2n.pretrained().answer_many([(one.story, one.question) for one in asked])
    for reply, answer in zip(map(json.loads, answers), direct, strict=True):
        assert reply["prediction"] == answer.text
        assert reply["probability"] == pytest.approx(answer.probability, abs=2e-6)
        assert reply["attention"] == [pytest.approx(hop, abs=2e-6) for hop in answer.attention.tolist()]


def test_attention_covers_each_sentence_in_each_hop(server: Server) -> None:
    reply = server.ask("/api/answer", WHERE_IS_MARY).json
    assert [len(hop) for hop in reply["attention"]] == [len(STORY)] * len(
        memn2n.pretrained().answer(STORY, "Where is Mary?").attention
    )


def test_a_server_in_a_thread_answers_and_stops_beside_a_running_event_loop() -> None:
    async def notebook() -> None:
        own = memn2n.serve.Server({"mine": memn2n.pretrained()}, port=0)
        with own as started:
            content = await asyncio.to_thread(urllib.request.urlopen, f"{started.url}/api/models")
            assert [model["name"] for model in json.load(content)["models"]] == ["mine"]
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"{own.url}/healthz")
        with pytest.raises(memn2n.MemN2NError, match="started once"):
            own.start()

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    asyncio.run(notebook())
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_a_hangup_stops_the_server_unless_it_was_ignored() -> None:
    with serving() as server:
        server.process.send_signal(signal.SIGHUP)
        assert server.process.wait(30) == 0
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with serving() as server:
            server.process.send_signal(signal.SIGHUP)
            assert server.ask("/healthz").status == 200
            assert server.process.poll() is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_access_log_has_a_line_for_each_request() -> None:
    with serving("--access-log", "--root-path", "/memn2n", "--cors-origin", "https://app.example") as server:
        assert server.ask("/memn2n/healthz?secret", origin="https://app.example").status == 200
        assert server.ask("/none%0a%1b").status == 404
        server.process.terminate()
        assert server.process.wait(30) == 0
        assert server.process.stderr is not None
        first, second = server.process.stderr.read().splitlines()
    assert re.fullmatch(r"\d{4}-\S+ GET /memn2n/healthz 200 \d+\.\d ms", first)
    assert re.fullmatch(r"\d{4}-\S+ GET /none%0a%1b 404 \d+\.\d ms", second)


def test_the_digest_of_a_model_is_that_of_its_file(server: Server, toy: Path) -> None:
    listed = {model["name"]: model["sha256"] for model in server.ask("/api/models").json["models"]}
    assert listed["toy"] == hashlib.sha256((toy / "model.safetensors").read_bytes()).hexdigest()
    assert len(set(listed.values()) - {None}) == 3
