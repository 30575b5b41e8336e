"""Each request that has arrived is answered: after the client's last byte, and while the server stops."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
from contextlib import suppress

import pytest

from tests.serve.conftest import WHERE_IS_MARY, Server, serving

BODY = json.dumps(WHERE_IS_MARY).encode()
HEAD = b"POST /api/answer HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
WHOLE = HEAD + b"content-length: %d\r\n\r\n%b" % (len(BODY), BODY)
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (WHOLE, [b"200"]),
        (CHUNKED, [b"200"]),
        (WHOLE * 5, [b"200"] * 5),
        (WHOLE + b"POST /api", [b"200"]),
        (WHOLE + WHOLE[:-1], [b"200"]),
        (WHOLE[:-1], []),
        (b"", []),
    ],
    ids=["whole", "chunked", "five", "next-line", "next-body", "no-body", "nothing"],
)
def test_a_client_that_will_send_nothing_more_gets_its_answers(
    server: Server, sent: bytes, statuses: list[bytes]
) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(20)
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        response = b""
        with suppress(ConnectionError):
            while part := client.recv(65536):
                response += part
    found = re.findall(rb"HTTP/1.1 (\d+)", response)
    assert found[: len(statuses)] == statuses
    assert b"200" not in found[len(statuses) :]  # an incomplete request may be refused
    assert response.count(b'"prediction":"bathroom"') == len(statuses)


@pytest.mark.parametrize("reuse", [True, False], ids=["one-connection", "new-connections"])
def test_a_stop_answers_each_request_that_was_sent(reuse: bool) -> None:
    unanswered, answered = list[OSError](), list[int]()

    def ask_all_the_time(port: int) -> None:
        client: socket.socket | None = None
        while True:
            if client is None:
                try:
                    client = socket.create_connection(("127.0.0.1", port), 10)
                except OSError:
                    return  # the server has stopped
            try:
                client.sendall(WHOLE)
                response = b""
                while not response.endswith(b"}"):
                    part = client.recv(65536)
                    if not part:
                        raise ConnectionError("closed without a response")
                    response += part
            except OSError as error:
                unanswered.append(error)
                return
            answered.append(1)
            if not reuse or b"connection: close\r\n" in response.lower():
                client.close()
                client = None

    with serving() as server:
        clients = [threading.Thread(target=ask_all_the_time, args=(server.port,)) for _ in range(30)]
        for thread in clients:
            thread.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
        for thread in clients:
            thread.join(20)
    assert not unanswered
    assert len(answered) >= len(clients)


def test_a_client_that_never_stops_sending_does_not_delay_a_stop() -> None:
    with serving() as server, socket.create_connection(("127.0.0.1", server.port)) as client:

        def send_all_the_time() -> None:
            with suppress(OSError):
                while True:
                    client.sendall(WHOLE)
                    client.recv(4096)

        sending = threading.Thread(target=send_all_the_time)
        client.sendall(WHOLE * 5)  # so that there is always a next request behind the one that is answered
        sending.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(5) == 0
        sending.join(10)
