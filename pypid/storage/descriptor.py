"""A file descriptor that several threads read and that is closed when the last has done."""

from __future__ import annotations

import os
from threading import Lock


class SharedDescriptor:
    """
    Own an open file descriptor.

    A read that a cancelled coroutine left behind in its thread may still be
    running when the file is closed; were the number free by then, it would
    read whatever was opened next.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self._lock = Lock()
        self._users = 1
        self._closed = False

    def pread(self, size: int, offset: int) -> bytes:
        self._enter()
        try:
            return os.pread(self._number, size, offset)
        finally:
            self._leave()

    def status(self) -> os.stat_result:
        self._enter()
        try:
            return os.fstat(self._number)
        finally:
            self._leave()

    def pwrite(self, data: bytes, offset: int) -> None:
        """Write all of ``data``."""
        self._enter()
        try:
            view = memoryview(data)
            while view:
                written = os.pwrite(self._number, view, offset)
                view, offset = view[written:], offset + written
        finally:
            self._leave()

    def cut(self, size: int) -> None:
        """Let the file end after ``size`` bytes."""
        self._enter()
        try:
            os.ftruncate(self._number, size)
        finally:
            self._leave()

    def sync(self, size: int) -> None:
        """Cut the file to ``size`` bytes and wait for the disk to have them."""
        self._enter()
        try:
            os.ftruncate(self._number, size)
            os.fsync(self._number)
        finally:
            self._leave()

    def flush(self) -> None:
        """Wait for the disk to have what was written."""
        self._enter()
        try:
            os.fdatasync(self._number)
        finally:
            self._leave()

    def close(self) -> None:
        """Close the file when the calls under way have returned. May be called more than once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._closed:
                raise ValueError("the file is closed")
            self._users += 1

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            os.close(self._number)
