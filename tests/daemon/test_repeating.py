"""Calls by a clock of the test's own."""

from __future__ import annotations

import errno

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from pypid.daemon.repeating import RepeatingService


class RepeatingServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.calls = 0
        self.waiting: Deferred[None] | None = None
        self.error: Exception | None = None
        self.service = RepeatingService(self.clock, self.call, "the thing could not be done", first=5, interval=60)
        self.service.startService()

    async def call(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error
        if self.waiting is not None:
            await self.waiting

    def test_first_soon_and_then_every_so_often(self) -> None:
        for seconds in (5, 60, 60):
            before = self.calls
            self.clock.advance(seconds - 1)
            self.assertEqual(self.calls, before)
            self.clock.advance(1)
            self.assertEqual(self.calls, before + 1)

    def test_never_two_at_once(self) -> None:
        self.waiting = Deferred()
        self.clock.advance(5)
        self.clock.advance(1000)
        self.assertEqual(self.calls, 1)
        waiting, self.waiting = self.waiting, None
        waiting.callback(None)
        self.clock.advance(59)
        self.assertEqual(self.calls, 1)
        self.clock.advance(1)
        self.assertEqual(self.calls, 2)

    def test_when_it_has_stopped_nothing_comes(self) -> None:
        self.service.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.calls, 0)

    def test_it_may_stop_while_a_call_is_under_way(self) -> None:
        self.waiting = Deferred()
        self.clock.advance(5)
        self.service.stopService()
        self.waiting.callback(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_what_goes_wrong_is_logged_and_the_next_turn_comes(self) -> None:
        self.error = OSError(errno.ENOSPC, "no room")
        with capturedLogs() as events:
            self.clock.advance(5)
        self.assertEqual(
            [(event["log_level"], event["what"]) for event in events], [(LogLevel.error, "the thing could not be done")]
        )
        self.error = ValueError("a bug")
        with capturedLogs() as events:
            self.clock.advance(60)
        self.assertEqual([event["log_level"] for event in events], [LogLevel.critical])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.error = None
        self.clock.advance(60)
        self.assertEqual(self.calls, 3)
