"""How many answers a second the server gives, how soon, and whether they are the right ones.

    python -m benchmarks.serve            # about two minutes; needs memn2n[serve]
    python -m benchmarks.serve --page     # and the page's first answer, in Chromium; needs playwright too

The server is a process of its own; the clients are in this one, and so on the same machine. Every answer that came is
held against the direct call afterwards, and an answer that is lost or mixed up ends the benchmark. Beside each rate
stands that of the direct call in this process, taken right before.
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
"""Connections while memory is looked at."""


class Load(NamedTuple):
    """What came of some requests."""

    seconds: float
    latencies: list[float]
    bodies: list[bytes]

    def latency(self, share: float) -> float:
        """The milliseconds within which a share of the requests was answered."""
        return 1000 * sorted(self.latencies)[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


class Server(NamedTuple):
    """A server that runs."""

    port: int
    pid: int

    def memory(self) -> float:
        """Its resident megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(re.findall(r"VmRSS:\s*(\d+)", status)[0]) / 1024


@contextmanager
def serving(*models: str) -> Iterator[Server]:
    """A server of some models."""
    command = [sys.executable, "-m", "memn2n", "serve", "--port", "0", *models]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield Server(int(re.findall(r"http://[^:]*:(\d+)", line)[0]), process.pid)
        finally:
            process.terminate()


def request(path: str, content: dict[str, Any]) -> bytes:
    """The bytes of a request."""
    body = json.dumps(content).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def load(server: Server, requests: Sequence[bytes], number: int, connections: int) -> Load:
    """Send so many requests, in turn, each connection one after the other."""
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

    async def every() -> float:
        begin = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(connections)))
        return time.perf_counter() - begin

    seconds = uvloop.run(every())
    return Load(seconds, latencies, bodies)


def check(told: dict[str, Any], answer: Answer) -> None:
    """End the benchmark unless an answer is that of the direct call."""
    same = (
        told["prediction"] == answer.text
        and abs(told["probability"] - answer.probability) < 1e-5
        and (told["attention"] is None or abs(told["attention"][0][-1] - answer.attention[0, -1]) < 1e-5)
    )
    if not same:
        raise SystemExit(f"an answer is lost or mixed up: {told} is not {answer}")


def direct_rate(qa: StoryQA, asked: Sequence[Example], *, at_once: bool) -> float:
    """Answers a second of the direct call, the best of three turns."""
    questions = [(one.story, one.question) for one in asked]
    best = 0.0
    for _ in range(3):
        begin = time.perf_counter()
        if at_once:
            qa.answer_many(questions)
        else:
            for story, question in questions:
                qa.answer(story, question)
        best = max(best, len(questions) / (time.perf_counter() - begin))
    return best


def measure(server: Server, name: str, qa: StoryQA, asked: Sequence[Example]) -> None:
    """Print the rows of one model."""
    answers = qa.answer_many([(one.story, one.question) for one in asked])
    questions = [{"story": one.story, "question": one.question} for one in asked]

    single = [request("/api/answer", {"model": name, **one}) for one in questions]
    rate = direct_rate(qa, asked, at_once=False)
    load(server, single, 2 * len(single), CONNECTIONS)
    found = load(server, single, REQUESTS, CONNECTIONS)
    for i, body in enumerate(found.bodies):
        check(json.loads(body), answers[i % len(answers)])
    row(f"{name}, one a request, {CONNECTIONS} connections", REQUESTS, found, rate)

    rate = direct_rate(qa, asked, at_once=True)
    for what, more in (("", {}), (", without attention", {"attention": False})):
        bulk = [request("/api/answers", {"model": name, "questions": questions, **more})]
        load(server, bulk, 5, 1)
        found = load(server, bulk, BULK_REQUESTS, 1)
        for body in found.bodies:
            for told, answer in zip(json.loads(body)["answers"], answers, strict=True):
                check(told, answer)
        row(f"{name}, {QUESTIONS:,} a request, 1 connection{what}", BULK_REQUESTS * QUESTIONS, found, rate)


def row(what: str, answers: int, found: Load, direct: float) -> None:
    """Print one row."""
    rate = answers / found.seconds
    latencies = " | ".join(f"{found.latency(share):.1f}" for share in (0.5, 0.99, 1.0))
    print(f"| {what} | {rate:,.0f} | {latencies} | {direct:,.0f} | {rate / direct:.2f} |", flush=True)


def crowd(server: Server, asked: Sequence[Example]) -> None:
    """Print the server's memory while it is asked by many."""
    single = [request("/api/answer", {"story": one.story, "question": one.question}) for one in asked]
    megabytes = [server.memory()]
    for _ in range(3):
        load(server, single, REQUESTS, CROWD)
        megabytes.append(server.memory())
    told = ", ".join(f"{each:.0f}" for each in megabytes)
    print(f"\nresident MB before, and after each of three times {REQUESTS:,} requests of {CROWD} connections: {told}")


def page(server: Server) -> None:
    """Print how long after a click the page's first answer is there."""
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
    told = ", ".join(f"{each:.0f}" for each in milliseconds)
    print(f"\nmilliseconds from the click to the first answer drawn, in ten new windows: {told}")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Answers a second over HTTP.")
    parser.add_argument("--page", action="store_true", help="measure the page too")
    arguments = parser.parse_args()
    asked = simulate(1, n_train=0, n_test=QUESTIONS, seed=1).test
    one = StoryQA.fit(simulate(1, n_train=1000, n_test=0).train, training=TrainingConfig(restarts=1))
    with tempfile.TemporaryDirectory() as folder:
        one.save(Path(folder) / "task1")
        with serving("stories", str(Path(folder) / "task1")) as server:
            print("| what | answers/s | p50 ms | p99 ms | longest ms | direct call, answers/s | ratio |")
            print("|---|---|---|---|---|---|---|")
            measure(server, "task1", one, asked)
            measure(server, "stories", pretrained(), asked)
            crowd(server, asked)
            if arguments.page:
                page(server)


if __name__ == "__main__":
    main()
