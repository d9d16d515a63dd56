"""All that hosted.db has of one project: the SQL for those who look after it."""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection
from typing import NamedTuple

from pypid.domain.files import ProjectStatus, Status
from pypid.domain.names import IndexName, NormalizedName
from pypid.storage.hosted_file import COLUMNS, HostedFile

_PROJECT = "SELECT serial, changed_at, status, status_reason FROM project WHERE index_name = ? AND name = ?"
_FILES = f"SELECT {', '.join(COLUMNS)} FROM file WHERE index_name = ? AND project = ? ORDER BY uploaded_at, filename"  # noqa: S608 (our own names)
_TOMBSTONES = (
    "SELECT filename, sha256, serial, deleted_at, deleted_by FROM tombstone WHERE index_name = ? AND project = ? "
    "ORDER BY serial, filename"
)


class Tombstone(NamedTuple):
    """A filename that was published and is deleted."""

    filename: str
    sha256: str
    serial: int
    deleted_at: str
    """ISO 8601 in UTC, to the microsecond."""
    deleted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedProject:
    """A project of which something is, or was, uploaded."""

    serial: int
    changed_at: str
    """ISO 8601 in UTC, to the microsecond."""
    status: ProjectStatus | None
    """None: active."""
    files: tuple[HostedFile, ...]
    """The oldest first."""
    tombstones: tuple[Tombstone, ...]
    """The oldest first."""


def read_project(connection: Connection, index: IndexName, project: NormalizedName) -> HostedProject | None:
    """Return the project as it is at one moment, or None when the name is not one of ours."""
    connection.execute("BEGIN")
    try:
        return _read(connection, (index, project))
    finally:
        connection.execute("ROLLBACK")


def _read(connection: Connection, key: tuple[IndexName, NormalizedName]) -> HostedProject | None:
    row = connection.execute(_PROJECT, key).fetchone()
    if row is None:
        return None
    serial, changed_at, status, reason = row
    files = connection.execute(_FILES, key)
    return HostedProject(
        serial=serial,
        changed_at=changed_at,
        status=None if status is None else ProjectStatus(Status(status), reason),
        files=tuple(HostedFile(**dict(zip(COLUMNS, values, strict=True))) for values in files),
        tombstones=tuple(Tombstone(*values) for values in connection.execute(_TOMBSTONES, key)),
    )
