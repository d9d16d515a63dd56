"""A file that is read while it arrives: what is released when."""

from __future__ import annotations

import hashlib
from unittest.mock import patch

from twisted.internet.defer import Deferred

from pypid.domain.errors import DigestMismatch, UpstreamUnavailable
from pypid.storage.spool import HOLD_BACK, WHOLE, Spool
from tests.storage.arriving import BIG, OUTAGE, SpoolCase
from tests.storage.case import ManualOffload


class HoldBackTests(SpoolCase):
    def setUp(self) -> None:
        super().setUp()
        self.spool.enter()

    def test_big_file(self) -> None:
        """Bytes pass on as they come, but for the last 64 KiB, which wait for the digest."""
        self.begin(BIG)
        written = 0
        for piece in (1, 1000, WHOLE - 2000, 998, 1, 1, HOLD_BACK - 2):
            self.write(b"x" * piece)
            written += piece
            self.assertEqual(self.released(), min(written, BIG - HOLD_BACK), written)
        self.assertEqual(written, BIG - 1)
        self.write(b"x")
        self.assertEqual(self.released(), BIG - HOLD_BACK, "even when all have come")
        self.spool.finish()
        self.assertEqual(self.read_all(), b"x" * BIG)

    def test_small_file(self) -> None:
        """Up to 1 MiB nothing passes on before the digest is right, so that a failure is still a clean 502."""
        self.begin(WHOLE)
        self.write(b"x" * WHOLE)
        self.assertEqual(self.released(), 0)
        self.spool.finish()
        self.assertEqual(len(self.read_all()), WHOLE)

    def test_just_above(self) -> None:
        self.begin(WHOLE + 1)
        self.write(b"x" * WHOLE)
        self.assertEqual(self.released(), WHOLE + 1 - HOLD_BACK)

    def test_size_unknown(self) -> None:
        """Where the end cannot be known, everything waits."""
        self.begin(None)
        self.write(b"x" * BIG)
        self.assertEqual(self.released(), 0)
        self.spool.finish()
        self.assertEqual(self.read_all(), b"x" * BIG)

    def test_empty_file(self) -> None:
        self.begin(0)
        reading = self.reading(0)
        self.assertNoResult(reading)
        self.spool.finish()
        self.assertEqual(self.successResultOf(reading), b"")

    def test_offset_beyond_the_end(self) -> None:
        self.begin(3)
        self.write(b"abc")
        reading = self.reading(10)
        self.assertNoResult(reading)
        self.spool.finish()
        self.assertEqual(self.successResultOf(reading), b"")

    def test_read_is_bounded(self) -> None:
        """A reader that asks for more than was released does not get it, though it is on the disk."""
        self.begin(BIG)
        self.write(b"x" * BIG)
        offset = BIG - HOLD_BACK - 10
        self.assertEqual(self.successResultOf(self.spool.read(offset, 1000)), b"x" * 10)
        self.assertEqual(self.successResultOf(self.spool.read(0, 4)), b"xxxx")

    def test_not_before_it_is_written(self) -> None:
        """Bytes that the disk has not taken yet are not read."""
        offload = ManualOffload()
        self.begin(BIG, offload)
        reading = self.reading(0)
        writing = Deferred.fromCoroutine(self.spool.write(b"x" * 10))
        self.assertNoResult(reading)
        offload.call()
        self.assertNoResult(reading)
        offload.run()
        self.successResultOf(writing)
        self.assertEqual(self.successResultOf(reading), b"x" * 10)


class MissingTests(SpoolCase):
    """How many bytes have to come before one can be read: more than up to it, since the end is withheld."""

    def test_big_file(self) -> None:
        self.assertEqual(self.spool.missing(10), 11, "before anything is known")
        self.begin(BIG)
        last = BIG - HOLD_BACK - 1
        self.assertEqual([self.spool.missing(offset) for offset in (0, last, last + 1, BIG)], [1, last + 1, BIG, BIG])
        self.write(b"x" * 100)
        self.assertEqual([self.spool.missing(offset) for offset in (99, 100, last + 1)], [0, 1, BIG - 100])
        self.write(b"x" * (BIG - 100))
        self.assertEqual([self.spool.missing(offset) for offset in (last, last + 1)], [0, 0])

    def test_small_file(self) -> None:
        self.begin(WHOLE)
        self.write(b"x" * 100)
        self.assertEqual([self.spool.missing(offset) for offset in (0, 200)], [WHOLE - 100] * 2)

    def test_size_unknown(self) -> None:
        self.begin(None)
        self.write(b"x" * 100)
        self.assertEqual(self.spool.missing(10), 11)
        self.spool.finish()
        self.assertEqual(self.spool.missing(10), 0)


class SizeTests(SpoolCase):
    def test_announced(self) -> None:
        asked = Deferred.fromCoroutine(self.spool.announced())
        self.assertNoResult(asked)
        self.begin(7)
        self.assertEqual(self.successResultOf(asked), 7)

    def test_unknown_until_the_end(self) -> None:
        self.begin(None)
        self.write(b"abc")
        asked = Deferred.fromCoroutine(self.spool.announced())
        self.assertNoResult(asked)
        self.spool.finish()
        self.assertEqual(self.successResultOf(asked), 3)

    def test_failed_before(self) -> None:
        asked = Deferred.fromCoroutine(self.spool.announced())
        self.spool.fail(OUTAGE)
        self.failureResultOf(asked, UpstreamUnavailable)

    def test_more_than_announced(self) -> None:
        """The byte too many is refused, not written."""
        staged = self.begin(3)
        self.write(b"abc")
        self.failureResultOf(self.spool.write(b"d"), DigestMismatch)
        self.assertEqual(staged.size, 3)


class VerifyTests(SpoolCase):
    def test_right(self) -> None:
        for size in (5, None):
            self.spool = Spool()
            self.begin(size).unlink()
            self.write(b"wheel")
            self.spool.verify({"sha256": hashlib.sha256(b"wheel").hexdigest()})
            self.spool.finish()

    def test_wrong_digest(self) -> None:
        self.begin(5)
        self.write(b"whee1")
        with self.assertRaisesRegex(DigestMismatch, "sha256"):
            self.spool.verify({"sha256": hashlib.sha256(b"wheel").hexdigest()})

    def test_cut_off(self) -> None:
        """Missing bytes are named as such, though the digest would tell."""
        self.begin(5)
        self.write(b"whe")
        with self.assertRaisesRegex(DigestMismatch, "3 bytes came of 5"):
            self.spool.verify({"sha256": hashlib.sha256(b"whe").hexdigest()})


class RestartTests(SpoolCase):
    def setUp(self) -> None:
        super().setUp()
        self.spool.enter()

    def test_other_bytes(self) -> None:
        """What comes after a restart is the file, and what came before it is not."""
        self.begin(9).unlink()
        self.write(b"something")
        self.spool.restart()
        self.assertEqual((self.spool.arrived, self.spool.size), (0, None))
        self.spool.announce(5)
        self.write(b"wheel")
        self.spool.verify({"sha256": hashlib.sha256(b"wheel").hexdigest()})
        self.spool.finish()
        self.assertEqual(self.read_all(), b"wheel")

    def test_released_bytes_that_nobody_has(self) -> None:
        """They are released no more."""
        self.begin(BIG)
        self.write(b"x" * BIG)
        self.spool.restart()
        self.spool.announce(BIG)
        self.assertEqual(self.released(), 0)

    def test_not_when_somebody_has_some(self) -> None:
        self.begin(BIG)
        self.assertFalse(self.spool.tapped)
        self.write(b"x" * 10)
        self.assertFalse(self.spool.tapped)
        self.assertEqual(self.successResultOf(self.spool.read(0, 1)), b"x")
        self.assertTrue(self.spool.tapped)
        with self.assertRaises(RuntimeError):
            self.spool.restart()


class SettledTests(SpoolCase):
    def test_after_the_write_under_way(self) -> None:
        """Upstream may fail before the disk has taken what it sent."""
        offload = ManualOffload()
        self.begin(BIG, offload)
        writing = Deferred.fromCoroutine(self.spool.write(b"x" * 10))
        settled = Deferred.fromCoroutine(self.spool.settled())
        self.assertNoResult(settled)
        offload.run()
        self.successResultOf(writing)
        self.successResultOf(settled)
        self.assertEqual(self.spool.arrived, 10)

    def test_write_that_the_disk_refuses(self) -> None:
        self.begin(BIG)
        with patch("os.pwrite", side_effect=OSError(28, "full")):
            self.failureResultOf(self.spool.write(b"x"), OSError)
        self.successResultOf(self.spool.settled())
