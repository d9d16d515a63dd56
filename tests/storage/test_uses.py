"""Blobs in use, and blobs on their way out: never both."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from pypid.storage.uses import GRACE, MEMORY, Hold, Uses

WHEEL = "ab" * 32


class UsesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.now = 1_800_000_000.0
        self.uses = Uses(lambda: self.now)

    def holding(self) -> Deferred[Hold]:
        return Deferred.fromCoroutine(self.uses.hold(WHEEL))

    def held(self) -> Hold:
        hold: Hold = self.successResultOf(self.holding())
        return hold

    def claim(self, planned: float | None = None) -> bool:
        return self.uses.claim(WHEEL, planned=self.now if planned is None else planned)

    def test_what_is_held_is_not_claimed_however_long_it_takes(self) -> None:
        first, second = self.held(), self.held()
        self.now += 10 * MEMORY
        self.uses.recorded(self.uses.unrecorded())
        first.release()
        first.release()
        self.now += GRACE
        self.assertEqual(self.uses.in_use(), {WHEEL})
        self.assertFalse(self.claim())
        second.release()
        self.assertFalse(self.claim(), "it was in use a moment ago")
        self.now += GRACE
        self.assertEqual(self.uses.in_use(), set())
        self.assertTrue(self.claim())

    def test_what_was_used_since_the_plan_is_not_claimed(self) -> None:
        planned = self.now
        self.now += 1
        self.held().release()
        self.now += GRACE
        self.uses.recorded(self.uses.unrecorded())
        self.assertFalse(self.claim(planned))
        self.assertTrue(self.claim())

    def test_who_wants_what_is_being_removed_waits_until_it_is_gone(self) -> None:
        self.assertTrue(self.claim())
        self.assertFalse(self.claim(), "by two at once")
        waiting = [self.holding(), self.holding(), self.holding()]
        waiting[1].cancel()
        self.failureResultOf(waiting.pop(1), CancelledError)
        for each in waiting:
            self.assertNoResult(each)
        self.uses.disclaim(WHEEL)
        for each in waiting:
            self.successResultOf(each)
        self.assertFalse(self.claim())

    def test_a_clock_that_is_set_back_does_not_keep_blobs(self) -> None:
        self.held().release()
        self.now -= 10 * GRACE
        self.assertNotIn(WHEEL, self.uses)
        self.assertTrue(self.claim())

    def test_each_use_is_recorded_once(self) -> None:
        self.assertEqual(self.uses.unrecorded(), {})
        self.held().release()
        uses = self.uses.unrecorded()
        self.assertEqual(uses, {WHEEL: self.now})
        self.now += 1
        hold = self.held()
        self.uses.recorded(uses)
        self.assertEqual(self.uses.unrecorded(), {WHEEL: self.now}, "it was used again meanwhile")
        self.uses.recorded(self.uses.unrecorded())
        self.assertEqual(self.uses.unrecorded(), {})
        hold.release()
        self.assertEqual(self.uses.unrecorded(), {WHEEL: self.now})
