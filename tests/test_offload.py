"""Blocking work, done elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from threading import Barrier, Event, current_thread
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from pypid.offload import LooseThreads, Offload, Threads, inline


@implementer(IReactorFromThreads)
class HandReactor:
    """A reactor's thread that is the test's: `turn` does what other threads have asked for."""

    def __init__(self) -> None:
        self._asked: Queue[Callable[[], object]] = Queue()

    def callFromThread(self, callable: Callable[..., object], *args: object, **kwargs: object) -> None:  # noqa: A002
        self._asked.put(lambda: callable(*args, **kwargs))

    def turn(self) -> None:
        """Wait for one thing that is asked for, and do it."""
        self._asked.get(timeout=30)()


def divide(dividend: int, *, by: int) -> float:
    return dividend / by


class OffloadTests(SynchronousTestCase):
    """What holds of both."""

    def check(self, offload: Offload, settle: Callable[[], None]) -> None:
        done = offload(divide, 6, by=3)
        settle()
        self.assertEqual(self.successResultOf(done), 2)
        failed = offload(divide, 6, by=0)
        settle()
        self.failureResultOf(failed, ZeroDivisionError)

    def test_inline(self) -> None:
        self.check(inline, lambda: None)

    def test_threads(self) -> None:
        reactor = HandReactor()
        threads = Threads(reactor, "test", 1)
        threads.start()
        self.addCleanup(threads.stop)
        self.check(threads, reactor.turn)

    def test_loose_threads(self) -> None:
        reactor = HandReactor()
        self.check(LooseThreads(reactor, "test"), reactor.turn)


class LooseThreadsTests(SynchronousTestCase):
    def test_each_call_has_a_thread_that_the_end_of_the_process_does_not_wait_for(self) -> None:
        reactor, barrier = HandReactor(), Barrier(3)
        loose = LooseThreads(reactor, "test")

        def work() -> tuple[str, bool]:
            barrier.wait(30)
            return current_thread().name, current_thread().daemon

        waiting = [loose(work) for _ in range(3)]
        waiting[0].cancel()
        self.failureResultOf(waiting[0], CancelledError)
        for _ in waiting:
            reactor.turn()
        for done in waiting[1:]:
            self.assertEqual(self.successResultOf(done), ("pypid-test", True))


class ThreadsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = HandReactor()

    def started(self, size: int) -> Threads:
        threads = Threads(self.reactor, "test", size)
        threads.start()
        self.addCleanup(threads.stop)
        return threads

    def test_other_thread(self) -> None:
        """The work is done elsewhere, on a thread that says what it is for; the outcome is told here."""
        done = self.started(1)(lambda: current_thread())  # noqa: PLW0108 (looked up on the other thread)
        told: list[tuple[Any, object]] = []
        done.addCallback(lambda thread: told.append((thread, current_thread())))
        self.assertNoResult(done)
        self.reactor.turn()
        ((thread, told_on),) = told
        self.assertIsNot(thread, current_thread())
        self.assertIn("pypid-test", thread.name)
        self.assertIs(told_on, current_thread())

    def test_size(self) -> None:
        """As many at once as there are threads: with fewer the barrier would break."""
        threads, barrier = self.started(3), Barrier(3)
        waiting = [threads(barrier.wait, 30) for _ in range(3)]
        for _ in waiting:
            self.reactor.turn()
        self.assertEqual({self.successResultOf(done) for done in waiting}, {0, 1, 2})

    def test_no_more_than_that(self) -> None:
        """One thread takes its work in turn: what writes to a database is never two."""
        threads, go_on, order = self.started(1), Event(), list[str]()
        first = threads(lambda: order.append("first") if go_on.wait(30) else None)
        second = threads(order.append, "second")
        go_on.set()
        self.reactor.turn()
        self.reactor.turn()
        self.successResultOf(first)
        self.successResultOf(second)
        self.assertEqual(order, ["first", "second"])

    def test_cancelled(self) -> None:
        """The caller can go; the work is done to its end, and its late outcome disturbs nobody."""
        threads, begun, go_on, done = self.started(1), Event(), Event(), Event()

        def work() -> None:
            begun.set()
            go_on.wait(30)
            done.set()
            raise KeyError("late")

        waiting: Deferred[None] = threads(work)
        self.assertTrue(begun.wait(30))
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertFalse(done.is_set())
        go_on.set()
        self.reactor.turn()
        self.assertTrue(done.is_set())

    def test_stop_waits(self) -> None:
        """What had been handed in is done when the pool has stopped: an upload under way is not cut off."""
        threads, begun, order = Threads(self.reactor, "test", 1), Event(), list[str]()
        threads.start()
        waiting: list[Deferred[Any]] = [threads(begun.wait, 30), threads(order.append, "queued")]
        begun.set()
        threads.stop()
        self.assertEqual(order, ["queued"])
        for _ in waiting:
            self.reactor.turn()
        for done in waiting:
            self.successResultOf(done)
