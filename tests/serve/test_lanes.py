"""Where requests wait: batches, the bound, and whose error it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from memn2n.serve.lanes import Lane
from memn2n.serve.refusals import RefusedError


def run(test: Callable[[Lane[int, int], threading.Event, list[list[int]]], Awaitable[None]], waiting: int = 9) -> None:
    """Run a test with a lane that squares numbers, once it is let; 0 is an error."""
    let, batches = threading.Event(), list[list[int]]()

    def work(numbers: list[int]) -> list[int]:
        assert let.wait(10)
        batches.append(numbers)
        if 0 in numbers:
            raise ZeroDivisionError
        return [number**2 for number in numbers]

    async def whole() -> None:
        lane = Lane(work, waiting, at_once=4)
        try:
            await test(lane, let, batches)
        finally:
            let.set()
            lane.close()

    asyncio.run(whole())


async def ask(lane: Lane[int, int], *jobs: list[int]) -> list[asyncio.Task[list[int]]]:
    asked = [asyncio.create_task(lane.run(job)) for job in jobs]
    await asyncio.sleep(0.05)
    return asked


def test_what_waits_is_answered_together() -> None:
    async def test(lane: Lane[int, int], let: threading.Event, batches: list[list[int]]) -> None:
        asked = await ask(lane, [1], [2], [3, 4], [5], [6], [7])
        let.set()
        assert await asyncio.gather(*asked) == [[1], [4], [9, 16], [25], [36], [49]]
        assert batches == [[1, 2, 3, 4], [5, 6, 7]]

    run(test)


def test_a_full_queue_refuses_and_goes_on() -> None:
    async def test(lane: Lane[int, int], let: threading.Event, batches: list[list[int]]) -> None:
        first = await ask(lane, [1])  # at work
        asked = await ask(lane, [2], [3], [4])
        assert lane.waiting == 2
        let.set()
        told = await asyncio.gather(*first, *asked, return_exceptions=True)
        assert told[:3] == [[1], [4], [9]]
        assert isinstance(told[3], RefusedError)
        assert (told[3].status, told[3].code, told[3].headers) == (503, "busy", {"retry-after": "1"})
        assert await lane.run([5]) == [25]

    run(test, waiting=2)


def test_an_error_is_that_of_its_asker() -> None:
    async def test(lane: Lane[int, int], let: threading.Event, batches: list[list[int]]) -> None:
        asked = await ask(lane, [1], [0], [3])
        let.set()
        one, error, three = await asyncio.gather(*asked, return_exceptions=True)
        assert (one, three) == ([1], [9])
        assert isinstance(error, ZeroDivisionError)

    run(test)


def test_who_gave_up_is_not_worked_for() -> None:
    async def test(lane: Lane[int, int], let: threading.Event, batches: list[list[int]]) -> None:
        first, second, third = [(await ask(lane, [number]))[0] for number in (1, 2, 3)]
        first.cancel()
        second.cancel()
        await asyncio.sleep(0.05)
        let.set()
        assert await third == [9]
        with pytest.raises(asyncio.CancelledError):
            await first
        assert [2] not in batches

    run(test)
