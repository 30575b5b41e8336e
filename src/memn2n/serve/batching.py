"""A bounded queue in front of a model. Requests that wait are answered in one batch."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

from memn2n.serve.refusals import busy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Q = TypeVar("Q")
A = TypeVar("A")


@dataclass(eq=False)
class _Job(Generic[Q, A]):
    items: Sequence[Q]
    result: asyncio.Future[list[A]]

    def fail(self, error: BaseException) -> None:
        """Let the request raise an error, unless it has a result or was cancelled."""
        if self.result.done():
            return
        if isinstance(error, Exception):
            self.result.set_exception(error)
        else:  # one that would end the server if the request raised it, such as SystemExit
            self.result.set_exception(RuntimeError(f"the model was stopped by {type(error).__name__}"))


class BatchQueue(Generic[Q, A]):
    """A queue of jobs and the thread that works on them, one batch at a time.

    A job is a list of items. All jobs that arrive while one batch is computed form the next batch. A model whose calls
    have a fixed cost therefore answers more items per second, the more jobs wait.

    Args:
        work: computes a list of results, one for each item of a batch, in the queue's thread. A result must not depend
            on the other items of its batch.
        waiting: how many jobs may wait.
        batch: no further job joins a batch that has this number of items or more.
    """

    def __init__(self, work: Callable[[list[Q]], list[A]], waiting: int, batch: int) -> None:
        self._work = work
        self._limit = waiting
        self._batch = batch
        self._jobs: deque[_Job[Q, A]] = deque()
        self._thread = ThreadPoolExecutor(1, "memn2n-batches")
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Number of jobs that wait."""
        return len(self._jobs)

    async def run(self, items: Sequence[Q]) -> list[A]:
        """The results for the items of one job.

        Raises:
            RefusedError: 503, if too many jobs wait.
            Exception: whatever ``work`` raises for these items.
        """
        if len(self._jobs) >= self._limit:
            raise busy("too many requests are waiting for this model")
        job = _Job[Q, A](items, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        if self._worker is None:
            self._worker = asyncio.create_task(self._run_batches())
        try:
            return await job.result
        except asyncio.CancelledError:
            if job in self._jobs:
                self._jobs.remove(job)
            raise

    def close(self) -> None:
        """End the thread after its current batch."""
        self._thread.shutdown()

    async def _run_batches(self) -> None:
        batch: list[_Job[Q, A]] = []
        try:
            while self._jobs:
                batch = []
                size = 0
                while self._jobs and size < self._batch:
                    batch.append(self._jobs.popleft())
                    size += len(batch[-1].items)
                await self._run_batch(batch)
        except BaseException as error:  # such as a MemoryError: without this, all waiting jobs would wait for ever
            for job in (*batch, *self._jobs):
                job.fail(error)
            self._jobs.clear()
            if isinstance(error, asyncio.CancelledError):
                raise
        finally:
            self._worker = None  # the next job starts another one

    async def _run_batch(self, batch: list[_Job[Q, A]]) -> None:
        try:
            items = [item for job in batch for item in job.items]
            results = await asyncio.get_running_loop().run_in_executor(self._thread, self._work, items)
            left = iter(results)
            answers = [list(islice(left, len(job.items))) for job in batch]
        except Exception as error:
            if len(batch) == 1:
                batch[0].fail(error)
                return
        else:
            for job, result in zip(batch, answers, strict=True):
                if not job.result.done():
                    job.result.set_result(result)
            return
        for job in batch:  # one by one, so that only the job at fault fails
            await self._run_batch([job])
