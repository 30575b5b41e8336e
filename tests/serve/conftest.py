"""Servers for the tests: processes of their own, as users start them, with or without nginx in front."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from memn2n import Corpus, LMConfig, LMTraining, MemoryLM

COMMAND = [sys.executable, "-m", "memn2n", "serve"]
NGINX_CONF = Path(__file__).parents[2] / "deploy" / "nginx.conf"
STORY = ["Mary moved to the bathroom.", "John went to the hallway."]
WHERE_IS_MARY = {"story": STORY, "question": "Where is Mary?"}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str, str | None]:
        """Status, code and field of a refusal, which must also have a message."""
        assert self.headers["content-type"] == "application/json"
        assert self.json["error"]["message"]
        return self.status, self.json["error"]["code"], self.json["error"]["field"]


class Server(NamedTuple):
    port: int
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def ask(self, path: str, content: Any = None, method: str = "", seconds: float = 30.0, **headers: str) -> Reply:
        """Send one request. Content that is not bytes is sent as JSON. The reply must come within some seconds."""
        body = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
        defaults = {} if body is None else {"content-type": "application/json"}
        connection = http.client.HTTPConnection("localhost", self.port, timeout=seconds)
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body, defaults | headers)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()


@contextmanager
def serving(*arguments: object, **variables: str) -> Iterator[Server]:
    """A server on a free port."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, **variables},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert " at http://" in line, line + process.stderr.read()
        yield Server(int(line.split(":")[2].split()[0]), process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@contextmanager
def nginx(server: Server, folder: Path) -> Iterator[Server]:
    """A server behind nginx with the project's configuration. Only its ports and paths are replaced."""
    command = os.environ.get("MEMN2N_NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if command is None:
        pytest.skip("nginx is not installed (Debian: apt-get install nginx); MEMN2N_NGINX can name its binary")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    version = subprocess.run([command, "-V"], capture_output=True, text=True, check=True).stderr
    temporary = [
        f"{name.replace('-', '_')}_temp_path {folder / name};"
        for name in re.findall(r"--http-([a-z-]+)-temp-path=", version)
    ]
    configuration = NGINX_CONF.read_text(encoding="utf-8")
    for old, new in (
        ("listen 80;", f"listen 127.0.0.1:{port};"),
        ("127.0.0.1:8321", f"127.0.0.1:{server.port}"),
        ("/run/nginx.pid", str(folder / "pid")),
        ("/var/log/nginx/error.log", str(folder / "error.log")),
        ("\nhttp {\n", "\n".join(["\nhttp {", *temporary, ""])),
    ):
        assert configuration.count(old) == 1, old
        configuration = configuration.replace(old, new)
    file = folder / "nginx.conf"
    file.write_text(configuration, encoding="utf-8")
    process = subprocess.Popen([command, "-c", file, "-e", folder / "error.log", "-g", "daemon off;"],
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    try:
        for _ in range(100):
            assert process.poll() is None, process.communicate()[1]
            with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)
        yield Server(port, process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a language model. Tests must not write there."""
    folder = tmp_path_factory.mktemp("lm") / "toy"
    text = Corpus.from_text("the cat sees the dog\nthe dog sees the hen\nthe hen hears the cat\n" * 40)
    MemoryLM.fit(
        text, network=LMConfig(dim=8, linear=4, hops=2, memory_size=5), threads=1,
        training=LMTraining(epochs=3, batch_size=16, block=4, precision="fp32"),
    ).save(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def server(model: Path, toy: Path) -> Iterator[Server]:
    """A server of the packaged model, of a model for bAbI task 1, and of a language model."""
    with serving("stories", f"first={model}", toy) as started:
        yield started


@pytest.fixture(scope="session")
def proxied(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same server behind nginx."""
    with nginx(server, tmp_path_factory.mktemp("nginx")) as started:
        yield started


@pytest.fixture(params=["server", "proxied"])
def either(request: pytest.FixtureRequest) -> Server:
    """The server without and with nginx in front."""
    started: Server = request.getfixturevalue(request.param)
    return started


@pytest.fixture(scope="session")
def guarded() -> Iterator[Server]:
    """A server with a token and a short timeout."""
    with serving("--timeout", 1, "--host", "0.0.0.0", "--max-sentences", 50, MEMN2N_TOKEN="secret") as started:
        yield started
