"""Immutable bytes by digest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import CancelledError, Deferred

from pypid.offload import inline
from pypid.storage.blobs import CHUNK, DAMAGED, Blob, BlobMissing, BlobStore, DirectoryBlobs
from pypid.storage.staging import StagedFile, Staging
from pypid.storage.uses import GRACE, Uses
from tests.storage.case import ManualOffload, StorageCase, open_descriptors


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class BlobStoreContract(StorageCase):
    """What every blob store must do; mixed into one test case per store, which says how to make it."""

    __test__ = False
    store: BlobStore

    def setUp(self) -> None:
        super().setUp()
        self.staging = Staging(self.directory / "staging", inline)
        self.staging.prepare()
        self.store = self.make_store()

    def make_store(self) -> BlobStore:
        raise NotImplementedError

    def staged(self, content: bytes) -> StagedFile:
        staged = self.result(self.staging.create())
        self.addCleanup(staged.close)
        self.successResultOf(staged.write(content))
        return staged

    def add(self, content: bytes) -> str:
        staged = self.staged(content)
        sha256 = self.result(self.store.add(staged))
        staged.close()
        return sha256

    def opened(self, sha256: str) -> Blob:
        blob = self.result(self.store.open(sha256))
        self.addCleanup(blob.close)
        return blob

    def read(self, sha256: str) -> bytes:
        return self.result(self.opened(sha256).read(0))

    def test_what_goes_in_comes_out(self) -> None:
        self.assertFalse(self.successResultOf(self.store.has(sha256_of(b"wheel"))))
        sha256 = self.add(b"wheel")
        self.assertEqual(sha256, sha256_of(b"wheel"))
        self.assertTrue(self.successResultOf(self.store.has(sha256)))
        blob = self.opened(sha256)
        self.assertEqual(blob.size, 5)
        self.assertEqual(self.successResultOf(blob.read(0)), b"wheel")

    def test_parts(self) -> None:
        blob = self.opened(self.add(b"0123456789"))
        self.assertEqual(self.successResultOf(blob.read(2, 3)), b"234")
        self.assertEqual(self.successResultOf(blob.read(8, 100)), b"89")
        self.assertEqual(self.successResultOf(blob.read(10)), b"")

    def test_chunks(self) -> None:
        """No read brings more than a chunk into memory."""
        content = b"x" * CHUNK + b"y"
        blob = self.opened(self.add(content))
        self.assertEqual(self.successResultOf(blob.read(0)), content[:CHUNK])
        self.assertEqual(self.successResultOf(blob.read(CHUNK)), b"y")

    def test_empty(self) -> None:
        self.assertEqual(self.read(self.add(b"")), b"")

    def test_missing(self) -> None:
        self.failureResultOf(self.store.open(sha256_of(b"nothing")), BlobMissing)

    def test_twice(self) -> None:
        """The same bytes again, from another upload, are the same blob."""
        self.assertEqual(self.add(b"wheel"), self.add(b"wheel"))
        self.assertEqual(self.read(sha256_of(b"wheel")), b"wheel")

    def test_discarding_the_source(self) -> None:
        """The blob does not need the file that it came from, nor the file the blob."""
        staged = self.staged(b"wheel")
        sha256 = self.successResultOf(self.store.add(staged))
        self.assertEqual(self.successResultOf(staged.read(0, 5)), b"wheel", "the caller still reads it")
        staged.unlink()
        staged.close()
        self.assertEqual(self.read(sha256), b"wheel")

    def test_two_readers(self) -> None:
        sha256 = self.add(b"wheel")
        one, other = self.opened(sha256), self.opened(sha256)
        one.close()
        one.close()
        self.assertEqual(self.successResultOf(other.read(0)), b"wheel")


class DirectoryBlobsTests(BlobStoreContract):
    __test__ = True

    def make_store(self) -> DirectoryBlobs:
        store = DirectoryBlobs(self.directory / "blobs", inline)
        store.prepare()
        return store

    def path(self, sha256: str) -> Path:
        return self.directory / "blobs" / sha256[:2] / sha256

    def test_named_by_content(self) -> None:
        """Nothing is left in staging, and nobody can write to a blob."""
        path = self.path(self.add(b"wheel"))
        self.assertEqual(self.files(), [str(path.relative_to(self.directory))])
        self.assertEqual(path.stat().st_mode & 0o777, 0o440 & ~self.umask())

    def umask(self) -> int:
        mask = os.umask(0o022)
        os.umask(mask)
        return mask

    def test_durable_in_this_order(self) -> None:
        """The bytes are on the disk before their name is, and every name above them before `add` returns."""
        staged = self.staged(b"wheel")
        target = self.path(staged.sha256)
        names = [("sync", str(self.directory / "blobs")), ("link", str(target)), ("sync", str(target.parent))]
        with recorded() as steps:
            self.result(self.store.add(staged))
        self.assertEqual(steps, [("sync", str(staged.path)), *names])

    def test_directory_of_another(self) -> None:
        """A directory that an earlier process made is synced once, as that may have ended before it could."""
        staged = self.staged(b"wheel")
        target = self.path(staged.sha256)
        target.parent.mkdir()
        for syncs in (1, 0):
            with recorded() as steps:
                self.result(self.store.add(staged))
            self.assertEqual(steps.count(("sync", str(self.directory / "blobs"))), syncs)

    def test_directory_being_made(self) -> None:
        """Of two blobs that need a new directory at once, none is acknowledged before its name is durable."""
        staged = self.staged(b"wheel")
        second: list[list[tuple[str, str]]] = []
        mkdir = Path.mkdir

        def overtaken(path: Path, *args: Any, **kwargs: Any) -> None:
            mkdir(path, *args, **kwargs)
            if not second:
                second.append([])
                with recorded() as steps:
                    self.result(self.store.add(staged))
                second[0].extend(steps)

        with patch.object(Path, "mkdir", overtaken):
            self.result(self.store.add(staged))
        self.assertIn(("sync", str(self.directory / "blobs")), second[0])

    def test_directory_removed(self) -> None:
        """Whoever tidies up empty directories does not stop the uploads."""
        path = self.path(self.add(b"wheel"))
        path.unlink()
        path.parent.rmdir()
        self.assertEqual(self.read(self.add(b"wheel")), b"wheel")

    def test_root_is_durable(self) -> None:
        with recorded() as steps:
            DirectoryBlobs(self.directory / "new", inline).prepare()
        self.assertEqual(steps, [("sync", str(self.directory))])

    def test_prepared_again(self) -> None:
        """A restart keeps the blobs."""
        sha256 = self.add(b"wheel")
        self.make_store()
        self.assertEqual(self.read(sha256), b"wheel")

    def test_known_bytes_stay(self) -> None:
        """A second upload of the same bytes does not touch the blob, but waits until it is durable."""
        path = self.path(self.add(b"wheel"))
        inode = path.stat().st_ino
        staged = self.staged(b"wheel")
        with recorded() as steps:
            self.successResultOf(self.store.add(staged))
        self.assertEqual(path.stat().st_ino, inode)
        self.assertEqual(steps[-1], ("sync", str(path.parent)))

    def damage(self, sha256: str, content: bytes) -> None:
        """Do what a dying disk does, to a blob that may not be there yet."""
        self.path(sha256).parent.mkdir(exist_ok=True)
        self.path(sha256).unlink(missing_ok=True)
        self.path(sha256).write_bytes(content)

    def test_damaged_blob_is_missing(self) -> None:
        """Bytes that are not those of their name are read by nobody, and kept for the operator to look at."""
        sha256 = sha256_of(b"wheel")
        for content in (b"wheeI", b"wh", b"", b"wheel and more"):
            self.damage(sha256, content)
            self.failureResultOf(self.store.open(sha256), BlobMissing)
            self.assertFalse(self.successResultOf(self.store.has(sha256)))
            self.assertEqual((self.directory / "blobs" / DAMAGED / sha256).read_bytes(), content)
            self.assertFalse(self.path(sha256).exists())

    def test_blob_is_read_through_once_for_many_readers(self) -> None:
        """Twenty that open an old blob at once cost one reading of it, and later ones none."""
        self.add(b"wheel")
        offload = ManualOffload()
        store = DirectoryBlobs(self.directory / "blobs", offload)
        opening = [Deferred.fromCoroutine(store.open(sha256_of(b"wheel"))) for _ in range(20)]
        offload.call()
        self.assertRaises(IndexError, offload.call)
        offload.deliver()
        offload.run()
        for each in opening:
            self.successResultOf(each).close()
        self.damage(sha256_of(b"wheel"), b"wheeI")
        late = Deferred.fromCoroutine(store.open(sha256_of(b"wheel")))
        offload.run()
        self.successResultOf(late).close()

    def test_nobody_holds_what_could_not_be_opened(self) -> None:
        store = self.make_store()
        now = 0.0
        store.uses = Uses(lambda: now)
        sha256 = sha256_of(b"wheel")
        self.failureResultOf(store.open(sha256), BlobMissing)
        self.assertFalse(self.result(store.has(sha256)))
        self.add(b"wheel")
        self.result(store.open(sha256)).close()
        self.assertIn(sha256, store.uses)
        now = GRACE
        self.assertNotIn(sha256, store.uses)

    def test_damaged_blob_is_replaced(self) -> None:
        """One that lost bytes, before this process or since, is whole again after the next upload of it."""
        sha256 = sha256_of(b"wheel")
        for _ in range(2):
            self.damage(sha256, b"wh")
            self.assertEqual(self.add(b"wheel"), sha256)
            self.assertEqual(self.read(sha256), b"wheel")
            self.assertEqual(self.path(sha256).stat().st_mode & 0o222, 0)

    def test_whole_blob_is_left_alone(self) -> None:
        """Adding what is there already makes no new file of it."""
        sha256 = self.add(b"wheel")
        inode = self.path(sha256).stat().st_ino
        self.add(b"wheel")
        self.assertEqual(self.path(sha256).stat().st_ino, inode)

    def test_not_synced(self) -> None:
        """Bytes that the disk does not take get no name."""
        staged = self.staged(b"wheel")
        with patch("os.fsync", side_effect=OSError(5, "Input/output error")):
            self.failureResultOf(self.store.add(staged), OSError)
        self.assertFalse(self.successResultOf(self.store.has(staged.sha256)))

    def test_symbolic_link(self) -> None:
        """A link put in the place of a blob leads nowhere."""
        sha256 = sha256_of(b"wheel")
        self.path(sha256).parent.mkdir()
        self.path(sha256).symlink_to("/etc/passwd")
        self.failureResultOf(self.store.open(sha256), OSError)

    def test_read_after_removal(self) -> None:
        """A download goes on when the blob is collected meanwhile."""
        sha256 = self.add(b"wheel")
        blob = self.opened(sha256)
        self.path(sha256).unlink()
        self.assertEqual(self.successResultOf(blob.read(0)), b"wheel")

    def test_cancelled_open(self) -> None:
        """A client that leaves while its file is being opened leaves no descriptor behind."""
        sha256 = self.add(b"wheel")
        before = open_descriptors()
        offload = ManualOffload()
        opening = Deferred.fromCoroutine(DirectoryBlobs(self.directory / "blobs", offload).open(sha256))
        opening.cancel()
        self.failureResultOf(opening, CancelledError)
        offload.run()
        self.assertEqual(open_descriptors(), before)

    def test_cancelled_read(self) -> None:
        """Nor does one that leaves while a read is under way."""
        sha256 = self.add(b"wheel")
        before = open_descriptors()
        offload = ManualOffload()
        opening = Deferred.fromCoroutine(DirectoryBlobs(self.directory / "blobs", offload).open(sha256))
        offload.run()
        blob = self.successResultOf(opening)
        reading = Deferred.fromCoroutine(blob.read(0))
        offload.call()
        reading.cancel()
        blob.close()
        self.failureResultOf(reading, CancelledError)
        offload.run()
        self.assertEqual(open_descriptors(), before)


@contextmanager
def recorded() -> Iterator[list[tuple[str, str]]]:
    """Note each fsync and link inside the block, with its path."""
    steps: list[tuple[str, str]] = []
    fsync, link = os.fsync, os.link

    def noted_sync(descriptor: int) -> None:
        steps.append(("sync", str(Path(f"/proc/self/fd/{descriptor}").readlink())))
        fsync(descriptor)

    def noted_link(source: Path, target: Path) -> None:
        link(source, target)
        steps.append(("link", str(target)))

    with patch("os.fsync", noted_sync), patch("os.link", noted_link):
        yield steps
