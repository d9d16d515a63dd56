"""A descriptor that outlives the reads under way, and nothing else."""

from __future__ import annotations

import os
from threading import Event, Thread
from unittest.mock import patch

from pypid.storage.descriptor import SharedDescriptor
from tests.storage.case import StorageCase


class SharedDescriptorTests(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory / "file"
        self.number = os.open(self.path, os.O_RDWR | os.O_CREAT)
        self.shared = SharedDescriptor(self.number)
        self.addCleanup(self.shared.close)

    def test_read_what_was_written(self) -> None:
        self.shared.pwrite(b"one", 0)
        self.shared.pwrite(b"two", 3)
        self.assertEqual(self.shared.pread(100, 0), b"onetwo")
        self.assertEqual(self.shared.pread(2, 2), b"et")
        self.assertEqual(self.shared.pread(1, 6), b"")

    def test_short_writes(self) -> None:
        """A disk that takes three bytes at a time loses none."""
        whole = os.pwrite
        with patch("os.pwrite", lambda number, data, offset: whole(number, data[:3], offset)):
            self.shared.pwrite(b"0123456789", 0)
        self.assertEqual(self.path.read_bytes(), b"0123456789")

    def test_sync_cuts(self) -> None:
        """What was reserved beyond the end goes before the file is synced."""
        self.shared.pwrite(b"0123456789", 0)
        synced: list[tuple[int, int]] = []
        with patch("os.fsync", lambda number: synced.append((number, os.fstat(number).st_size))):
            self.shared.sync(4)
        self.assertEqual(synced, [(self.number, 4)])

    def test_closed_once(self) -> None:
        """The number may belong to another file by the second call."""
        with patch("os.close") as close:
            self.shared.close()
            self.shared.close()
        close.assert_called_once_with(self.number)
        os.close(self.number)

    def test_refused_after_close(self) -> None:
        self.shared.close()
        for use in (lambda: self.shared.pread(1, 0), lambda: self.shared.pwrite(b"x", 0), lambda: self.shared.sync(0)):
            with self.assertRaisesRegex(ValueError, "closed"):
                use()

    def test_an_error_is_no_user(self) -> None:
        """A call that failed does not keep the file open."""
        with self.assertRaises(OSError):
            self.shared.pread(1, -1)
        self.shared.close()
        self.assert_closed(self.number)

    def test_close_waits_for_reads(self) -> None:
        """Two reads are under way when the file is closed: both end well, and the last one closes it."""
        self.shared.pwrite(b"content", 0)
        whole = os.pread
        started = [Event(), Event()]
        go_on = [Event(), Event()]
        results: dict[int, bytes] = {}

        def slow(number: int, size: int, offset: int) -> bytes:
            started[offset].set()
            go_on[offset].wait(30)
            return whole(number, size, offset)

        def read(offset: int) -> None:
            results[offset] = self.shared.pread(7, offset)

        with patch("os.pread", slow):
            threads = [Thread(target=read, args=(offset,)) for offset in (0, 1)]
            for thread, start in zip(threads, started, strict=True):
                thread.start()
                self.assertTrue(start.wait(30))
            self.shared.close()
            self.shared.close()  # is no second user's leaving
            with self.assertRaises(ValueError):
                self.shared.pread(1, 0)
            for thread, go in zip(threads, go_on, strict=True):
                os.fstat(self.number)
                go.set()
                thread.join(30)
        self.assertEqual(results, {0: b"content", 1: b"ontent"})
        self.assert_closed(self.number)

    def test_many_threads(self) -> None:
        """However reads and the closing interleave, no read sees another file."""
        self.shared.pwrite(b"A" * 100, 0)
        wrong: list[bytes] = []
        first = Event()

        def read() -> None:
            try:
                while True:
                    data = self.shared.pread(100, 0)
                    if data != b"A" * 100:
                        wrong.append(data)
                    first.set()
            except ValueError:
                return

        threads = [Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.assertTrue(first.wait(30))
        self.shared.close()
        # Takes the number, should it have been freed too early.
        other = (self.directory / "other").open("w+b")
        self.addCleanup(other.close)
        for thread in threads:
            thread.join(30)
            self.assertFalse(thread.is_alive())
        self.assertEqual(wrong, [])
