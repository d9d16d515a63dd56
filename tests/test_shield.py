"""Calls that go on when their caller has gone."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from pypid.flight import acquired, shield


class ShieldTests(SynchronousTestCase):
    def test_passes_on(self) -> None:
        for begin, end in ((Deferred[str](), True), (Deferred[str](), False)):
            waiter = shield(begin)
            self.assertNoResult(waiter)
            if end:
                begin.callback("done")
                self.assertEqual(self.successResultOf(waiter), "done")
            else:
                begin.errback(KeyError("failed"))
                self.failureResultOf(waiter, KeyError)

    def test_already_over(self) -> None:
        call: Deferred[str] = Deferred()
        call.callback("done")
        self.assertEqual(self.successResultOf(shield(call)), "done")

    def test_not_cancelled(self) -> None:
        """The client goes, the upload is finished."""
        cancelled: list[object] = []
        call: Deferred[str] = Deferred(cancelled.append)
        waiter = shield(call)
        waiter.cancel()
        self.failureResultOf(waiter, CancelledError)
        self.assertEqual(cancelled, [])
        call.callback("done")
        self.assertEqual(self.successResultOf(call), "done", "for whoever else watches the call")

    def test_failure_after_leaving(self) -> None:
        """A failure that nobody waits for is not lost."""
        call: Deferred[str] = Deferred()
        waiter = shield(call)
        waiter.cancel()
        self.failureResultOf(waiter, CancelledError)
        call.errback(KeyError("failed"))
        self.failureResultOf(call, KeyError)


class AcquiredTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.released: list[str] = []
        self.call: Deferred[str] = Deferred()
        self.waiting = Deferred.fromCoroutine(acquired(self.call, self.released.append))

    def test_handed_over(self) -> None:
        self.call.callback("file")
        self.assertEqual(self.successResultOf(self.waiting), "file")
        self.assertEqual(self.released, [])

    def test_failed(self) -> None:
        self.call.errback(KeyError("none"))
        self.failureResultOf(self.waiting, KeyError)
        self.assertEqual(self.released, [])

    def test_left(self) -> None:
        """What comes for a client that has gone is given back."""
        self.waiting.cancel()
        self.failureResultOf(self.waiting, CancelledError)
        self.assertEqual(self.released, [])
        self.call.callback("file")
        self.assertEqual(self.released, ["file"])

    def test_left_and_failed(self) -> None:
        """There was nothing to give back, and nobody to tell: the log stays clean."""
        self.waiting.cancel()
        self.failureResultOf(self.waiting, CancelledError)
        self.call.errback(KeyError("none"))
        self.assertEqual(self.released, [])
        self.assertIsNone(self.successResultOf(self.call))
