"""The readers of a file that is still arriving: they wait, leave, hear of failures, and are the last to close it."""

from __future__ import annotations

import os
from unittest.mock import patch

from twisted.internet.defer import CancelledError, Deferred

from pypid.domain.errors import UpstreamUnavailable
from pypid.storage.spool import HOLD_BACK
from tests.storage.arriving import BIG, OUTAGE, SpoolCase
from tests.storage.case import ManualOffload


class ReaderTests(SpoolCase):
    def test_own_pace(self) -> None:
        """One that reads nothing holds up nobody; one that comes late misses nothing."""
        self.begin(BIG)
        fast = self.reading(0)
        self.write(b"a" * 1000)
        self.assertEqual(self.successResultOf(fast), b"a" * 1000)
        slow = self.reading(0)
        self.assertEqual(self.successResultOf(slow), b"a" * 1000)
        ahead = self.reading(1000)
        self.write(b"b")
        self.assertEqual(self.successResultOf(ahead), b"b")

    def test_woken_in_vain(self) -> None:
        """A reader further ahead than what came goes on waiting."""
        self.begin(BIG)
        reading = self.reading(5)
        self.write(b"abc")
        self.assertNoResult(reading)
        self.write(b"def")
        self.assertEqual(self.successResultOf(reading), b"f")

    def test_one_leaves(self) -> None:
        """A client that goes while it waits stops only itself."""
        self.begin(BIG)
        leaving, staying = self.reading(0), self.reading(0)
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        self.write(b"abc")
        self.assertEqual(self.successResultOf(staying), b"abc")

    def test_one_leaves_during_its_read(self) -> None:
        offload = ManualOffload()
        self.begin(BIG)
        self.write(b"abc")
        assert self.spool._staged is not None
        self.spool._staged._offload = offload
        leaving, staying = self.reading(0), self.reading(0)
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        offload.run()
        self.assertEqual(self.successResultOf(staying), b"abc")

    def test_cancelled_by_another(self) -> None:
        """One reader's bytes may end another's connection, in the middle of waking both."""
        self.begin(BIG)
        first, second, third = self.reading(0), self.reading(0), self.reading(0)
        first.addCallback(lambda _: second.cancel())
        self.write(b"abc")
        self.successResultOf(first)
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.successResultOf(third), b"abc")

    def test_reads_again_at_once(self) -> None:
        """A reader that asks for more as soon as it has something is not woken with nothing."""
        self.begin(BIG)
        more: list[Deferred[bytes]] = []
        self.reading(0).addCallback(lambda data: more.append(self.reading(len(data))))
        self.write(b"abc")
        self.assertNoResult(more[0])
        self.write(b"def")
        self.assertEqual(self.successResultOf(more[0]), b"def")


class FailureTests(SpoolCase):
    def test_nothing_released(self) -> None:
        """Those who wait, and those who come later, hear what went wrong."""
        self.begin(5)
        self.write(b"whe")
        waiting = self.reading(0)
        self.spool.fail(OUTAGE)
        self.failureResultOf(waiting, UpstreamUnavailable)
        self.failureResultOf(self.reading(0), UpstreamUnavailable)

    def test_something_released(self) -> None:
        """What was released can still be read, but no reader comes to the end."""
        self.spool.enter()
        self.begin(BIG)
        self.write(b"x" * BIG)
        waiting = self.reading(BIG - HOLD_BACK)
        self.spool.fail(OUTAGE)
        self.failureResultOf(waiting, UpstreamUnavailable)
        self.assertEqual(self.successResultOf(self.spool.read(BIG - HOLD_BACK - 1)), b"x")
        for offset in (BIG - HOLD_BACK, BIG - 1, BIG, BIG + 1):
            self.failureResultOf(self.reading(offset), UpstreamUnavailable)

    def test_before_it_began(self) -> None:
        """The disk was full, say, before there was a file."""
        waiting = self.reading(0)
        self.spool.fail(OUTAGE)
        self.failureResultOf(waiting, UpstreamUnavailable)

    def test_disk_refuses(self) -> None:
        """The writer hears of it, and nothing is released that is not written."""
        self.begin(BIG)
        with patch("os.pwrite", side_effect=OSError(28, "full")):
            self.failureResultOf(self.spool.write(b"abc"), OSError)
        self.assertEqual(self.released(), 0)


class ClosingTests(SpoolCase):
    def test_writer_last(self) -> None:
        self.begin(3)
        self.spool.enter()
        self.write(b"abc")
        self.spool.leave()
        self.assertEqual(len(self.files()), 1, "still being written")
        self.spool.finish()
        self.assert_closed_now()

    def test_reader_last(self) -> None:
        """The file stays open for the slowest, whoever has gone before."""
        self.begin(3)
        self.spool.enter()
        self.spool.enter()
        self.write(b"abc")
        self.spool.finish()
        self.spool.leave()
        self.assertEqual(self.read_all(), b"abc")
        self.spool.leave()
        self.assert_closed_now()

    def test_joined_after_finish(self) -> None:
        """Whoever comes while somebody still reads gets the whole file."""
        self.begin(3)
        self.spool.enter()
        self.write(b"abc")
        self.spool.finish()
        self.spool.enter()
        self.spool.leave()
        self.assertEqual(self.read_all(), b"abc")
        self.spool.leave()
        self.assert_closed_now()

    def test_failed(self) -> None:
        self.begin(3)
        self.spool.enter()
        self.spool.fail(OUTAGE)
        self.assertEqual(len(self.files()), 1, "a reader may still want what was released")
        self.spool.leave()
        self.assert_closed_now()

    def test_failed_without_readers(self) -> None:
        self.begin(3)
        self.spool.fail(OUTAGE)
        self.assert_closed_now()

    def test_once(self) -> None:
        """However often it comes and goes after the end, the descriptor is closed once."""
        self.begin(3)
        self.write(b"abc")
        with patch("os.close") as close:
            self.spool.finish()
            self.spool.enter()
            self.spool.leave()
        self.assertEqual(close.call_count, 1)
        os.close(close.call_args.args[0])
        self.assert_closed_now()

    def test_left_during_a_read(self) -> None:
        """A client that goes while the disk works does not take the descriptor away under it."""
        self.begin(3)
        self.write(b"abc")
        self.spool.enter()
        self.spool.finish()
        offload = ManualOffload()
        assert self.spool._staged is not None
        self.spool._staged._offload = offload
        reading = self.reading(0)
        offload.call()
        reading.cancel()
        self.failureResultOf(reading, CancelledError)
        self.spool.leave()
        offload.run()
        self.assert_closed_now()
