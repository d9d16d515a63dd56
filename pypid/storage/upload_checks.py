"""Whether a file may be published, by what hosted.db has."""

from __future__ import annotations

from sqlite3 import Connection

from pypid.domain.errors import FileDeleted, FileExists, ProjectClosed, UploadRefused
from pypid.domain.filenames import FileKind, parse_filename
from pypid.domain.files import ProjectStatus, Status
from pypid.domain.names import IndexName, NormalizedName
from pypid.storage.hosted_rows import find_file

CLOSED = frozenset({Status.ARCHIVED, Status.QUARANTINED})
"""What a project that takes no uploads is (PEP 792)."""


def is_published(
    connection: Connection, index: IndexName, project: NormalizedName, filename: str, sha256: str, *, volatile: bool
) -> bool:
    """
    Return whether the very file is published; if not, it may be.

    Raises `FileExists`, `FileDeleted`, `ProjectClosed`, `UploadRefused`.
    """
    present = find_file(connection, index, filename)
    if present is not None and present.sha256 == sha256:
        return True
    if present is not None and not volatile:
        raise FileExists(filename, present.sha256)
    _check_open(connection, index, project)
    _check_only_sdist(connection, index, project, filename)
    if not volatile:
        _check_tombstone(connection, index, filename, sha256)
    return False


def _check_open(connection: Connection, index: IndexName, project: NormalizedName) -> None:
    statement = "SELECT status, status_reason FROM project WHERE index_name = ? AND name = ?"
    row = connection.execute(statement, (index, project)).fetchone()
    if row is not None and row[0] is not None and Status(row[0]) in CLOSED:
        raise ProjectClosed(project, ProjectStatus(Status(row[0]), row[1]))


def _check_only_sdist(connection: Connection, index: IndexName, project: NormalizedName, filename: str) -> None:
    own = parse_filename(filename)
    if own.kind is FileKind.WHEEL:
        return
    statement = "SELECT filename FROM file WHERE index_name = ? AND project = ? AND filename <> ?"
    if any(parse_filename(other) == own for (other,) in connection.execute(statement, (index, project, filename))):
        # Which one is installed would depend on who asks.
        raise UploadRefused(["Only one sdist may be uploaded per release."])


def _check_tombstone(connection: Connection, index: IndexName, filename: str, sha256: str) -> None:
    statement = "SELECT sha256 FROM tombstone WHERE index_name = ? AND filename = ?"
    row = connection.execute(statement, (index, filename)).fetchone()
    if row is not None and row[0] != sha256:
        raise FileDeleted(filename)
