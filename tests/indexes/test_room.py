"""What goes when room is short, over real blobs and databases."""

from __future__ import annotations

import json

from pypid.domain.eviction import ORPHAN_DELAY, ORPHAN_LIFE, Limits
from pypid.indexes.clearing import BATCH
from pypid.storage.blobs import BlobMissing
from pypid.storage.references import References
from tests.indexes.rooms import FullOnce, RoomCase, content_of
from tests.storage.rows import a_row, write_sidecar

SMALL = Limits(cache_size=1000, keep_free=0)


class SweepTests(RoomCase):
    def test_the_least_recently_used_go_down_to_the_low_mark(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(10)]
        self.read(files[0])
        self.room.limits = SMALL
        swept = self.sweep()
        self.assertEqual((swept.removed, swept.freed, swept.short), (2, 200, 0))
        left = [True, False, False, *[True] * 7]
        self.assertEqual(self.has(*files), left)
        self.assertEqual(self.recorded(*files), left)
        self.failureResultOf(self.blobs.open(files[1]), BlobMissing)
        self.assertNotIn(files[1], self.result(self.references.last_uses()))
        self.assertEqual(self.sweep().removed, 0)

    def test_uploads_neither_go_nor_count(self) -> None:
        uploaded = self.upload(content_of(0, 5000))
        both = self.upload(content_of(1, 5000))
        self.assertEqual(self.fetch(content_of(1, 5000)), both)
        metadata = self.add(b"Name: demo")
        self.upload(content_of(2), core_metadata=metadata)
        fetched = self.fetch(content_of(3))
        self.pass_time(ORPHAN_LIFE)
        self.room.limits = Limits(cache_size=200, keep_free=0)
        self.assertEqual(self.sweep().removed, 0)
        self.assertEqual(self.sweep_all().removed, 1)
        self.assertEqual(self.has(uploaded, both, metadata, fetched), [True, True, True, False])

    def test_what_is_being_read_stays_and_goes_when_it_has_been(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(3)]
        blob = self.result(self.blobs.open(files[0]))
        self.pass_time()
        self.sweep(spare=100)
        self.assertEqual(self.has(*files), [True, False, True])
        blob.close()
        self.pass_time()
        self.room.limits = Limits(cache_size=1, keep_free=0)
        self.assertEqual((self.sweep().short, self.has(*files)), (0, [False] * 3))

    def test_the_order_outlives_a_restart(self) -> None:
        files = [self.fetch(content_of(number)) for number in range(3)]
        for number in (1, 0, 2):
            self.read(files[number])
        self.result(self.room.stop())
        self.start(Limits(cache_size=230, keep_free=0))
        self.sweep()
        self.assertEqual(self.has(*files), [False, False, True])

    def test_many_go_in_batches(self) -> None:
        files = [self.fetch(content_of(number, 32)) for number in range(2 * BATCH + 1)]
        swept = self.sweep(spare=32 * len(files))
        self.assertEqual((swept.removed, any(self.has(*files))), (len(files), False))

    def test_a_reload_can_change_the_limits(self) -> None:
        self.fetch(content_of(0))
        self.room.limits = Limits(cache_size=100, keep_free=0)
        self.assertEqual(self.sweep().removed, 1)


class OrphanTests(RoomCase):
    def test_orphans_go_after_a_week(self) -> None:
        """What a crash between the link and the row has left; until then, who asks for the file finds it."""
        orphan = self.add(b"orphan")
        self.pass_time(ORPHAN_LIFE - 1)
        self.assertEqual((self.sweep().removed, self.has(orphan)), (0, [True]))
        self.pass_time(1)
        self.assertEqual((self.sweep().removed, self.has(orphan)), (1, [False]))

    def test_an_orphan_that_was_recorded_again_is_none(self) -> None:
        """The loss of cache.db costs no file that is asked for in the week after."""
        orphan = self.add(b"orphan")
        self.pass_time(ORPHAN_LIFE - 1)
        self.fetch(b"orphan")
        self.pass_time(ORPHAN_LIFE)
        self.assertEqual((self.sweep().removed, self.has(orphan)), (0, [True]))

    def test_orphans_go_first_when_room_is_needed_but_not_in_their_first_hour(self) -> None:
        fetched, old = self.fetch(content_of(0)), self.add(content_of(1))
        self.pass_time(ORPHAN_DELAY)
        young = self.add(content_of(2))
        self.pass_time(ORPHAN_DELAY - 1)
        self.sweep(spare=100)
        self.assertEqual(self.has(fetched, old, young), [True, False, True])
        self.assertEqual(self.sweep_all().short, 100)
        self.assertEqual(self.has(fetched, old, young), [False, False, True])

    def test_uploads_that_an_older_hosted_db_does_not_know_stay(self) -> None:
        """One that was put back from a backup: their sidecars still name them."""
        sha256, metadata, orphan = self.add(b"upload"), self.add(b"Name: demo"), self.add(b"orphan")
        write_sidecar(self.sidecars.root, a_row(sha256=sha256, core_metadata=metadata))
        self.pass_time(ORPHAN_LIFE)
        self.sweep_all()
        self.assertEqual(self.has(sha256, metadata, orphan), [True, True, False])

    def test_a_sidecar_that_cannot_be_read_saves_every_orphan(self) -> None:
        fetched, orphan = self.fetch(b"fetched"), self.add(b"orphan")
        write_sidecar(self.sidecars.root, a_row())
        (path,) = (self.directory / "records").rglob("*.json")
        for text in ("", "[]", "{}", json.dumps({"sha256": 1})):
            path.write_text(text)
            self.pass_time(ORPHAN_LIFE)
            self.assertEqual(self.sweep().removed, 0, text)
        self.sweep_all()
        self.assertEqual(self.has(fetched, orphan), [False, True])


class FullDiskTests(RoomCase):
    def test_bytes_go_first_where_the_database_has_no_room_to_say_so(self) -> None:
        """C06."""
        files = [self.fetch(content_of(number)) for number in range(2)]
        self.result(self.room.stop())
        writer = FullOnce()
        self.references = References(self.database("hosted"), self.database("cache", write=writer))
        self.start(SMALL)
        self.assertTrue(self.result(self.room.make(100)))
        self.assertEqual(writer.calls, 2)
        self.assertEqual((self.has(*files), self.recorded(*files)), ([False, True], [False, True]))
