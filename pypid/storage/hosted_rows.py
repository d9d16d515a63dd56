"""The rows of files and projects in hosted.db: the SQL that more than one change needs."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from packaging.version import Version

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.releases import latest
from pypid.storage.hosted_file import COLUMNS, HostedFile

_PUT = f"INSERT OR REPLACE INTO file ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_ROWS = f"SELECT {', '.join(COLUMNS)} FROM file WHERE index_name = ?"  # noqa: S608


def next_serial(connection: Connection) -> int:
    """Count one more change."""
    (serial,) = connection.execute("UPDATE counter SET last_serial = last_serial + 1 RETURNING last_serial").fetchone()
    return int(serial)


def find_file(connection: Connection, index: IndexName, filename: str) -> HostedFile | None:
    row = connection.execute(f"{_ROWS} AND filename = ?", (index, filename)).fetchone()
    return None if row is None else _file(row)


def files_of(connection: Connection, index: IndexName, project: NormalizedName) -> list[HostedFile]:
    """Return the files of the project, by name."""
    rows = connection.execute(f"{_ROWS} AND project = ? ORDER BY filename", (index, project))
    return [_file(row) for row in rows]


def put_file(connection: Connection, file: HostedFile) -> None:
    """Write the row of ``file``, in the place of one of its name."""
    connection.execute(_PUT, tuple(getattr(file, column) for column in COLUMNS))


def note_latest(connection: Connection, index: IndexName, project: NormalizedName) -> None:
    """Write into the project's row which of its releases is the latest, and what that says of itself."""
    versions = connection.execute(
        "SELECT version, min(yanked IS NOT NULL) FROM file WHERE index_name = ? AND project = ? GROUP BY version",
        (index, project),
    )
    releases = {Version(version): bool(yanked) for version, yanked in versions}
    newest = str(latest(releases)) if releases else None
    # What wheels say before what sdists say, the newest first: "bdist_wheel" sorts before "sdist".
    summary = connection.execute(
        "SELECT summary FROM file WHERE index_name = ? AND project = ? AND version = ? AND summary IS NOT NULL "
        "ORDER BY filetype, uploaded_at DESC, filename LIMIT 1",
        (index, project, newest),
    ).fetchone()
    connection.execute(
        "UPDATE project SET version = ?, summary = ? WHERE index_name = ? AND name = ?",
        (newest, None if summary is None else summary[0], index, project),
    )


def _file(row: Sequence[Any]) -> HostedFile:
    return HostedFile(**dict(zip(COLUMNS, row, strict=True)))
