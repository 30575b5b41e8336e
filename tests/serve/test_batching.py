"""The queue in front of a model: batches, the limit, errors, cancellation."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

import pytest

from memn2n.serve.batching import BatchQueue
from memn2n.serve.refusals import RefusedError


def run(
    test: Callable[[BatchQueue[int, int], threading.Event, list[list[int]]], Awaitable[None]], waiting: int = 9
) -> None:
    """Run a test with a queue that squares numbers once an event is set. The number 0 is an error."""
    go, batches = threading.Event(), list[list[int]]()

    def work(numbers: list[int]) -> list[int]:
        assert go.wait(10)
        batches.append(numbers)
        if 0 in numbers:
            raise ZeroDivisionError
        return [number**2 for number in numbers]

    async def whole() -> None:
        queue = BatchQueue(work, waiting, batch=4)
        try:
            await test(queue, go, batches)
        finally:
            go.set()
            queue.close()

    asyncio.run(whole())


async def submit(queue: BatchQueue[int, int], *jobs: list[int]) -> list[asyncio.Task[list[int]]]:
    tasks = [asyncio.create_task(queue.run(job)) for job in jobs]
    await asyncio.sleep(0.05)
    return tasks


def test_waiting_jobs_form_one_batch() -> None:
    async def test(queue: BatchQueue[int, int], go: threading.Event, batches: list[list[int]]) -> None:
        tasks = await submit(queue, [1], [2], [3, 4], [5], [6], [7])
        go.set()
        assert await asyncio.gather(*tasks) == [[1], [4], [9, 16], [25], [36], [49]]
        assert batches == [[1, 2, 3, 4], [5, 6, 7]]

    run(test)


def test_a_full_queue_refuses_jobs_and_recovers() -> None:
    async def test(queue: BatchQueue[int, int], go: threading.Event, batches: list[list[int]]) -> None:
        first = await submit(queue, [1])  # is being computed
        tasks = await submit(queue, [2], [3], [4])
        assert queue.waiting == 2
        go.set()
        results = await asyncio.gather(*first, *tasks, return_exceptions=True)
        assert results[:3] == [[1], [4], [9]]
        assert isinstance(results[3], RefusedError)
        assert (results[3].status, results[3].code, results[3].headers) == (503, "busy", {"retry-after": "1"})
        assert await queue.run([5]) == [25]

    run(test, waiting=2)


def test_an_error_fails_only_its_own_job() -> None:
    async def test(queue: BatchQueue[int, int], go: threading.Event, batches: list[list[int]]) -> None:
        tasks = await submit(queue, [1], [0], [3])
        go.set()
        one, error, three = await asyncio.gather(*tasks, return_exceptions=True)
        assert (one, three) == ([1], [9])
        assert isinstance(error, ZeroDivisionError)

    run(test)


def test_cancelled_jobs_are_not_computed() -> None:
    async def test(queue: BatchQueue[int, int], go: threading.Event, batches: list[list[int]]) -> None:
        first, second, third = [(await submit(queue, [number]))[0] for number in (1, 2, 3)]
        first.cancel()
        second.cancel()
        await asyncio.sleep(0.05)
        go.set()
        assert await third == [9]
        with pytest.raises(asyncio.CancelledError):
            await first
        assert [2] not in batches

    run(test)


@pytest.mark.parametrize("error", [MemoryError, SystemExit, KeyboardInterrupt])
def test_a_queue_goes_on_after_any_error(error: type[BaseException]) -> None:
    class Job(list[int]):
        """A job that cannot be put into a batch."""

        def __iter__(self) -> Iterator[int]:
            raise error

    def work(numbers: list[int]) -> list[int]:
        if 0 in numbers:
            raise error
        return numbers

    async def whole() -> None:
        queue = BatchQueue(work, waiting=9, batch=4)
        tasks = await submit(queue, Job([1]), [2, 3, 4, 5], [0], [6])
        results = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert isinstance(results[0], Exception)
        assert isinstance(results[2], Exception)
        assert await asyncio.wait_for(queue.run([7]), 5) == [7]
        assert queue.waiting == 0
        queue.close()

    asyncio.run(whole())


def test_a_result_that_cannot_be_handed_out_fails_its_job_only() -> None:
    def work(numbers: list[int]) -> list[int]:
        return cast("list[int]", None) if 0 in numbers else numbers

    async def whole() -> None:
        queue = BatchQueue(work, waiting=9, batch=4)
        one, error, three = await asyncio.gather(*await submit(queue, [1], [0], [3]), return_exceptions=True)
        assert (one, three) == ([1], [3])
        assert isinstance(error, TypeError)
        queue.close()

    asyncio.run(whole())
