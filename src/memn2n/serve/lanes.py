"""A bounded queue before a model: what waits is answered together, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from memn2n.serve.refusals import RETRY, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(eq=False)
class _Job(Generic[Q, A]):
    items: Sequence[Q]
    done: asyncio.Future[list[A]]


class Lane(Generic[Q, A]):
    """Where the requests for one model wait.

    One batch is worked on at a time. The more requests come in meanwhile, the larger is the next batch, so that a model
    with a cost a call serves more of them.

    Args:
        work: answers a batch, an answer an item, in another thread; an answer must not depend on its batch.
        waiting: how many jobs may wait.
        at_once: items from which on a batch takes no further job.
    """

    def __init__(self, work: Callable[[list[Q]], list[A]], waiting: int, at_once: int) -> None:
        self._work = work
        self._most = waiting
        self._at_once = at_once
        self._jobs: deque[_Job[Q, A]] = deque()
        self._thread = ThreadPoolExecutor(1, "memn2n-lane")
        self._driver: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        return len(self._jobs)

    async def run(self, items: Sequence[Q]) -> list[A]:
        """The answers to some items, which form one job.

        Raises:
            RefusedError: 503, if too many jobs wait.
            Exception: of ``work``.
        """
        if len(self._jobs) >= self._most:
            raise RefusedError(503, "busy", "too many requests wait for this model; try again", headers=RETRY)
        job = _Job[Q, A](items, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        if self._driver is None:
            self._driver = asyncio.create_task(self._drive())
        try:
            return await job.done
        except asyncio.CancelledError:
            if job in self._jobs:
                self._jobs.remove(job)
            raise

    def close(self) -> None:
        """End the thread, after what it works on."""
        self._thread.shutdown()

    async def _drive(self) -> None:
        while batch := self._next_batch():
            await self._answer(batch)
        self._driver = None

    def _next_batch(self) -> list[_Job[Q, A]]:
        batch: list[_Job[Q, A]] = []
        size = 0
        while self._jobs and size < self._at_once:
            batch.append(self._jobs.popleft())
            size += len(batch[-1].items)
        return batch

    async def _answer(self, batch: list[_Job[Q, A]]) -> None:
        items = [item for job in batch for item in job.items]
        try:
            answers = await asyncio.get_running_loop().run_in_executor(self._thread, self._work, items)
        except Exception as error:
            if len(batch) > 1:
                for job in batch:  # whose fault it was is found out one by one
                    await self._answer([job])
            elif not batch[0].done.done():
                batch[0].done.set_exception(error)
            return
        start = 0
        for job in batch:
            end = start + len(job.items)
            if not job.done.done():
                job.done.set_result(answers[start:end])
            start = end
