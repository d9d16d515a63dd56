"""When the daemon sweeps, by a clock of the test's own."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs

from pypid.daemon.sweep import FIRST, INTERVAL, RECORD_INTERVAL, SweepService
from pypid.domain.eviction import ORPHAN_LIFE
from tests.indexes.rooms import NOTHING, RoomCase, content_of


class SweepServiceTests(RoomCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.sweeps = SweepService(self.clock, self.room)
        self.sweeps.startService()

    def stopping(self) -> Deferred[Any]:
        return self.sweeps.stopService()

    def test_soon_after_the_start_and_then_every_hour(self) -> None:
        orphans: list[str] = []
        for seconds in (FIRST, INTERVAL, INTERVAL):
            orphans.append(self.add(content_of(len(orphans))))
            self.pass_time(ORPHAN_LIFE)
            self.clock.advance(seconds - 1)
            self.assertEqual(self.has(orphans[-1]), [True])
            self.clock.advance(1)
            self.assertEqual(self.has(orphans[-1]), [False])
        self.successResultOf(self.stopping())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_at_once_when_the_limits_have_changed(self) -> None:
        sha256 = self.fetch(b"wheel")
        self.room.limits = NOTHING
        self.sweeps.sweep()
        self.assertEqual(self.has(sha256), [False])
        self.successResultOf(self.stopping())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_uses_are_recorded_each_minute_and_at_the_end(self) -> None:
        sha256 = self.fetch(b"wheel")
        self.assertEqual(self.result(self.references.last_uses()), {})
        self.clock.advance(RECORD_INTERVAL)
        (first,) = self.result(self.references.last_uses()).values()
        self.read(sha256)
        self.successResultOf(self.stopping())
        (last,) = self.result(self.references.last_uses()).values()
        self.assertGreater(last, first)

    def test_a_stop_waits_for_what_is_being_removed(self) -> None:
        sha256 = self.fetch(b"wheel")
        self.room.limits = NOTHING
        self.disk.held = "_unlink"
        self.sweeps.sweep()
        stopping = self.stopping()
        self.assertNoResult(stopping)
        self.disk.release()
        self.successResultOf(stopping)
        self.assertEqual(self.has(sha256), [False])

    def test_a_sweep_that_fails_is_logged_and_the_next_one_comes(self) -> None:
        sha256 = self.fetch(b"wheel")
        self.room.limits = NOTHING
        self.disk.full = {"take_inventory"}
        self.cache_writer.full = {"_write"}
        with capturedLogs() as events:
            self.clock.advance(FIRST)
        reasons = {str(event["why"]) for event in events if event["log_level"] is LogLevel.error}
        self.assertEqual(reasons, {"[Errno 28] No space left on device"})
        self.disk.full = self.cache_writer.full = set()
        self.clock.advance(INTERVAL)
        self.assertEqual(self.has(sha256), [False])
        self.successResultOf(self.stopping())
