"""Measure the answers per second of the server, their latencies and their correctness.

    python -m benchmarks.serve            # about two minutes; needs memn2n[serve]
    python -m benchmarks.serve --page     # also the page's first answer, in Chromium; needs playwright

The server is a separate process on the same machine; the clients are in this process. Each answer is compared with
that of the Python API, and the benchmark fails if one differs. Each rate is compared with that of the Python API in
this process, measured right before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import uvloop

from memn2n import Answer, Example, StoryQA, TrainingConfig, pretrained, simulate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONNECTIONS = 32
REQUESTS = 20_000
QUESTIONS = 1_000
BULK_REQUESTS = 60
CROWD = 200
"""Connections while the server's memory is measured."""


class Load(NamedTuple):
    """The responses to some requests."""

    seconds: float
    latencies: list[float]
    bodies: list[bytes]

    def latency(self, share: float) -> float:
        """Milliseconds within which this share of the requests was answered."""
        return 1000 * sorted(self.latencies)[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


class Server(NamedTuple):
    """A running server."""

    port: int
    pid: int

    def memory(self) -> float:
        """Resident memory of the server, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(re.findall(r"VmRSS:\s*(\d+)", status)[0]) / 1024


@contextmanager
def serving(*models: str) -> Iterator[Server]:
    """A server of some models, on a free port."""
    command = [sys.executable, "-m", "memn2n", "serve", "--port", "0", *models]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield Server(int(re.findall(r"http://[^:]*:(\d+)", line)[0]), process.pid)
        finally:
            process.terminate()


def request(path: str, content: dict[str, Any]) -> bytes:
    """An HTTP request."""
    body = json.dumps(content).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def load(server: Server, requests: Sequence[bytes], number: int, connections: int) -> Load:
    """Send ``number`` requests. Each connection sends its next request after the response to the one before."""
    latencies = [0.0] * number
    bodies = [b""] * number
    waiting = iter(range(number))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**22)
        for i in waiting:
            begin = time.perf_counter()
            writer.write(requests[i % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(f"request {i} was refused: {head.decode()}")
            bodies[i] = await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
            latencies[i] = time.perf_counter() - begin
        writer.close()

    async def run() -> float:
        begin = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(connections)))
        return time.perf_counter() - begin

    seconds = uvloop.run(run())
    return Load(seconds, latencies, bodies)


def check(response: dict[str, Any], answer: Answer) -> None:
    """End the benchmark if an answer differs from that of the Python API."""
    same = (
        response["prediction"] == answer.text
        and abs(response["probability"] - answer.probability) < 1e-5
        and (response["attention"] is None or abs(response["attention"][0][-1] - answer.attention[0, -1]) < 1e-5)
    )
    if not same:
        raise SystemExit(f"a wrong answer: {response} is not {answer}")


def direct_rate(qa: StoryQA, examples: Sequence[Example], *, in_one_batch: bool) -> float:
    """Answers per second of the Python API, the best of three runs."""
    questions = [(one.story, one.question) for one in examples]
    best = 0.0
    for _ in range(3):
        begin = time.perf_counter()
        if in_one_batch:
            qa.answer_many(questions)
        else:
            for story, question in questions:
                qa.answer(story, question)
        best = max(best, len(questions) / (time.perf_counter() - begin))
    return best


def measure(server: Server, name: str, qa: StoryQA, examples: Sequence[Example]) -> None:
    """Print the table's rows for one model."""
    answers = qa.answer_many([(one.story, one.question) for one in examples])
    questions = [{"story": one.story, "question": one.question} for one in examples]

    single = [request("/api/answer", {"model": name, **one}) for one in questions]
    rate = direct_rate(qa, examples, in_one_batch=False)
    load(server, single, 2 * len(single), CONNECTIONS)
    found = load(server, single, REQUESTS, CONNECTIONS)
    for i, body in enumerate(found.bodies):
        check(json.loads(body), answers[i % len(answers)])
    row(f"{name}, one per request, {CONNECTIONS} connections", REQUESTS, found, rate)

    rate = direct_rate(qa, examples, in_one_batch=True)
    for suffix, options in (("", {}), (", without attention", {"attention": False})):
        bulk = [request("/api/answers", {"model": name, "questions": questions, **options})]
        load(server, bulk, 5, 1)
        found = load(server, bulk, BULK_REQUESTS, 1)
        for body in found.bodies:
            for response, answer in zip(json.loads(body)["answers"], answers, strict=True):
                check(response, answer)
        row(f"{name}, {QUESTIONS:,} per request, 1 connection{suffix}", BULK_REQUESTS * QUESTIONS, found, rate)


def row(label: str, answers: int, found: Load, direct: float) -> None:
    """Print one row."""
    rate = answers / found.seconds
    latencies = " | ".join(f"{found.latency(share):.1f}" for share in (0.5, 0.99, 1.0))
    print(f"| {label} | {rate:,.0f} | {latencies} | {direct:,.0f} | {rate / direct:.2f} |", flush=True)


def crowd(server: Server, examples: Sequence[Example]) -> None:
    """Print the server's memory before and after requests over many connections."""
    single = [request("/api/answer", {"story": one.story, "question": one.question}) for one in examples]
    megabytes = [server.memory()]
    for _ in range(3):
        load(server, single, REQUESTS, CROWD)
        megabytes.append(server.memory())
    shown = ", ".join(f"{each:.0f}" for each in megabytes)
    print(f"\nresident MB before and after each of three times {REQUESTS:,} requests over {CROWD} connections: {shown}")


def page(server: Server) -> None:
    """Print the time from a click to the page's first answer."""
    from playwright.sync_api import expect, sync_playwright

    clicked = """() => new Promise((done) => {
        const began = performance.now();
        const drawn = () => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
        new MutationObserver(drawn).observe(document.getElementById("heat"), { childList: true });
        document.querySelector("#ask button.main").click();
    })"""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
    milliseconds = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        for _ in range(10):
            opened = browser.new_context().new_page()
            opened.goto(f"http://localhost:{server.port}/")
            expect(opened.locator("#story")).not_to_have_value("")
            milliseconds.append(opened.evaluate(clicked))
            opened.context.close()
        browser.close()
    shown = ", ".join(f"{each:.0f}" for each in milliseconds)
    print(f"\nmilliseconds from the click to the first answer drawn, in ten new windows: {shown}")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description="Answers per second over HTTP.")
    parser.add_argument("--page", action="store_true", help="also measure the page")
    arguments = parser.parse_args()
    examples = simulate(1, n_train=0, n_test=QUESTIONS, seed=1).test
    one = StoryQA.fit(simulate(1, n_train=1000, n_test=0).train, training=TrainingConfig(restarts=1))
    with tempfile.TemporaryDirectory() as folder:
        one.save(Path(folder) / "task1")
        with serving("stories", str(Path(folder) / "task1")) as server:
            print("| requests | answers/s | p50 ms | p99 ms | longest ms | Python API, answers/s | ratio |")
            print("|---|---|---|---|---|---|---|")
            measure(server, "task1", one, examples)
            measure(server, "stories", pretrained(), examples)
            crowd(server, examples)
            if arguments.page:
                page(server)


if __name__ == "__main__":
    main()
