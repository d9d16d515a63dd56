"""One call per key, many waiters."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from pypid.flight import SingleFlight


class Calls:
    """What was begun, each call ended by the test."""

    def __init__(self) -> None:
        self.begun: list[Deferred[str]] = []
        self.cancelled = 0

    async def __call__(self) -> str:
        call: Deferred[str] = Deferred(self._cancel)
        self.begun.append(call)
        return await call

    def _cancel(self, _: Deferred[str]) -> None:
        self.cancelled += 1


class SingleFlightTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.flights: SingleFlight[str, str] = SingleFlight()
        self.calls = Calls()

    def join(self, key: str = "demo", begin: Callable[[], Coroutine[Any, Any, str]] | None = None) -> Deferred[str]:
        return self.flights.join(key, begin or self.calls)

    def test_one_call(self) -> None:
        """Three clients that want the same page cost upstream one request."""
        waiters = [self.join() for _ in range(3)]
        self.assertEqual(len(self.calls.begun), 1)
        self.calls.begun[0].callback("page")
        self.assertEqual([self.successResultOf(waiter) for waiter in waiters], ["page"] * 3)
        self.assertEqual(len(self.flights), 0)

    def test_keys_are_apart(self) -> None:
        one, other = self.join("one"), self.join("other")
        self.calls.begun[1].callback("other's")
        self.assertEqual(self.successResultOf(other), "other's")
        self.assertNoResult(one)
        one.cancel()
        self.failureResultOf(one, CancelledError)

    def test_failure(self) -> None:
        """Everyone hears what went wrong, and the next one tries again."""
        waiters = [self.join(), self.join()]
        self.calls.begun[0].errback(KeyError("down"))
        for waiter in waiters:
            self.failureResultOf(waiter, KeyError)
        again = self.join()
        self.calls.begun[1].callback("page")
        self.assertEqual(self.successResultOf(again), "page")

    def test_at_once(self) -> None:
        """A call that need not wait is over when `join` returns, and nothing of it is kept."""

        async def begin() -> str:
            return "page"

        async def fail() -> str:
            raise KeyError("down")

        self.assertEqual(self.successResultOf(self.join(begin=begin)), "page")
        self.failureResultOf(self.join(begin=fail), KeyError)
        self.assertEqual(len(self.flights), 0)

    def test_one_leaves(self) -> None:
        """The first client's leaving does not take the page from the second."""
        first, second = self.join(), self.join()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertEqual(self.calls.cancelled, 0)
        self.calls.begun[0].callback("page")
        self.assertEqual(self.successResultOf(second), "page")

    def test_all_leave(self) -> None:
        """A page that nobody waits for is fetched no further, and nothing of it is logged."""
        waiters = [self.join(), self.join()]
        for waiter in waiters:
            waiter.cancel()
            self.failureResultOf(waiter, CancelledError)
        self.assertEqual(self.calls.cancelled, 1)
        self.assertEqual(len(self.flights), 0)

    def test_comes_while_it_is_being_cancelled(self) -> None:
        """Whoever asks while an abandoned call takes its time to end gets a call of its own."""
        slow: Deferred[str] = Deferred()

        async def stubborn() -> str:
            try:
                return await self.calls()
            except CancelledError:
                return await slow

        self.join(begin=stubborn).addErrback(lambda failure: failure.trap(CancelledError)).cancel()
        again = self.join()
        self.assertEqual(len(self.calls.begun), 2)
        slow.callback("too late")
        self.assertNoResult(again)
        self.assertEqual(len(self.flights), 1, "the end of the first has not ended the second")
        self.calls.begun[1].callback("page")
        self.assertEqual(self.successResultOf(again), "page")

    def test_joined_by_its_own_cancelling(self) -> None:
        """Even one that asks from within the cancelling."""
        joined: list[Deferred[str]] = []

        async def begin() -> str:
            try:
                return await self.calls()
            finally:
                joined.append(self.join())

        leaving = self.join(begin=begin)
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        self.calls.begun[1].callback("page")
        self.assertEqual(self.successResultOf(joined[0]), "page")

    def test_asked_again_by_a_waiter(self) -> None:
        """An outcome is not kept: who asks when it has come starts a new call."""
        again: list[Deferred[str]] = []
        self.join().addCallback(lambda _: again.append(self.join()))
        second = self.join()
        self.calls.begun[0].callback("page")
        self.assertEqual(self.successResultOf(second), "page")
        self.assertNoResult(again[0])
        self.calls.begun[1].callback("newer")
        self.assertEqual(self.successResultOf(again[0]), "newer")

    def test_cancelled_by_a_waiter(self) -> None:
        """One waiter's outcome may end another, before that has got its own."""
        first = self.join()
        second, third = self.join(), self.join()
        first.addCallback(lambda _: second.cancel())
        self.calls.begun[0].callback("page")
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.successResultOf(third), "page")
        self.assertEqual(self.calls.cancelled, 0)

    def test_joined_while_it_begins(self) -> None:
        """A call that causes, before it first waits, another client to want the same."""
        early: list[Deferred[str]] = []

        async def begin() -> str:
            early.append(self.join())
            return await self.calls()

        first = self.join(begin=begin)
        self.assertEqual(len(self.calls.begun), 1)
        self.calls.begun[0].callback("page")
        self.assertEqual([self.successResultOf(first), self.successResultOf(early[0])], ["page"] * 2)

    def test_each_has_its_own(self) -> None:
        """What one waiter makes of the outcome is not what the next one gets."""
        first, second = self.join().addCallback(str.upper), self.join()
        self.calls.begun[0].callback("page")
        self.assertEqual([self.successResultOf(first), self.successResultOf(second)], ["PAGE", "page"])
