"""Requests made by a few threads, whose answers are dealt with by one."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pypid.cli.index_reader import CannotGet

CONNECTIONS = 8
"""At once: more than pip's 1, and few beside the 20 that the daemon may have to one upstream, which others need too."""

MAX_PAUSE = 30
"""Seconds to wait before what failed is tried again, whatever ``Retry-After`` says."""

_TICK = 0.2
"""Seconds between two looks of a progress bar."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    what: str
    work: Callable[[], Any]
    then: Callable[[Any], None]
    again: bool = False


class Jobs:
    """
    What is to be done, each in one of `CONNECTIONS` threads.

    All methods are called, and call back, in one thread. What fails in a way
    that may pass is tried once more, when all the rest is done.
    """

    def __init__(self, failed: Callable[[str, str], None]) -> None:
        """``failed``: told what could not be had, and why."""
        self.done = self.total = 0
        self._failed = failed
        self._pool = ThreadPoolExecutor(CONNECTIONS)
        self._ended: queue.SimpleQueue[tuple[_Job, Future[Any]]] = queue.SimpleQueue()
        self._again: list[_Job] = []
        self._pause = 0

    def add(self, what: str, work: Callable[[], T], then: Callable[[T], None]) -> None:
        """Have ``work`` done in a thread, and ``then`` called with its result."""
        self.total += 1
        self._start(_Job(what, work, then))

    def run(self, tick: Callable[[], None]) -> None:
        """Return when all is done, also what was added meanwhile; raise what a job raises, if not `CannotGet`."""
        while self.done < self.total:
            if self.done + len(self._again) == self.total:
                self._try_again()
            try:
                job, future = self._ended.get(timeout=_TICK)
            except queue.Empty:
                pass
            else:
                self._take(job, future)
            tick()

    def stop(self) -> None:
        """Begin nothing more, and return when the threads have ended."""
        self._pool.shutdown(cancel_futures=True)

    def _take(self, job: _Job, future: Future[Any]) -> None:
        try:
            answer = future.result()
        except CannotGet as e:
            if e.retry_after is not None and not job.again:
                self._again.append(job)
                self._pause = max(self._pause, min(e.retry_after, MAX_PAUSE))
                return
            self._failed(job.what, str(e))
        else:
            job.then(answer)
        self.done += 1

    def _try_again(self) -> None:
        time.sleep(self._pause)
        jobs, self._again, self._pause = self._again, [], 0
        for job in jobs:
            self._start(replace(job, again=True))

    def _start(self, job: _Job) -> None:
        self._pool.submit(job.work).add_done_callback(lambda future: self._ended.put((job, future)))
