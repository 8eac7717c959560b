"""Calls that may block, kept off the server's loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

THREADS = 4  # one waits for a commit, the others read


class Threads:
    """A few threads; a call that fails is a program that is broken, and `failure` keeps its error for who watches."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="web")
        self.failure: BaseException | None = None

    async def call(self, work: Callable[[], Result]) -> Result:
        """The result of `work`, made on one of the threads."""
        future = self._pool.submit(work)
        future.add_done_callback(self._look)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Wait for what has begun: a command ends before the journal closes."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _look(self, future: Future[Result]) -> None:
        if not future.cancelled():
            self.failure = self.failure or future.exception()
