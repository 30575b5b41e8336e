"""Servers at a Unix domain socket."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from memn2n.errors import ConfigError, InputError
from memn2n.serve import Server


def status_of(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(path))
        client.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        return client.recv(100).split()[1]


def test_a_server_at_a_socket_answers_and_removes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with Server(uds=path) as server:
        assert server.url == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert status_of(path) == b"200"
        with pytest.raises(InputError, match="a server listens at "):
            Server(uds=path).start()
        assert status_of(path) == b"200"
    assert not path.exists()


def test_the_socket_of_a_killed_server_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(path))
    with Server(uds=path, uds_mode=0o660):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        assert status_of(path) == b"200"


def test_a_path_that_cannot_be_used(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(InputError, match="file exists and is not a socket"):
        Server(uds=file).start()
    assert file.read_text() == "mine"
    for wrong in (tmp_path / "none" / "socket", tmp_path / ("x" * 200)):
        with pytest.raises(InputError, match="choose another path with --uds"):
            Server(uds=wrong).start()
    with pytest.raises(ConfigError, match="uds takes the place of host and port"):
        Server(uds=file, port=80)
