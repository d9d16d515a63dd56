"""Eviction against those who want the very blob, at each of its steps: F09 and F10."""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.defer import Deferred

from pypid.domain.subject import Subject
from pypid.indexes.publishing import Publisher
from pypid.indexes.room import Swept
from pypid.inspection.files import inspect_file
from pypid.offload import inline
from pypid.storage.blobs import Blob, BlobMissing
from pypid.storage.hosted_changes import Deed
from pypid.storage.hosted_file import iso
from tests.indexes.rooms import DAY, RoomCase, content_of
from tests.indexes.stores import Disk
from tests.indexes.test_publishing import publish
from tests.kit.dists import sdist, wheel
from tests.storage.rows import ALICE, DEMO, MAIN


class Step(NamedTuple):
    """Where an eviction is held."""

    place: str
    function: str
    claimed: bool
    """Whether its victims are decided on by then."""


STEPS = (
    Step("disk", "take_inventory", claimed=False),
    Step("disk", "mirrored_blobs", claimed=False),
    Step("disk", "plan_eviction", claimed=False),
    Step("hosted_reader", "_read", claimed=True),
    Step("cache_writer", "_write", claimed=True),
    Step("disk", "_unlink", claimed=True),
)
"""Every place at which an eviction waits, after its first look at the records."""


class RaceCase(RoomCase):
    def evicting(self, step: Step) -> tuple[Disk, Deferred[Swept]]:
        """Begin to evict everything, up to ``step``."""
        disk: Disk = getattr(self, step.place)
        if step.place == "hosted_reader":
            # Its second look: the first one is before anything is decided.
            self.disk.held = "mirrored_blobs"
            swept = self.sweeping_all()
            disk.held = step.function
            self.disk.release()
        else:
            disk.held = step.function
            swept = self.sweeping_all()
        self.assertEqual(disk.waiting, 1, step)
        return disk, swept


class ReaderTests(RaceCase):
    """F09."""

    def opening(self, sha256: str) -> Deferred[Blob]:
        return Deferred.fromCoroutine(self.blobs.open(sha256))

    def test_who_opens_before_it_is_claimed_has_it(self) -> None:
        for number, step in enumerate(step for step in STEPS if not step.claimed):
            sha256 = self.fetch(content_of(number))
            disk, swept = self.evicting(step)
            self.pass_time(1)
            blob = self.successResultOf(self.opening(sha256))
            disk.release()
            self.successResultOf(swept)
            self.assertEqual((self.has(sha256), self.recorded(sha256)), ([True], [True]), step)
            blob.close()

    def test_who_opens_after_that_finds_it_gone_and_no_half_of_it(self) -> None:
        """It is fetched anew then: nothing but `BlobMissing` comes of it."""
        for number, step in enumerate(step for step in STEPS if step.claimed):
            sha256 = self.fetch(content_of(number))
            disk, swept = self.evicting(step)
            opening, asking = self.opening(sha256), Deferred.fromCoroutine(self.blobs.has(sha256))
            for waiting in (opening, asking):
                self.assertNoResult(waiting)
            disk.release()
            self.successResultOf(swept)
            self.failureResultOf(opening, BlobMissing)
            self.assertFalse(self.successResultOf(asking))
            self.assertEqual(self.recorded(sha256), [False])

    def test_who_had_it_open_keeps_it_even_while_others_go(self) -> None:
        for step in STEPS:
            read, other = self.fetch(b"read"), self.fetch(b"other")
            blob = self.successResultOf(self.opening(read))
            disk, swept = self.evicting(step)
            self.assertEqual(self.successResultOf(Deferred.fromCoroutine(blob.read(0))), b"read")
            disk.release()
            self.successResultOf(swept)
            self.assertEqual(self.has(read, other), [True, False], step)
            blob.close()
            self.pass_time()

    def test_who_leaves_while_waiting_stops_nothing(self) -> None:
        sha256 = self.fetch(b"wheel")
        disk, swept = self.evicting(STEPS[-1])
        opening = self.opening(sha256)
        opening.cancel()
        self.failureResultOf(opening)
        swept.cancel()
        self.failureResultOf(swept)
        stopping, late = Deferred.fromCoroutine(self.room.stop()), self.opening(sha256)
        for waiting in (stopping, late):
            self.assertNoResult(waiting)
        disk.release()
        self.successResultOf(stopping)
        self.failureResultOf(late, BlobMissing)
        self.assertEqual((self.has(sha256), self.recorded(sha256)), ([False], [False]))
        self.assertEqual(self.sweep().removed, 0)


class UploadTests(RaceCase):
    """F10: the very bytes that are being evicted are uploaded."""

    def setUp(self) -> None:
        super().setUp()
        self.publisher = Publisher(
            staging=self.staging,
            blobs=self.blobs,
            records=self.hosted,
            inspect=lambda path, question: inline(inspect_file, path, question),
            now=lambda: self.now,
        )

    def check_published(self, filename: str, content: bytes) -> None:
        """A row has its blob."""
        row = self.result(self.hosted.file(MAIN, filename))
        assert row is not None
        self.assertEqual(self.read(row.sha256), content)

    def test_the_upload_has_its_bytes_whenever_it_comes(self) -> None:
        for number, step in enumerate(STEPS):
            dist = sdist("demo", f"1.{number}")
            self.fetch(dist.content)
            disk, swept = self.evicting(step)
            uploading = publish(self.publisher, dist)
            self.pass_time()
            disk.release()
            self.successResultOf(swept)
            self.assertTrue(self.successResultOf(uploading), step)
            self.check_published(dist.filename, dist.content)

    def test_what_was_deleted_and_is_being_removed_may_be_uploaded_again(self) -> None:
        for number, step in enumerate(STEPS):
            dist = sdist("demo", f"2.{number}")
            self.successResultOf(publish(self.publisher, dist))
            deed = Deed(index=MAIN, actor=ALICE, at=iso(self.now))
            self.result(self.hosted.delete(deed, Subject(project=DEMO, filename=dist.filename)))
            self.pass_time(30 * DAY)
            disk, swept = self.evicting(step)
            uploading = publish(self.publisher, dist)
            self.pass_time()
            disk.release()
            self.assertGreaterEqual(self.successResultOf(swept).removed, 1 if step.claimed else 0, step)
            self.assertTrue(self.successResultOf(uploading), step)
            self.check_published(dist.filename, dist.content)

    def test_an_upload_that_takes_hours_to_record_keeps_its_bytes(self) -> None:
        """Between the link and the row, where the blob was there for long before, and whatever is swept meanwhile."""
        dist = wheel("demo", "1.0")
        self.fetch(dist.content)
        self.hosted_writer.held = "_write"
        uploading = publish(self.publisher, dist)
        for _ in range(3):
            self.pass_time(DAY)
            self.sweep_all()
            self.result(self.room.record_uses())
        self.assertNoResult(uploading)
        self.hosted_writer.release()
        self.assertTrue(self.successResultOf(uploading))
        self.check_published(dist.filename, dist.content)
        row = self.result(self.hosted.file(MAIN, dist.filename))
        assert row is not None
        assert row.core_metadata is not None
        self.assertEqual(self.has(row.core_metadata), [True])
