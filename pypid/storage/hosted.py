"""What is known about what was uploaded: the SQL of hosted.db about projects and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import Any

from cachetools import LRUCache
from packaging.version import Version

from pypid.domain.changes import Change
from pypid.domain.errors import FileExists
from pypid.domain.files import DistributionFile, ProjectPage, TimeSource, versions_of
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.release_facts import FileKey, OtherDigests
from pypid.domain.releases import latest
from pypid.domain.search import Hit, Query
from pypid.storage.database import Database
from pypid.storage.project_lists import ProjectLists
from pypid.storage.project_search import find_projects

PROJECTS_IN_MEMORY = 20_000
"""Entries. Most are names that are not hosted (a few dozen bytes each), asked for by every install."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedFile:
    """One row of what was uploaded, as its sidecar has it too."""

    index_name: IndexName
    filename: str
    project: NormalizedName
    version: str
    filetype: str
    size: int
    sha256: str
    blake2_256: str
    md5: str
    requires_python: str | None
    summary: str | None
    """One line."""
    core_metadata: str | None
    yanked: str | None
    uploaded_at: str
    """ISO 8601 in UTC, to the microsecond."""
    uploaded_by: str

    def described(self) -> DistributionFile:
        return DistributionFile(
            filename=self.filename,
            sha256=self.sha256,
            size=self.size,
            upload_time=datetime.fromisoformat(self.uploaded_at).astimezone(UTC),
            upload_time_source=TimeSource.HOSTED,
            requires_python=self.requires_python,
            yanked=self.yanked,
            core_metadata=self.core_metadata,
        )


_COLUMNS = tuple(field.name for field in fields(HostedFile))
_PROJECT_COLUMN = 1 + _COLUMNS.index("project")
"""After the serial."""
_INSERT = f"INSERT INTO file ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_FILE = f"SELECT {', '.join(_COLUMNS)} FROM file WHERE index_name = ? AND filename = ?"  # noqa: S608
_FILES = (
    f"SELECT p.serial, {', '.join('f.' + column for column in _COLUMNS)} "  # noqa: S608
    "FROM project p JOIN file f ON f.index_name = p.index_name AND f.project = p.name WHERE p.index_name = ?"
)
_PROJECT_FILES = f"{_FILES} AND p.name = ? ORDER BY f.uploaded_at, f.filename"
_ALL_FILES = f"{_FILES} ORDER BY p.name, f.uploaded_at, f.filename"
_LAST_CHANGES = (
    "SELECT p.name, p.serial, max(f.uploaded_at) FROM project p "
    "JOIN file f ON f.index_name = p.index_name AND f.project = p.name "
    "WHERE p.index_name = ? GROUP BY p.name ORDER BY p.serial"
)


class HostedRecords:
    """
    The uploaded files of every hosted index.

    Pages are kept in memory. This process is the only writer, so a page is
    right until `publish` changes its project; a page that was being read
    meanwhile is not kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._pages: LRUCache[tuple[IndexName, NormalizedName], ProjectPage | None] = LRUCache(PROJECTS_IN_MEMORY)
        self._changes = 0
        self._lists = ProjectLists(database, "SELECT name FROM project WHERE index_name = ? ORDER BY name")

    @property
    def changes(self) -> int:
        """How often anything was published since the start: while it stays, every answer does."""
        return self._changes

    async def page(self, index: IndexName, project: NormalizedName) -> ProjectPage | None:
        """Return the project's files, or None when nothing of that name was ever uploaded."""
        key = (index, project)
        if key in self._pages:
            return self._pages[key]
        changes = self._changes
        page = await self._database.read(lambda connection: _read_page(connection, index, project))
        if changes == self._changes:
            self._pages[key] = page
        return page

    async def pages(self, index: IndexName) -> list[ProjectPage]:
        """Return the pages of all projects, by name; read anew each time."""
        return await self._database.read(lambda connection: _read_pages(connection, index))

    async def last_changes(self, index: IndexName) -> list[Change]:
        """Return the last change of each project, the oldest first."""
        return await self._database.read(lambda connection: _read_last_changes(connection, index))

    async def projects(self, index: IndexName) -> ProjectList:
        """Return the hosted projects."""
        return await self._lists.get(index)

    async def file(self, index: IndexName, filename: str) -> HostedFile | None:
        """Return the row of that filename, whatever its project."""
        return await self._database.read(lambda connection: _read_file(connection, index, filename))

    async def other_digests(self, index: IndexName, project: NormalizedName) -> dict[FileKey, OtherDigests]:
        """Return what is known of the project's files beside their sha256."""
        statement = "SELECT filename, sha256, md5, blake2_256 FROM file WHERE index_name = ? AND project = ?"
        rows = await self._database.read(lambda connection: connection.execute(statement, (index, project)).fetchall())
        return {(filename, sha256): OtherDigests(md5=md5, blake2b_256=blake2) for filename, sha256, md5, blake2 in rows}

    async def search(self, index: IndexName, query: Query) -> list[Hit]:
        """Return the projects that fit ``query`` best."""
        statement = "SELECT name, version, summary FROM project WHERE index_name = ? AND version IS NOT NULL"
        return await self._database.read(lambda connection: find_projects(connection, query, statement, (index,)))

    async def publish(self, file: HostedFile) -> bool:
        """
        Record ``file``, whose blobs must be durable, and give its project the next serial.

        Returns False, with nothing changed, when the very same bytes are
        recorded under that filename; raises `FileExists` when others are.
        Whoever may be cancelled must shield this call: the row may be written,
        and the page in memory must then be forgotten.
        """
        published = await self._database.write(lambda connection: _publish(connection, file))
        self._changes += 1
        self._pages.pop((file.index_name, file.project), None)
        self._lists.changed(file.index_name)
        return published


def _read_page(connection: Connection, index: IndexName, project: NormalizedName) -> ProjectPage | None:
    rows = connection.execute(_PROJECT_FILES, (index, project)).fetchall()
    return _page_of(rows) if rows else None


def _read_pages(connection: Connection, index: IndexName) -> list[ProjectPage]:
    rows = connection.execute(_ALL_FILES, (index,)).fetchall()
    return [_page_of(list(group)) for _, group in groupby(rows, key=itemgetter(_PROJECT_COLUMN))]


def _read_last_changes(connection: Connection, index: IndexName) -> list[Change]:
    return [
        Change(project=name, serial=serial, time=datetime.fromisoformat(uploaded_at))
        for name, serial, uploaded_at in connection.execute(_LAST_CHANGES, (index,))
    ]


def _page_of(rows: Sequence[tuple[Any, ...]]) -> ProjectPage:
    """Return the page of the one project that ``rows`` are of."""
    files = tuple(HostedFile(**dict(zip(_COLUMNS, row[1:], strict=True))).described() for row in rows)
    return ProjectPage(
        name=rows[0][_PROJECT_COLUMN],
        files=files,
        versions=versions_of(files),
        revision=f"serial-{rows[0][0]}",
        serial=rows[0][0],
    )


def _read_file(connection: Connection, index: IndexName, filename: str) -> HostedFile | None:
    row = connection.execute(_FILE, (index, filename)).fetchone()
    return None if row is None else HostedFile(**dict(zip(_COLUMNS, row, strict=True)))


def _publish(connection: Connection, file: HostedFile) -> bool:
    present = _read_file(connection, file.index_name, file.filename)
    if present is not None:
        if present.sha256 != file.sha256:
            raise FileExists(file.filename, present.sha256)
        return False
    connection.execute(
        "INSERT INTO project (index_name, name, serial) "
        "SELECT ?, ?, coalesce(max(serial), 0) + 1 FROM project WHERE true "
        "ON CONFLICT (index_name, name) DO UPDATE SET serial = excluded.serial",
        (file.index_name, file.project),
    )
    connection.execute(_INSERT, tuple(getattr(file, column) for column in _COLUMNS))
    _note_latest(connection, file.index_name, file.project)
    return True


def _note_latest(connection: Connection, index: IndexName, project: NormalizedName) -> None:
    """Write into the project's row which of its releases is the latest, and what that says of itself."""
    versions = connection.execute(
        "SELECT version, min(yanked IS NOT NULL) FROM file WHERE index_name = ? AND project = ? GROUP BY version",
        (index, project),
    )
    newest = str(latest({Version(version): bool(yanked) for version, yanked in versions}))
    # What wheels say before what sdists say, the newest first: "bdist_wheel" sorts before "sdist".
    summary = connection.execute(
        "SELECT summary FROM file WHERE index_name = ? AND project = ? AND version = ? AND summary IS NOT NULL "
        "ORDER BY filetype, uploaded_at DESC LIMIT 1",
        (index, project, newest),
    ).fetchone()
    connection.execute(
        "UPDATE project SET version = ?, summary = ? WHERE index_name = ? AND name = ?",
        (newest, None if summary is None else summary[0], index, project),
    )
