"""What the sidecars of a project say, taken together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec
from packaging.version import Version

from pypid.domain.files import ProjectStatus, Status
from pypid.domain.names import IndexName, InvalidName, NormalizedName, normalize_name, parse_index_name
from pypid.storage.hosted_file import HostedFile, iso
from pypid.storage.sidecars import OVERLAY, PROJECT, Record, read_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """That there was a file of that name; a row of its table."""

    index_name: IndexName
    filename: str
    project: NormalizedName
    sha256: str
    serial: int
    deleted_at: str
    deleted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayRule:
    """What is laid over a project, or over some of its files; the columns of its table but for whose it is."""

    version: str
    filename: str
    kind: str
    status: str | None
    reason: str
    serial: int
    made_at: str
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """The project's own sidecar. ``released``: from then on the name was not ours."""

    index_name: IndexName
    project: NormalizedName
    serial: int
    changed_at: str = ""
    status: str | None = None
    status_reason: str | None = None
    released: bool = False


@dataclass(slots=True)
class ProjectRecords:
    """One project of one index, by its sidecars."""

    index: IndexName
    project: NormalizedName
    files: list[HostedFile] = field(default_factory=list)
    tombstones: list[Tombstone] = field(default_factory=list)
    rules: list[OverlayRule] = field(default_factory=list)
    last_serial: int = 0
    """The greatest that is anywhere in them."""
    unreadable: list[str] = field(default_factory=list)
    """What cannot be used, a line each that names the path and says why."""
    undone: list[str] = field(default_factory=list)
    """Files whose upload was never acknowledged."""
    _own: _Own | None = None
    _is_incomplete: bool = False

    @property
    def is_ours(self) -> bool:
        """
        Whether the name is.

        It is if one of its sidecars cannot be read, too: else others would be
        asked for it.
        """
        released = self._own.serial if self._own is not None and self._own.released else 0
        return bool(self.files) or self._is_incomplete or self.last_change[0] > released

    @property
    def last_change(self) -> tuple[int, str]:
        """Return its serial, and when it was."""
        changes = [(file.serial, file.changed_at) for file in self.files]
        changes += [(gone.serial, gone.deleted_at) for gone in self.tombstones]
        if self._own is not None:
            changes.append((self._own.serial, self._own.changed_at))
        return max(changes, default=(0, iso(0)))

    @property
    def status(self) -> ProjectStatus | None:
        if self._own is None or self._own.status is None:
            return None
        return ProjectStatus(Status(self._own.status), self._own.status_reason)

    def read(self, path: Path) -> None:
        """Take in one of its sidecars."""
        name = path.name.removesuffix(".json")
        try:
            record = read_record(path)
            if (record.get("index_name"), record.get("project")) != (self.index, self.project):
                raise ValueError("it is another project's")
            self.last_serial = max(self.last_serial, self._take(name, record))
        except (OSError, ValueError) as e:
            self.unreadable.append(str(e) if str(path) in str(e) else f"{path}: {e}")
            self._is_incomplete |= name != OVERLAY

    def _take(self, name: str, record: Record) -> int:
        """Return the greatest serial of ``record``."""
        if name == OVERLAY:
            self.rules = msgspec.convert(record.get("rules"), list[OverlayRule])
            return max((rule.serial for rule in self.rules), default=0)
        if name == PROJECT:
            self._own = _checked(msgspec.convert(record, _Own))
            return self._own.serial
        if record.get("filename") != name:
            raise ValueError("it is another file's")
        file = _checked_file(msgspec.convert(record, HostedFile))
        if record.get("undone"):
            self.undone.append(name)
        elif "deleted_at" in record:
            self.tombstones.append(msgspec.convert(record, Tombstone))
        else:
            self.files.append(file)
        return file.serial


def read_sidecars(root: Path) -> Iterator[ProjectRecords]:
    """Yield what is known of each project that has a directory below ``root``."""
    for directory in sorted(path for path in root.glob("*/*") if path.is_dir()):
        records = ProjectRecords(IndexName(directory.parent.name.replace("+", "/")), NormalizedName(directory.name))
        for path in sorted(directory.glob("*.json")):
            records.read(path)
        yield records


def _checked(own: _Own) -> _Own:
    """Raises `ValueError` for what hosted.db could not hold, or be asked for."""
    Status(own.status or Status.ACTIVE.value)
    if not own.released:
        datetime.fromisoformat(own.changed_at)
    return own


def _checked_file(file: HostedFile) -> HostedFile:
    parse_index_name(file.index_name)
    if normalize_name(file.project) != file.project:
        raise InvalidName(f"not a normalized name: {file.project!r}")
    Version(file.version)
    datetime.fromisoformat(file.changed_at)
    file.described()
    return file
