"""The audit log on the disk: a line for each event, added and never changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pypid.domain.audit import Event, read_line, to_lines
from pypid.failpoints import Failpoint, reached
from pypid.storage.blobs import sync_directory

BLOCK = 64 * 1024
"""Bytes read at a time."""


class AuditLog:
    """
    ``<data>/audit.jsonl``, in the order of the serials.

    `append` and `cut` are for the one writer; what is read was there when the
    reading began.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the file, durably, if it is not there."""
        os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640))
        sync_directory(self.path.parent)

    def append(self, events: Iterable[Event]) -> int:
        """
        Add ``events``; they are on the disk when this returns. Return where they begin, for `cut`.

        Raises `OSError`, with nothing added.
        """
        lines = to_lines(events)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                lines = b"\n" + lines  # the last line was cut off, by a full disk or a power cut
            try:
                view = memoryview(lines)
                while view:
                    view = view[os.write(descriptor, view) :]
                reached(Failpoint.AUDIT_APPENDED)
                os.fsync(descriptor)
                reached(Failpoint.AUDIT_SYNCED)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        return size

    def cut(self, size: int) -> None:
        """Take back what the last `append` has added, before anybody was told."""
        os.truncate(self.path, size)

    def after(self, serial: int, limit: int) -> list[Event]:
        """Return up to ``limit`` events of later changes than ``serial``, the oldest first."""
        return list(islice(self.since(serial), limit))

    def since(self, serial: int) -> Iterator[Event]:
        """Yield all events of later changes than ``serial``, the oldest first."""
        return (event for event in self._from(self._seek(serial)) if event.serial > serial)

    def _from(self, offset: int) -> Iterator[Event]:
        """Read event after event from the line that begins at ``offset``; what is no event is passed over."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(offset)
            for line in file:
                event = _event(line)
                if event is not None:
                    yield event

    def _seek(self, serial: int) -> int:
        """Return where a line begins, so that all events after ``serial`` come after it: by bisection."""
        try:
            file = self.path.open("rb", buffering=BLOCK)
        except FileNotFoundError:
            return 0
        with file:
            low, high = 0, self.path.stat().st_size
            while high - low > BLOCK:
                middle = (low + high) // 2
                file.seek(middle)
                file.readline()  # the rest of the line in the middle
                begins = file.tell()
                event = next((found for line in file if (found := _event(line)) is not None), None)
                if event is not None and event.serial <= serial:
                    low = begins
                else:
                    high = middle
        return low


def _event(line: bytes) -> Event | None:
    try:
        return read_line(line)
    except ValueError:
        return None
