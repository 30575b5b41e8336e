"""Servers that tests ask: processes of their own, as users start them."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from memn2n import Corpus, LMConfig, LMTraining, MemoryLM

COMMAND = [sys.executable, "-m", "memn2n", "serve"]
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
        """Status, code and field of a refusal, which must have a message."""
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
        """Send one request; content is JSON, or bytes that shall be; the answer must come within some seconds."""
        body = content if content is None or isinstance(content, bytes) else json.dumps(content).encode()
        given = {} if body is None else {"content-type": "application/json"}
        connection = http.client.HTTPConnection("localhost", self.port, timeout=seconds)
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body, given | headers)
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(*arguments: object, **variables: str) -> Iterator[Server]:
    """A server until the end of the block, on a port that is free."""
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


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model's directory; tests must not write there."""
    folder = tmp_path_factory.mktemp("lm") / "toy"
    text = Corpus.from_text("the cat sees the dog\nthe dog sees the hen\nthe hen hears the cat\n" * 40)
    MemoryLM.fit(
        text, network=LMConfig(dim=8, linear=4, hops=2, memory_size=5), threads=1,
        training=LMTraining(epochs=3, batch_size=16, block=4, precision="fp32"),
    ).save(folder)  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def server(model: Path, toy: Path) -> Iterator[Server]:
    """The model that comes along, one of task 1, and a language model."""
    with serving("stories", f"first={model}", toy) as started:
        yield started


@pytest.fixture(scope="session")
def guarded() -> Iterator[Server]:
    """Wants a token, and is impatient."""
    with serving("--timeout", 1, "--host", "0.0.0.0", "--max-sentences", 50, MEMN2N_TOKEN="secret") as started:
        yield started
