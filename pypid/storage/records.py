"""What is known about the files: every SQL statement of pypid is here, but for those about room (`references`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import Any

from cachetools import LRUCache
from packaging.version import Version
from twisted.internet.defer import Deferred

from pypid.domain.changes import Change
from pypid.domain.core_metadata import FoundMetadata
from pypid.domain.errors import FileExists
from pypid.domain.files import DistributionFile, ProjectPage, TimeSource, versions_of
from pypid.domain.learned import LearnedDigest
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList, listed
from pypid.domain.release_facts import FileKey, OtherDigests
from pypid.domain.releases import latest
from pypid.domain.search import Hit, Query
from pypid.domain.upload_times import ToldTime
from pypid.flight import shield
from pypid.storage.database import Database
from pypid.storage.project_lists import ProjectLists

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
        return await self._database.read(lambda connection: _search(connection, query, statement, (index,)))

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


def _search(connection: Connection, query: Query, statement: str, values: tuple[object, ...]) -> list[Hit]:
    # Not by LIKE, which takes only ASCII letters for what they are in both cases: 10,000 rows take 25 ms.
    rows = connection.execute(statement, values)
    return query.best(Hit(NormalizedName(name), version, summary or "") for name, version, summary in rows)


SIMPLE = "simple"
"""The kind of a project page."""

JSON = "json"
"""The kind of the legacy JSON; that of one release is ``json/1.0``."""

PROVENANCE = "provenance"
"""The kind of the provenance of a file, after which comes a slash and its URL."""

WHOLE_LIST = "list"
"""The kind of the list of all of upstream's projects, kept as the names that were read from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPage:
    """What an upstream said of a project, as it was sent."""

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
    serial: int | None = None
    """Which of upstream's changes it shows, where upstream counts them."""
    version: str | None = None
    """The project's latest, and its summary: what a search shows, where the page says it."""
    summary: str | None = None


_PAGE_COLUMNS = tuple(field.name for field in fields(StoredPage))
_THE_PAGE = "index_name = ? AND project = ? AND kind = ?"
_PAGE = f"SELECT {', '.join(_PAGE_COLUMNS)} FROM page WHERE {_THE_PAGE}"  # noqa: S608
_KEEP_PAGE = (
    f"INSERT OR REPLACE INTO page (index_name, project, kind, {', '.join(_PAGE_COLUMNS)}) "  # noqa: S608
    f"VALUES (?, ?, ?, {', '.join('?' * len(_PAGE_COLUMNS))})"
)


_KEPT_PROJECTS = (
    "SELECT project, max(CASE kind WHEN ? THEN version END) AS latest, max(CASE kind WHEN ? THEN summary END) "
    "FROM page WHERE index_name = ? AND kind IN (?, ?) GROUP BY project HAVING latest IS NOT NULL"
)


_FOUND = (
    "SELECT filename, identity, claim, core_metadata, verified FROM found_metadata WHERE index_name = ? AND project = ?"
)


KeptFiles = frozenset[tuple[str, str]]
"""Of one project: filename and identity."""

_FILES_OF_PROJECT = (
    "SELECT filename, sha256 FROM file WHERE index_name = ?1 AND project = ?2 "
    "UNION ALL SELECT filename, identity FROM learned_digest JOIN file USING (index_name, project, filename, sha256) "
    "WHERE index_name = ?1 AND project = ?2"
)

_LEARNED = "SELECT sha256 FROM learned_digest WHERE index_name = ? AND project = ? AND filename = ? AND identity = ?"


_KEPT_FILES = (
    "SELECT sha256, sha256 FROM file WHERE index_name = ?1 AND project = ?2 AND filename = ?3 "
    "UNION ALL SELECT identity, sha256 FROM learned_digest JOIN file USING (index_name, project, filename, sha256) "
    "WHERE index_name = ?1 AND project = ?2 AND filename = ?3"
)


class CachedRecords:
    """What was fetched from upstreams. Losing it costs fetching it again, and the told times."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lists = ProjectLists(
            database, "SELECT project FROM page WHERE index_name = ? AND kind = 'simple' ORDER BY project"
        )

    async def page(self, index: IndexName, project: NormalizedName, kind: str = SIMPLE) -> StoredPage | None:
        row = await self._database.read(
            lambda connection: connection.execute(_PAGE, (index, project, kind)).fetchone(),
        )
        return None if row is None else StoredPage(**dict(zip(_PAGE_COLUMNS, row, strict=True)))

    async def keep_page(self, index: IndexName, project: NormalizedName, page: StoredPage, kind: str = SIMPLE) -> None:
        """Replace what was known of the project."""
        values = (index, project, kind, *(getattr(page, column) for column in _PAGE_COLUMNS))

        def keep(connection: Connection) -> bool:
            known = connection.execute(f"SELECT 1 FROM page WHERE {_THE_PAGE}", values[:3]).fetchone()  # noqa: S608
            connection.execute(_KEEP_PAGE, values)
            return known is None and kind == SIMPLE

        await self._change_projects(index, keep)

    async def page_confirmed(
        self, index: IndexName, project: NormalizedName, fetched_at: float, kind: str = SIMPLE
    ) -> None:
        """Note that upstream says the page is unchanged."""
        await self._execute(
            f"UPDATE page SET fetched_at = ? WHERE {_THE_PAGE}",  # noqa: S608
            (fetched_at, index, project, kind),
        )

    async def drop_page(self, index: IndexName, project: NormalizedName, kind: str = SIMPLE) -> None:
        statement = f"DELETE FROM page WHERE {_THE_PAGE}"  # noqa: S608
        await self._change_projects(
            index, lambda connection: connection.execute(statement, (index, project, kind)).rowcount > 0
        )

    async def projects(self, index: IndexName) -> ProjectList:
        """Return the projects whose page is kept."""
        return await self._lists.get(index)

    async def search(self, index: IndexName, query: Query) -> list[Hit]:
        """Return the projects whose page is kept that fit ``query`` best."""
        return await self._database.read(
            lambda connection: _search(connection, query, _KEPT_PROJECTS, (SIMPLE, JSON, index, SIMPLE, JSON))
        )

    async def file(self, index: IndexName, project: NormalizedName, filename: str, digest_prefix: str) -> str | None:
        """Return the sha256 of the kept file of that name whose identity begins so."""
        values = (index, project, filename)
        rows = await self._database.read(lambda connection: connection.execute(_KEPT_FILES, values).fetchall())
        return next((sha256 for identity, sha256 in rows if identity.startswith(digest_prefix)), None)

    async def files(self, index: IndexName, project: NormalizedName) -> KeptFiles:
        """Return which files of the project are kept, listed still or not; ``.metadata`` beside one is one."""
        values = (index, project)
        return frozenset(
            await self._database.read(lambda connection: connection.execute(_FILES_OF_PROJECT, values).fetchall())
        )

    async def projects_with_files(self, index: IndexName) -> ProjectList:
        """Return the projects of which a file is kept; read anew each time."""
        statement = "SELECT DISTINCT project FROM file WHERE index_name = ? ORDER BY project"
        return await self._database.read(
            lambda connection: listed(name for (name,) in connection.execute(statement, (index,)))
        )

    async def doubt_pages(self, index: IndexName, changes: Mapping[NormalizedName, int] | None, until: float) -> None:
        """
        Have the pages of what has changed, and what else was said of it, taken for fetched at ``until``, if not before.

        ``changes``: projects, each with the serial of its change, which a page may show already; None: all.
        """
        statement = "UPDATE page SET fetched_at = ? WHERE index_name = ? AND kind <> ? AND fetched_at > ?"
        rows: list[tuple[object, ...]] = [(until, index, WHOLE_LIST, until)]
        if changes is not None:
            statement += " AND project = ? AND (serial IS NULL OR serial < ?)"
            rows = [(*rows[0], project, serial) for project, serial in changes.items()]
        await self._database.write(lambda connection: connection.executemany(statement, rows))

    async def feed_serial(self, index: IndexName, url: str) -> int | None:
        """Return up to which change the feed at ``url`` was read."""
        statement = "SELECT serial FROM feed WHERE index_name = ? AND url = ?"
        row = await self._database.read(lambda connection: connection.execute(statement, (index, url)).fetchone())
        return None if row is None else row[0]

    async def keep_feed_serial(self, index: IndexName, url: str, serial: int) -> None:
        await self._execute("INSERT OR REPLACE INTO feed VALUES (?, ?, ?)", (index, url, serial))

    async def in_quarantine(self, index: IndexName, project: NormalizedName) -> bool:
        """Return whether upstream's last page of the project said so; one that was withdrawn since stays in it."""
        statement = "SELECT 1 FROM quarantine WHERE index_name = ? AND project = ?"
        row = await self._database.read(lambda connection: connection.execute(statement, (index, project)).fetchone())
        return row is not None

    async def note_quarantine(self, index: IndexName, project: NormalizedName, *, quarantined: bool) -> None:
        change = "INSERT OR IGNORE INTO quarantine VALUES (?, ?)"
        if not quarantined:
            change = "DELETE FROM quarantine WHERE index_name = ? AND project = ?"
        await self._execute(change, (index, project))

    async def keep_file(self, index: IndexName, project: NormalizedName, filename: str, sha256: str) -> None:
        """Record that the blob ``sha256``, which must be in the store, is this file."""
        await self._execute("INSERT OR IGNORE INTO file VALUES (?, ?, ?, ?)", (index, project, filename, sha256))

    async def learn(self, index: IndexName, project: NormalizedName, learned: LearnedDigest) -> LearnedDigest:
        """Record ``learned`` unless something was learned of that file before, and return what is recorded."""
        key = (index, project, *learned.key)

        def learn(connection: Connection) -> str:
            connection.execute("INSERT OR IGNORE INTO learned_digest VALUES (?, ?, ?, ?, ?)", (*key, learned.sha256))
            (sha256,) = connection.execute(_LEARNED, key).fetchone()
            return str(sha256)

        return replace(learned, sha256=await self._database.write(learn))

    async def learned(self, index: IndexName, project: NormalizedName) -> list[LearnedDigest]:
        """Return what was learned of the project's files, listed still or not."""
        statement = "SELECT filename, identity, sha256 FROM learned_digest WHERE index_name = ? AND project = ?"
        rows = await self._database.read(lambda connection: connection.execute(statement, (index, project)).fetchall())
        return [
            LearnedDigest(filename=filename, identity=identity, sha256=sha256) for filename, identity, sha256 in rows
        ]

    async def told_times(self, index: IndexName, project: NormalizedName) -> list[ToldTime]:
        """Return the upload times that were recorded for the project's files, listed still or not."""
        statement = "SELECT filename, identity, upload_time, source FROM told_time WHERE index_name = ? AND project = ?"
        rows = await self._database.read(lambda connection: connection.execute(statement, (index, project)).fetchall())
        return [
            ToldTime(
                filename=filename,
                identity=identity,
                upload_time=datetime.fromisoformat(upload_time),
                source=TimeSource(source),
            )
            for filename, identity, upload_time, source in rows
        ]

    async def tell_times(self, index: IndexName, project: NormalizedName, times: Iterable[ToldTime]) -> None:
        """Record ``times``, all at once; a file that has one keeps it."""
        rows = [
            (index, project, time.filename, time.identity, time.upload_time.isoformat(), time.source.value)
            for time in times
        ]
        statement = "INSERT OR IGNORE INTO told_time VALUES (?, ?, ?, ?, ?, ?)"
        await self._database.write(lambda connection: connection.executemany(statement, rows))

    async def found_metadata(
        self, index: IndexName, project: NormalizedName, filename: str, identity: str
    ) -> FoundMetadata | None:
        """Return what was found in the wheel of that name and identity."""
        found = await self._found_metadata(
            f"{_FOUND} AND filename = ? AND identity = ?", (index, project, filename, identity)
        )
        return found[0] if found else None

    async def all_found_metadata(self, index: IndexName, project: NormalizedName) -> list[FoundMetadata]:
        """Return what was found in the project's wheels, listed still or not."""
        return await self._found_metadata(_FOUND, (index, project))

    async def _found_metadata(self, statement: str, values: tuple[str, ...]) -> list[FoundMetadata]:
        rows = await self._database.read(lambda connection: connection.execute(statement, values).fetchall())
        return [
            FoundMetadata(
                filename=filename, identity=identity, claim=claim, core_metadata=core_metadata, verified=bool(verified)
            )
            for filename, identity, claim, core_metadata, verified in rows
        ]

    async def keep_found_metadata(self, index: IndexName, project: NormalizedName, found: FoundMetadata) -> None:
        """Record ``found``, whose blob must be in the store, in place of what was found in that wheel before."""
        values = (index, project, *found.key, found.claim, found.core_metadata, int(found.verified))
        await self._execute("INSERT OR REPLACE INTO found_metadata VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    async def _change_projects(self, index: IndexName, change: Callable[[Connection], bool]) -> None:
        """Make a change which returns whether other projects are kept now; cancelling does not stop it."""

        async def changed() -> None:
            if await self._database.write(change):
                self._lists.changed(index)

        await shield(Deferred.fromCoroutine(changed()))

    async def _execute(self, statement: str, values: tuple[object, ...]) -> None:
        change: Callable[[Connection], object] = lambda connection: connection.execute(statement, values)  # noqa: E731
        await self._database.write(change)
