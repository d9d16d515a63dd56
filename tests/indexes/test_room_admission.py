"""Which mirrored files may be kept: C06 and F20."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred

from pypid.domain.eviction import Limits
from pypid.indexes.publishing import Publisher
from pypid.indexes.room import ARRIVAL, RETRY_AFTER
from pypid.inspection.files import inspect_file
from pypid.offload import inline
from pypid.storage.inventory import Inventory
from pypid.storage.staging import Staging
from tests.indexes.rooms import UNLIMITED, FullOnce, RoomCase, content_of
from tests.indexes.stores import Disk
from tests.storage.test_blobs import sha256_of

P = ParamSpec("P")
T = TypeVar("T")

SMALL = Limits(cache_size=1000, keep_free=0)
EVERYTHING = 2**60
"""More bytes than any disk has."""


class AdmissionTests(RoomCase):
    asked = 0

    def admits(self, size: int) -> bool:
        """Ask for another file each time."""
        self.asked += 1
        return self.result(self.room.admits(f"{self.asked:064x}", size))

    def test_without_limits_everything_is_kept(self) -> None:
        self.assertTrue(self.admits(2**50))

    def test_a_file_larger_than_the_cache_is_not_kept_and_pushes_nothing_out(self) -> None:
        """F20."""
        files = [self.fetch(content_of(number)) for number in range(8)]
        self.room.limits = SMALL
        self.assertFalse(self.admits(2000))
        self.assertFalse(self.admits(801))
        self.assertEqual(self.has(*files), [True] * 8)

    def test_the_older_make_way_for_the_new(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(9)]
        self.room.limits = SMALL
        self.assertTrue(self.admits(200))
        self.assertEqual(self.has(*files), [False] * 3 + [True] * 6)

    def test_what_arrives_counts_before_it_is_looked_for(self) -> None:
        """Many transfers that end at once do not overrun the limit together; above the high mark a sweep begins."""
        files = [self.fetch(content_of(number)) for number in range(8)]
        self.room.limits = SMALL
        self.assertTrue(self.admits(100))
        self.assertEqual(self.has(*files), [True] * 8)
        self.assertTrue(self.admits(100))
        self.assertEqual(self.has(*files), [False] * 2 + [True] * 6, "down to the low mark with both of them")

    def test_what_has_arrived_counts_once_and_what_never_does_not_for_long(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(7)]
        self.room.limits = SMALL
        content = content_of(7)
        self.assertTrue(self.result(self.room.admits(sha256_of(content), 100)))
        self.add(content)
        self.sweep()
        self.assertTrue(self.admits(100))
        self.assertEqual(self.has(*files), [True] * 7)
        self.pass_time(ARRIVAL)
        self.sweep()
        self.assertTrue(self.admits(100))
        self.assertEqual(self.has(*files), [True] * 7)

    def test_what_is_refused_does_not_count(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(6)]
        holds = [self.result(self.blobs.hold(sha256)) for sha256 in files]
        self.room.limits = SMALL
        self.assertEqual([self.admits(500), self.admits(400), self.admits(1)], [False, True, False])
        for hold in holds:
            hold.release()

    def test_in_a_cache_whose_files_are_all_in_use_nothing_more_is_kept(self) -> None:
        """F20: nothing that is in use makes way, and nobody looks for room again and again."""
        files = [self.fetch(content_of(number)) for number in range(10)]
        holds = [self.result(self.blobs.hold(sha256)) for sha256 in files]
        self.room.limits = SMALL
        self.assertFalse(self.admits(100))
        self.disk.held = "*"
        self.assertFalse(self.admits(100), "without a look at the disk")
        self.disk.release()
        for hold in holds:
            hold.release()
        self.pass_time(RETRY_AFTER)
        self.assertTrue(self.admits(100))
        self.assertEqual(self.has(*files).count(False), 3)

    def test_the_reserve_of_the_disk_is_left_alone(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(3)]
        self.room.limits = Limits(cache_size=None, keep_free=EVERYTHING)
        self.assertFalse(self.admits(1))
        self.assertEqual(self.has(*files), [False] * 3, "they make way for it first")

    def test_a_file_that_fits_waits_for_nothing_but_the_disk(self) -> None:
        self.room.limits = SMALL
        self.assertTrue(self.admits(10))
        self.hosted_reader.held = "*"
        self.assertTrue(self.admits(10))


class ScarcityTests(RoomCase):
    def test_as_much_is_freed_as_a_full_disk_lacks(self) -> None:
        """C06."""
        files = [self.fetch(content_of(number)) for number in range(5)]
        self.assertTrue(self.result(self.room.make(250)))
        self.assertEqual(self.has(*files), [False] * 3 + [True] * 2)
        self.assertFalse(self.result(self.room.make(250)))
        self.assertFalse(self.result(self.room.make(1)), "that was to no avail a moment ago")
        self.assertEqual(self.has(*files), [False] * 3 + [True] * 2, "nothing goes for what is too large all the same")
        self.pass_time(RETRY_AFTER)
        self.assertTrue(self.result(self.room.make(1)))

    def test_only_what_the_disk_lacks_is_freed(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(5)]
        self.disk = DiskWith150Bytes()
        self.result(self.room.stop())
        self.start(UNLIMITED)
        self.assertTrue(self.result(self.room.make(250)))
        self.assertEqual(self.has(*files), [False] + [True] * 4)

    def test_what_is_mirrored_makes_way_for_an_upload(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(5)]
        disk = FullOnce()
        publisher = Publisher(
            staging=Staging(self.directory / "staging", disk),
            blobs=self.blobs,
            records=self.hosted,
            inspect=lambda path, question: inline(inspect_file, path, question),
            now=lambda: self.now,
            room=self.room,
        )
        self.result(publisher.stage(reserve=250)).close()
        self.assertEqual((disk.calls, self.has(*files).count(True)), (2, 2))
        disk.calls = 0
        self.failureResultOf(Deferred.fromCoroutine(publisher.stage(reserve=250)), OSError)
        self.assertEqual((disk.calls, self.has(*files).count(True)), (1, 2))


class DiskWith150Bytes(Disk):
    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        def with_less(outcome: Any) -> Any:
            return replace(outcome, free=150) if isinstance(outcome, Inventory) else outcome

        return super().__call__(function, *args, **kwargs).addCallback(with_less)
