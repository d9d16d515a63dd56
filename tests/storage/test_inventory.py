"""What is on the disk."""

from __future__ import annotations

import os
import time

from pypid.domain.eviction import BlobUse
from pypid.offload import inline
from pypid.storage.blobs import DAMAGED, BlobMissing, DirectoryBlobs
from pypid.storage.inventory import BlobFile, Inventory, free_bytes, mirrored_blobs, take_inventory
from pypid.storage.staging import Staging
from tests.storage.case import StorageCase

OLD, NEW = 1_000_000.0, 2_000_000.0


class InventoryTests(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.directory / "blobs"
        self.blobs = DirectoryBlobs(self.root, inline)
        self.blobs.prepare()
        self.staging = Staging(self.directory / "staging", inline)
        self.staging.prepare()

    def add(self, content: bytes) -> str:
        staged = self.result(self.staging.create())
        self.result(staged.write(content))
        sha256 = self.result(self.blobs.add(staged))
        staged.close()
        return sha256

    def test_every_blob_with_its_size_and_when_it_came(self) -> None:
        before = time.time() - 1
        sha256 = self.add(b"wheel")
        path = self.root / sha256[:2] / sha256
        path.chmod(0o640)
        os.utime(path, (1, 1))
        inventory = take_inventory(self.root)
        self.assertEqual(list(inventory.blobs), [sha256])
        self.assertEqual(inventory.blobs[sha256].size, 5)
        self.assertGreater(inventory.blobs[sha256].arrived_at, before, "whatever time the file was given")
        self.assertEqual(inventory.damaged, {})

    def test_damaged_blobs_are_counted_for_themselves(self) -> None:
        (self.root / "ab").mkdir()
        (self.root / "ab" / ("ab" * 32)).write_bytes(b"not this")
        self.failureResultOf(self.blobs.open("ab" * 32), BlobMissing)
        inventory = take_inventory(self.root)
        self.assertEqual(inventory.blobs, {})
        self.assertEqual([file.size for file in inventory.damaged.values()], [8])
        self.assertTrue((self.root / DAMAGED / ("ab" * 32)).exists())

    def test_free_bytes_are_those_that_anybody_can_write(self) -> None:
        stat = os.statvfs(self.root)
        self.assertLessEqual(free_bytes(self.root), stat.f_bfree * stat.f_frsize)
        self.assertGreater(free_bytes(self.root), 0)

    def test_removed_blobs_are_missing_and_can_come_again(self) -> None:
        """Also for a process that had compared them with their names; the second removal finds nothing."""
        sha256, other = self.add(b"wheel"), self.add(b"sdist")
        blob = self.result(self.blobs.open(sha256))
        for _ in range(2):
            self.result(self.blobs.remove([sha256]))
        self.assertEqual(self.result(blob.read(0)), b"wheel", "who has it open reads it to its end")
        blob.close()
        self.failureResultOf(self.blobs.open(sha256), BlobMissing)
        self.assertFalse(self.result(self.blobs.has(sha256)))
        (self.root / sha256[:2] / sha256).write_bytes(b"whose?")
        self.failureResultOf(self.blobs.open(sha256), BlobMissing)
        self.assertTrue(self.result(self.blobs.has(other)))
        self.add(b"wheel")
        self.assertTrue(self.result(self.blobs.has(sha256)))


class MirroredTests(StorageCase):
    def mirrored(
        self, sha256: str, *, used_at: float | None = None, hosted: str = "", cached: str = ""
    ) -> list[BlobUse]:
        inventory = Inventory(blobs={sha256: BlobFile(size=5, arrived_at=OLD)}, damaged={}, free=0)
        uses = {} if used_at is None else {sha256: used_at}
        return mirrored_blobs(inventory, hosted={hosted}, cached={cached}, uses=uses)

    def test_what_both_an_upload_and_a_mirror_name_is_an_upload(self) -> None:
        self.assertEqual(self.mirrored("a", hosted="a", cached="a"), [])

    def test_the_last_use_counts_and_else_the_arrival(self) -> None:
        for used_at, expected in ((None, OLD), (NEW, NEW), (OLD - 1, OLD - 1)):
            (blob,) = self.mirrored("a", used_at=used_at, cached="a")
            self.assertEqual(blob, BlobUse(sha256="a", size=5, used_at=expected, recorded=True))

    def test_an_orphan_is_as_young_as_its_arrival(self) -> None:
        """A use that is recorded may be that of an earlier blob of the same bytes."""
        for used_at, expected in ((None, OLD), (NEW, NEW), (OLD - 1, OLD)):
            (blob,) = self.mirrored("a", used_at=used_at)
            self.assertEqual((blob.recorded, blob.used_at), (False, expected))
