"""Sidecars that are made to say again what hosted.db does."""

from __future__ import annotations

from sqlite3 import Connection

from pypid.domain.names import IndexName, NormalizedName
from pypid.storage.hosted_rows import find_file
from pypid.storage.journal import Journal
from pypid.storage.sidecars import PROJECT

PROJECT_COLUMNS = ("serial", "changed_at", "status", "status_reason")
"""Of a project, what its sidecar has: the rest is made from its files."""


def restore_file(
    connection: Connection, journal: Journal, index: IndexName, project: NormalizedName, filename: str
) -> None:
    """Have the file's sidecar, if there is one, say what its row does, or its tombstone, or that there is neither."""
    file = find_file(connection, index, filename)
    if file is not None:
        journal.changed(file)
        return
    statement = "SELECT sha256, serial, deleted_at, deleted_by FROM tombstone WHERE index_name = ? AND filename = ?"
    row = connection.execute(statement, (index, filename)).fetchone()
    if row is None:
        journal.amend(index, project, filename, {"undone": True})
    else:
        sha256, serial, deleted_at, deleted_by = row
        gone = {"sha256": sha256, "serial": serial, "changed_at": deleted_at}
        journal.amend(index, project, filename, gone | {"deleted_at": deleted_at, "deleted_by": deleted_by})


def restore_project(connection: Connection, journal: Journal, index: IndexName, project: NormalizedName) -> None:
    """Have the project's own sidecar say what its row does, if there is one."""
    statement = f"SELECT {', '.join(PROJECT_COLUMNS)} FROM project WHERE index_name = ? AND name = ?"  # noqa: S608
    row = connection.execute(statement, (index, project)).fetchone()
    if row is not None:
        record = {"index_name": index, "project": project, **dict(zip(PROJECT_COLUMNS, row, strict=True))}
        journal.put(index, project, PROJECT, record)
