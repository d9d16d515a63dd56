"""What is written beside hosted.db with each change: the sidecars, and the audit log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
from twisted.logger import Logger

from pypid.domain.audit import Event
from pypid.domain.names import IndexName, NormalizedName
from pypid.storage.audit import AuditLog
from pypid.storage.hosted_file import HostedFile
from pypid.storage.replacing import Replacing
from pypid.storage.sidecars import VERSION, Record, Sidecars, file_record, read_record, to_bytes


class Journal:
    """
    A `Companion` of hosted.db: no row without its sidecar and its line of the audit log.

    Changes note what they do; used on the writer's thread only.
    """

    _log = Logger()

    def __init__(self, sidecars: Sidecars, audit: AuditLog, replacing: Replacing) -> None:
        self.audit = audit
        self._sidecars = sidecars
        self._replacing = replacing
        self._records: list[tuple[Path, Record]] = []
        self._latest: dict[Path, Record] = {}
        self._events: list[Event] = []
        self._noted: list[tuple[int, int]] = []
        self._written: int | None = None

    def has(self, index: IndexName, project: NormalizedName, name: str) -> bool:
        """Return whether there is a sidecar ``name`` of the project on the disk."""
        return self._sidecars.path(index, project, name).exists()

    # What changes note.

    def event(self, event: Event) -> None:
        self._events.append(event)

    def published(self, file: HostedFile, form: Mapping[str, object]) -> None:
        """Keep ``file``, with the form that it came with."""
        self._put(file.index_name, file.project, file.filename, file_record(file, form))

    def changed(self, file: HostedFile) -> None:
        """Keep ``file`` as it is now."""
        form = self._known(file.index_name, file.project, file.filename).get("form", {})
        self._put(file.index_name, file.project, file.filename, file_record(file, form))

    def deleted(self, file: HostedFile, *, deleted_at: str, deleted_by: str) -> None:
        """Keep that there was ``file``, which has the serial and the time of its deletion."""
        form = self._known(file.index_name, file.project, file.filename).get("form", {})
        record = file_record(file, form) | {"deleted_at": deleted_at, "deleted_by": deleted_by}
        self._put(file.index_name, file.project, file.filename, record)

    def put(self, index: IndexName, project: NormalizedName, name: str, record: Record) -> None:
        """Keep ``record`` as the sidecar ``name`` of the project."""
        self._put(index, project, name, {"sidecar": VERSION, **record})

    def amend(self, index: IndexName, project: NormalizedName, name: str, values: Record) -> None:
        """Keep the sidecar ``name`` of the project as it is but for ``values``, if there is one."""
        if known := self._known(index, project, name):
            self._put(index, project, name, known | values)

    # As the companion of the database.

    def mark(self) -> int:
        self._noted.append((len(self._records), len(self._events)))
        return len(self._noted) - 1

    def forget(self, mark: int) -> None:
        records, events = self._noted[mark]
        del self._records[records:], self._events[events:]
        self._latest = dict(self._records)

    def write(self) -> None:
        events = self._events
        if events:
            group = events[0].serial
            self._written = self.audit.append([msgspec.structs.replace(event, group=group) for event in events])
        self._replacing.write({path: to_bytes(record) for path, record in self._latest.items()})

    def committed(self) -> None:
        self._replacing.settle()
        self._clear()

    def take_back(self) -> None:
        """Put the files back; what cannot be is told in the log, since the database is right without."""
        written = self._written
        self._clear()
        self._try(self._replacing.take_back)
        if written is not None:
            self._try(lambda: self.audit.cut(written))

    def _try(self, put_back: Callable[[], None]) -> None:
        try:
            put_back()
        except OSError as e:
            self._log.critical("what was written beside hosted.db could not be taken back: {why}", why=e)

    def _clear(self) -> None:
        self._records.clear()
        self._latest.clear()
        self._events.clear()
        self._noted.clear()
        self._written = None

    def _put(self, index: IndexName, project: NormalizedName, name: str, record: Record) -> None:
        path = self._sidecars.path(index, project, name)
        self._records.append((path, record))
        self._latest[path] = record

    def _known(self, index: IndexName, project: NormalizedName, name: str) -> Record:
        """Return the sidecar as it is by now; empty if it is lost or unreadable, the database has the rest."""
        path = self._sidecars.path(index, project, name)
        if path in self._latest:
            return self._latest[path]
        with suppress(OSError, ValueError):
            return read_record(path)
        return {}
