"""What is known about what was uploaded: hosted.db as it is asked, and changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import Any, TypeVar

from cachetools import LRUCache
from twisted.internet.defer import Deferred

from pypid.domain.actor import Actor
from pypid.domain.changes import Change
from pypid.domain.files import ProjectPage, ProjectStatus, Status, versions_of
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.release_facts import FileKey, OtherDigests
from pypid.domain.search import Hit, Query
from pypid.domain.subject import Subject
from pypid.flight import shield
from pypid.storage.database import Database
from pypid.storage.hosted_changes import Deed, HostedChanges
from pypid.storage.hosted_file import COLUMNS, HostedFile
from pypid.storage.hosted_rows import find_file
from pypid.storage.journal import Journal
from pypid.storage.project_lists import ProjectLists
from pypid.storage.project_search import find_projects
from pypid.storage.upload_checks import is_published

T = TypeVar("T")

PROJECTS_IN_MEMORY = 20_000
"""Entries. Most are names that are not hosted (a few dozen bytes each), asked for by every install."""

_PROJECT_COLUMNS = ("name", "serial", "status", "status_reason")
_FILES = (
    f"SELECT {', '.join('p.' + column for column in _PROJECT_COLUMNS)}, {', '.join('f.' + column for column in COLUMNS)} "  # noqa: S608, E501
    "FROM project p LEFT JOIN file f ON f.index_name = p.index_name AND f.project = p.name WHERE p.index_name = ?"
)
_PROJECT_FILES = f"{_FILES} AND p.name = ? ORDER BY f.uploaded_at, f.filename"
_ALL_FILES = f"{_FILES} ORDER BY p.name, f.uploaded_at, f.filename"
_LAST_CHANGES = "SELECT name, serial, changed_at FROM project WHERE index_name = ? ORDER BY serial"


class HostedRecords:
    """
    The uploaded files of every hosted index.

    Pages are kept in memory. This process is the only writer, so a page is
    right until a change of its project; a page that was being read meanwhile
    is not kept.
    """

    def __init__(self, database: Database, journal: Journal) -> None:
        """``journal``: the companion of ``database``."""
        self._database = database
        self._journal = journal
        self._pages: LRUCache[tuple[IndexName, NormalizedName], ProjectPage | None] = LRUCache(PROJECTS_IN_MEMORY)
        self._changes = 0
        self._lists = ProjectLists(database, "SELECT name FROM project WHERE index_name = ? ORDER BY name")

    @property
    def changes(self) -> int:
        """How often anything was changed since the start: while it stays, every answer does."""
        return self._changes

    async def page(self, index: IndexName, project: NormalizedName) -> ProjectPage | None:
        """
        Return the project's page, or None when the name is not one of ours.

        It has the files of a quarantined project too, which may not be shown.
        """
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
        return await self._database.read(lambda connection: find_file(connection, index, filename))

    async def is_published(
        self, index: IndexName, project: NormalizedName, filename: str, sha256: str, *, volatile: bool = False
    ) -> bool:
        """Return whether the very file is recorded. Raises what `publish` would now."""
        key = (index, project, filename, sha256)
        return await self._database.read(lambda connection: is_published(connection, *key, volatile=volatile))

    async def files(self, index: IndexName, project: NormalizedName) -> list[HostedFile]:
        """Return the rows of the project, the oldest first."""
        return await self._database.read(lambda connection: _read_files(connection, index, project))

    async def other_digests(self, index: IndexName, project: NormalizedName) -> dict[FileKey, OtherDigests]:
        """Return what is known of the project's files beside their sha256."""
        statement = "SELECT filename, sha256, md5, blake2_256 FROM file WHERE index_name = ? AND project = ?"
        rows = await self._database.read(lambda connection: connection.execute(statement, (index, project)).fetchall())
        return {(filename, sha256): OtherDigests(md5=md5, blake2b_256=blake2) for filename, sha256, md5, blake2 in rows}

    async def search(self, index: IndexName, query: Query) -> list[Hit]:
        """Return the projects that fit ``query`` best."""
        statement = (
            "SELECT name, version, summary FROM project WHERE index_name = ? AND version IS NOT NULL "
            "AND (status IS NULL OR status <> 'quarantined')"
        )
        return await self._database.read(lambda connection: find_projects(connection, query, statement, (index,)))

    # Changes. Each is durable when it returns; cancelling one lets the caller go, and the change is made.

    async def publish(
        self, file: HostedFile, form: Mapping[str, object], actor: Actor, *, volatile: bool = False
    ) -> bool:
        """
        Record ``file``, whose blobs must be durable, and the ``form`` that it came with.

        Returns False, with nothing changed, when the very same bytes are
        recorded under that filename. Raises `FileExists` when others are,
        unless ``volatile``; `FileDeleted`, `ProjectClosed`, `UploadRefused`.
        """
        deed = Deed(index=file.index_name, actor=actor, at=file.uploaded_at)
        return await self._change(deed, file.project, lambda changes: changes.publish(file, form, volatile=volatile))

    async def yank(self, deed: Deed, subject: Subject, reason: str | None) -> list[str]:
        """
        Yank the files of ``subject`` for ``reason``, or take that back (None); return the filenames that changed.

        Raises `ProjectNotFound`, `FileNotFound`.
        """
        return await self._change(deed, subject.project, lambda changes: changes.yank(subject, reason))

    async def delete(
        self, deed: Deed, subject: Subject, reason: str | None = None, expected: Collection[str] | None = None
    ) -> list[HostedFile]:
        """
        Take the files of ``subject`` away, and return them; their names do not come back with other bytes.

        The project keeps its name. Nothing is done if ``expected`` is given
        and the filenames are others. Raises `ProjectNotFound`, `FileNotFound`.
        """
        return await self._change(deed, subject.project, lambda changes: changes.delete(subject, reason, expected))

    async def set_status(self, deed: Deed, project: NormalizedName, status: ProjectStatus | None) -> bool:
        """Say ``status`` of the project, None being active; return whether that is new. Raises `ProjectNotFound`."""
        return await self._change(deed, project, lambda changes: changes.set_status(project, status))

    async def release_name(self, deed: Deed, project: NormalizedName) -> None:
        """
        Forget the project, which has no files any more: its name is ours no longer.

        Raises `ProjectNotFound`, or `NameStillUsed` while it has files.
        """
        await self._change(deed, project, lambda changes: changes.release_name(project))

    async def _change(self, deed: Deed, project: NormalizedName, change: Callable[[HostedChanges], T]) -> T:
        async def changed() -> T:
            journal = self._journal
            outcome = await self._database.write(
                lambda connection: change(HostedChanges(connection, journal, deed)),
            )
            self._changes += 1
            self._pages.pop((deed.index, project), None)
            self._lists.changed(deed.index)
            return outcome

        return await shield(Deferred.fromCoroutine(changed()))


def _read_page(connection: Connection, index: IndexName, project: NormalizedName) -> ProjectPage | None:
    rows = connection.execute(_PROJECT_FILES, (index, project)).fetchall()
    return _page_of(rows) if rows else None


def _read_pages(connection: Connection, index: IndexName) -> list[ProjectPage]:
    rows = connection.execute(_ALL_FILES, (index,)).fetchall()
    return [_page_of(list(group)) for _, group in groupby(rows, key=itemgetter(0))]


def _read_files(connection: Connection, index: IndexName, project: NormalizedName) -> list[HostedFile]:
    return _files_of(connection.execute(_PROJECT_FILES, (index, project)).fetchall())


def _read_last_changes(connection: Connection, index: IndexName) -> list[Change]:
    return [
        Change(project=name, serial=serial, time=datetime.fromisoformat(changed_at))
        for name, serial, changed_at in connection.execute(_LAST_CHANGES, (index,))
    ]


def _page_of(rows: Sequence[tuple[Any, ...]]) -> ProjectPage:
    """Return the page of the one project that ``rows`` are of."""
    name, serial, status, reason = rows[0][: len(_PROJECT_COLUMNS)]
    files = tuple(file.described() for file in _files_of(rows))
    return ProjectPage(
        name=name,
        files=files,
        versions=versions_of(files),
        revision=f"serial-{serial}",
        serial=serial,
        status=None if status is None else ProjectStatus(Status(status), reason),
        attested=any(file.provenance is not None for file in files),
    )


def _files_of(rows: Sequence[tuple[Any, ...]]) -> list[HostedFile]:
    """Return the files of joined ``rows``; a project without any has one row that holds none."""
    columns = [row[len(_PROJECT_COLUMNS) :] for row in rows]
    return [HostedFile(**dict(zip(COLUMNS, values, strict=True))) for values in columns if values[1] is not None]
