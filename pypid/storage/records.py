"""What is known about the files: every SQL statement of pypid is here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from sqlite3 import Connection

from cachetools import LRUCache

from pypid.domain.errors import FileExists
from pypid.domain.files import DistributionFile, ProjectPage, TimeSource, versions_of
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.upload_times import ToldTime
from pypid.storage.database import Database

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
_INSERT = f"INSERT INTO file ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_FILE = f"SELECT {', '.join(_COLUMNS)} FROM file WHERE index_name = ? AND filename = ?"  # noqa: S608
_PROJECT_FILES = (
    f"SELECT p.serial, {', '.join('f.' + column for column in _COLUMNS)} "  # noqa: S608
    "FROM project p JOIN file f ON f.index_name = p.index_name AND f.project = p.name "
    "WHERE p.index_name = ? AND p.name = ? ORDER BY f.uploaded_at, f.filename"
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

    async def projects(self, index: IndexName) -> list[NormalizedName]:
        """Return the hosted projects' names, sorted."""
        statement = "SELECT name FROM project WHERE index_name = ? ORDER BY name"
        rows = await self._database.read(lambda connection: connection.execute(statement, (index,)).fetchall())
        return [NormalizedName(name) for (name,) in rows]

    async def file(self, index: IndexName, filename: str) -> HostedFile | None:
        """Return the row of that filename, whatever its project."""
        return await self._database.read(lambda connection: _read_file(connection, index, filename))

    async def publish(self, file: HostedFile) -> bool:
        """
        Record ``file``, whose blobs must be durable, and bump its project's serial.

        Returns False, with nothing changed, when the very same bytes are
        recorded under that filename; raises `FileExists` when others are.
        Whoever may be cancelled must shield this call: the row may be written,
        and the page in memory must then be forgotten.
        """
        published = await self._database.write(lambda connection: _publish(connection, file))
        self._changes += 1
        self._pages.pop((file.index_name, file.project), None)
        return published


def _read_page(connection: Connection, index: IndexName, project: NormalizedName) -> ProjectPage | None:
    rows = connection.execute(_PROJECT_FILES, (index, project)).fetchall()
    if not rows:
        return None
    files = tuple(HostedFile(**dict(zip(_COLUMNS, row[1:], strict=True))).described() for row in rows)
    return ProjectPage(name=project, files=files, versions=versions_of(files), revision=f"serial-{rows[0][0]}")


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
        "INSERT INTO project (index_name, name, serial) VALUES (?, ?, 1) "
        "ON CONFLICT (index_name, name) DO UPDATE SET serial = serial + 1",
        (file.index_name, file.project),
    )
    connection.execute(_INSERT, tuple(getattr(file, column) for column in _COLUMNS))
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """A project page of an upstream, as it was sent."""

    upstream: str
    """The base URL that the index had then; a reload may have changed it."""
    url: str
    """Where it was found in the end: relative links start from here."""
    content_type: str
    encoding: str
    body: bytes
    etag: str | None
    last_modified: str | None
    fetched_at: float
    """Seconds since 1970, by the wall clock."""


_PAGE_COLUMNS = tuple(field.name for field in fields(StoredPage))
_PAGE = f"SELECT {', '.join(_PAGE_COLUMNS)} FROM page WHERE index_name = ? AND project = ?"  # noqa: S608
_KEEP_PAGE = (
    f"INSERT OR REPLACE INTO page (index_name, project, {', '.join(_PAGE_COLUMNS)}) "  # noqa: S608
    f"VALUES (?, ?, {', '.join('?' * len(_PAGE_COLUMNS))})"
)


class CachedRecords:
    """What was fetched from upstreams. Losing it costs fetching it again, and the told times."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, index: IndexName, project: NormalizedName) -> StoredPage | None:
        row = await self._database.read(
            lambda connection: connection.execute(_PAGE, (index, project)).fetchone(),
        )
        return None if row is None else StoredPage(**dict(zip(_PAGE_COLUMNS, row, strict=True)))

    async def keep_page(self, index: IndexName, project: NormalizedName, page: StoredPage) -> None:
        """Replace what was known of the project."""
        values = (index, project, *(getattr(page, column) for column in _PAGE_COLUMNS))
        await self._execute(_KEEP_PAGE, values)

    async def page_confirmed(self, index: IndexName, project: NormalizedName, fetched_at: float) -> None:
        """Note that upstream says the page is unchanged."""
        await self._execute(
            "UPDATE page SET fetched_at = ? WHERE index_name = ? AND project = ?", (fetched_at, index, project)
        )

    async def drop_page(self, index: IndexName, project: NormalizedName) -> None:
        await self._execute("DELETE FROM page WHERE index_name = ? AND project = ?", (index, project))

    async def projects(self, index: IndexName) -> list[NormalizedName]:
        """Return the names of the projects whose page is kept, sorted."""
        statement = "SELECT project FROM page WHERE index_name = ? ORDER BY project"
        rows = await self._database.read(lambda connection: connection.execute(statement, (index,)).fetchall())
        return [NormalizedName(name) for (name,) in rows]

    async def file(self, index: IndexName, project: NormalizedName, filename: str, digest_prefix: str) -> str | None:
        """Return the sha256 of the kept file of that name whose digest begins so."""
        statement = "SELECT sha256 FROM file WHERE index_name = ? AND project = ? AND filename = ?"
        values = (index, project, filename)
        rows = await self._database.read(lambda connection: connection.execute(statement, values).fetchall())
        return next((sha256 for (sha256,) in rows if sha256.startswith(digest_prefix)), None)

    async def keep_file(self, index: IndexName, project: NormalizedName, filename: str, sha256: str) -> None:
        """Record that the blob ``sha256``, which must be in the store, is this file."""
        await self._execute("INSERT OR IGNORE INTO file VALUES (?, ?, ?, ?)", (index, project, filename, sha256))

    async def told_times(self, index: IndexName, project: NormalizedName) -> list[ToldTime]:
        """Return the upload times that were recorded for the project's files, listed still or not."""
        statement = "SELECT filename, sha256, upload_time, source FROM told_time WHERE index_name = ? AND project = ?"
        rows = await self._database.read(lambda connection: connection.execute(statement, (index, project)).fetchall())
        return [
            ToldTime(
                filename=filename,
                sha256=sha256,
                upload_time=datetime.fromisoformat(upload_time),
                source=TimeSource(source),
            )
            for filename, sha256, upload_time, source in rows
        ]

    async def tell_times(self, index: IndexName, project: NormalizedName, times: Iterable[ToldTime]) -> None:
        """Record ``times``, all at once; a file that has one keeps it."""
        rows = [
            (index, project, time.filename, time.sha256, time.upload_time.isoformat(), time.source.value)
            for time in times
        ]
        statement = "INSERT OR IGNORE INTO told_time VALUES (?, ?, ?, ?, ?, ?)"
        await self._database.write(lambda connection: connection.executemany(statement, rows))

    async def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        change: Callable[[Connection], object] = lambda connection: connection.execute(statement, values)  # noqa: E731
        await self._database.write(change)
