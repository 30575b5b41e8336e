"""memn2n serve: how it refuses to start. tests/serve tests the running server."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import CLI


def line(cli: CLI, *arguments: object) -> str:
    """The line that the command prints when it refuses to start."""
    refused = cli("serve", *arguments)
    assert (refused.status, refused.out) == (2, "")
    (message,) = refused.err.splitlines()
    return message


def test_a_host_that_others_can_reach_needs_a_token(cli: CLI) -> None:
    assert "--host is '0.0.0.0'" in line(cli, "--host", "0.0.0.0")
    assert "set --token (or the variable MEMN2N_TOKEN), or allow everybody with --no-auth" in line(
        cli, "--host", "0.0.0.0"
    )
    assert "--token (or the variable MEMN2N_TOKEN) and --no-auth contradict each other" in line(
        cli, "--token", "secret", "--no-auth"
    )
    assert "--token is empty" in line(cli, "--token", "two words")


def test_a_busy_port(cli: CLI) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        message = line(cli, "--port", port)
    assert message == f"memn2n: port {port} of 127.0.0.1: Address already in use; choose another one with --port"


def test_a_host_that_is_another_machine(cli: CLI) -> None:
    assert "host no.such.host.example: " in line(cli, "--host", "no.such.host.example", "--no-auth")
    assert line(cli, "--host", "192.0.2.1", "--no-auth", "--port", 0).endswith("choose another one with --host")


def test_models_that_cannot_be_served(cli: CLI, model: Path, tmp_path: Path) -> None:
    assert "no such model directory" in line(cli, "--port", 0, tmp_path / "none")
    assert "two models are named task1; give one of them another name: NAME=DIR" in line(cli, "--port", 0, model, model)
    damaged = tmp_path / "damaged"
    shutil.copytree(model, damaged)
    (damaged / "model.safetensors").write_bytes(b"x" * 100)
    assert f"{damaged / 'model.safetensors'} is damaged" in line(cli, "--port", 0, "stories", damaged)


def test_limits_must_be_positive(cli: CLI) -> None:
    assert "--timeout is 0.0: it must be above 0" in line(cli, "--timeout", 0)
    assert "--max-body is 0: it must be from 1" in line(cli, "--max-body", 0)


def test_without_the_extra(cli: CLI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "memn2n.serve.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert line(cli) == "memn2n: the server needs the extra 'serve': pip install 'memn2n[serve]'"
