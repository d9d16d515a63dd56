"""What is known about what was fetched: the SQL of cache.db, but for that about room (`references`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from sqlite3 import Connection

from twisted.internet.defer import Deferred

from pypid.domain.core_metadata import FoundMetadata
from pypid.domain.files import TimeSource
from pypid.domain.learned import LearnedDigest
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList, listed
from pypid.domain.search import Hit, Query
from pypid.domain.upload_times import ToldTime
from pypid.flight import shield
from pypid.storage.database import Database
from pypid.storage.project_lists import ProjectLists
from pypid.storage.project_search import find_projects

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
            lambda connection: find_projects(connection, query, _KEPT_PROJECTS, (SIMPLE, JSON, index, SIMPLE, JSON))
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
