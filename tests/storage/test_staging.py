"""Files on their way in."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from unittest.mock import patch

from twisted.internet.defer import CancelledError, Deferred

from pypid.offload import Offload, inline
from pypid.storage.staging import StagedFile, Staging
from tests.storage.case import ManualOffload, StorageCase, open_descriptors


class StagingTests(StorageCase):
    def staging(self, offload: Offload = inline) -> Staging:
        staging = Staging(self.directory / "staging", offload)
        staging.prepare()
        return staging

    def created(self, *algorithms: str, reserve: int = 0) -> StagedFile:
        staged = self.result(self.staging().create(*algorithms, reserve=reserve))
        self.addCleanup(staged.close)
        return staged

    def write(self, staged: StagedFile, *pieces: bytes) -> None:
        for piece in pieces:
            self.successResultOf(staged.write(piece))

    def test_emptied_at_start(self) -> None:
        """What an earlier process left unfinished is gone."""
        directory = self.directory / "staging"
        self.staging()
        (directory / "left.part").write_bytes(b"x")
        self.staging()
        self.assertEqual(list(directory.iterdir()), [])

    def test_digests(self) -> None:
        staged = self.created("md5", "blake2_256")
        self.write(staged, b"wh", b"", b"eel")
        expected = {
            "sha256": hashlib.sha256(b"wheel").hexdigest(),
            "md5": hashlib.md5(b"wheel", usedforsecurity=False).hexdigest(),
            "blake2_256": hashlib.blake2b(b"wheel", digest_size=32).hexdigest(),
        }
        self.assertEqual(staged.digests(), expected)
        self.assertEqual((staged.sha256, staged.size), (expected["sha256"], 5))
        self.assertEqual(staged.path.read_bytes(), b"wheel")

    def test_ends_where_the_bytes_end_once_it_is_cut(self) -> None:
        """More room was reserved than was needed."""
        staged = self.created(reserve=1000)
        self.write(staged, b"wheel")
        self.successResultOf(staged.cut())
        self.assertEqual(staged.path.read_bytes(), b"wheel")

    def test_sent_to_the_disk_as_it_comes(self) -> None:
        """So that the end has not to wait for all of it; never again for what is there."""
        staged = self.result(self.staging().create(flush=10))
        self.addCleanup(staged.close)
        sizes: list[int] = []
        with patch("os.fdatasync", lambda number: sizes.append(os.fstat(number).st_size)):
            self.write(staged, b"123456789", b"0", b"1", b"234567890123", b"4")
        self.assertEqual(sizes, [10, 23])

    def test_disk_that_fails_meanwhile_fails_the_write(self) -> None:
        staged = self.result(self.staging().create(flush=2))
        self.addCleanup(staged.close)
        with patch("os.fdatasync", side_effect=OSError(errno.EIO, "broken")):
            self.failureResultOf(staged.write(b"12"), OSError)

    def test_sha256_always(self) -> None:
        self.assertEqual(self.created().digests(), {"sha256": hashlib.sha256(b"").hexdigest()})

    def test_read(self) -> None:
        staged = self.created()
        self.write(staged, b"wheel")
        self.assertEqual(self.successResultOf(staged.read(1, 3)), b"hee")

    def test_restart(self) -> None:
        """What was written before counts for nothing: not for the digest, and not for what is kept."""
        staged = self.created()
        self.write(staged, b"a long way off")
        staged.restart()
        self.assertEqual(staged.size, 0)
        self.write(staged, b"wh", b"eel")
        self.assertEqual((staged.sha256, staged.size), (hashlib.sha256(b"wheel").hexdigest(), 5))
        self.successResultOf(staged.sync())
        self.assertEqual(staged.path.read_bytes(), b"wheel")

    def test_write_that_the_disk_cut_short_counts_for_nothing(self) -> None:
        staged = self.created()
        self.write(staged, b"wh")
        whole = os.pwrite

        def half(number: int, data: memoryview, offset: int) -> int:
            if len(data) == 1:
                raise OSError(errno.ENOSPC, "full")
            return whole(number, data[:-1], offset)

        with patch("os.pwrite", half):
            self.failureResultOf(staged.write(b"isk"), OSError)
        self.assertEqual(staged.size, 2)
        self.write(staged, b"eel")
        self.assertEqual(staged.path.read_bytes(), b"wheel")

    def test_nobody_else_may_write(self) -> None:
        self.assertEqual(self.created().path.stat().st_mode & 0o337, 0)

    def test_reserve(self) -> None:
        """Disk is set aside at once, and what was not used is given back when the file is synced."""
        staged = self.created(reserve=1 << 20)
        self.assertGreaterEqual(staged.path.stat().st_blocks * 512, 1 << 20)
        self.write(staged, b"wheel")
        self.successResultOf(staged.sync())
        self.assertEqual(staged.path.read_bytes(), b"wheel")

    def test_no_room(self) -> None:
        """An upload that does not fit is refused before a byte of it is read, and leaves nothing."""
        before = open_descriptors()
        with patch("os.posix_fallocate", side_effect=OSError(errno.ENOSPC, "full")):
            failure = self.failureResultOf(self.staging().create(reserve=1), OSError)
        self.assertEqual(failure.value.errno, errno.ENOSPC)
        self.assertEqual(self.files(), [])
        self.assertEqual(open_descriptors(), before)

    def test_refused_write(self) -> None:
        """Bytes that the disk refused are not counted."""
        staged = self.created()
        self.write(staged, b"wheel")
        digest = staged.sha256
        with patch("os.pwrite", side_effect=OSError(errno.ENOSPC, "full")):
            self.failureResultOf(staged.write(b"more"), OSError)
        self.assertEqual((staged.size, staged.sha256), (5, digest))

    def test_close_discards(self) -> None:
        before = open_descriptors()
        staged = self.created()
        staged.close()
        staged.close()
        self.assertEqual(self.files(), [])
        self.assertEqual(open_descriptors(), before)

    def test_unlinked_but_readable(self) -> None:
        """Whoever still reads a file that was discarded can go on."""
        staged = self.created()
        self.write(staged, b"wheel")
        staged.unlink()
        staged.unlink()
        self.assertEqual(self.files(), [])
        self.assertEqual(self.successResultOf(staged.read(0, 5)), b"wheel")

    def test_cancelled_create(self) -> None:
        """A client that leaves while its file is being made leaves no file and no descriptor behind."""
        before = open_descriptors()
        offload = ManualOffload()
        creating = Deferred.fromCoroutine(self.staging(offload).create())
        creating.cancel()
        self.failureResultOf(creating, CancelledError)
        offload.run()
        self.assertEqual(self.files(), [])
        self.assertEqual(open_descriptors(), before)

    def test_cancelled_create_that_fails(self) -> None:
        """Nor does an error that nobody waits for reach the log."""
        offload = ManualOffload()
        creating = Deferred.fromCoroutine(self.staging(offload).create())
        creating.cancel()
        self.failureResultOf(creating, CancelledError)
        with patch("os.open", side_effect=OSError(errno.EMFILE, "too many")):
            offload.run()
        self.assertEqual(self.files(), [])

    def test_closed_while_writing(self) -> None:
        """A write that a cancelled upload left in its thread still has its descriptor."""
        offload = ManualOffload()
        creating = Deferred.fromCoroutine(self.staging(offload).create())
        offload.run()
        staged = self.successResultOf(creating)
        whole = os.pwrite
        closed_first: list[int] = []

        def write(number: int, data: bytes, offset: int) -> int:
            staged.close()
            closed_first.append(number)
            return whole(number, data, offset)

        writing = Deferred.fromCoroutine(staged.write(b"wheel"))
        with patch("os.pwrite", write):
            offload.run()
        self.successResultOf(writing)
        self.assert_closed(closed_first[0])

    def test_names_are_ours(self) -> None:
        """No two files share a path, and none is derived from what a peer says."""
        paths = {self.created().path for _ in range(20)}
        self.assertEqual(len(paths), 20)
        self.assertEqual({path.parent for path in paths}, {Path(self.directory / "staging")})
