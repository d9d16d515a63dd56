"""The releases of hosted indexes, by their files: the SQL of hosted.db for retention."""

from __future__ import annotations

from datetime import datetime
from sqlite3 import Connection
from typing import NamedTuple

from packaging.version import Version

from pypid.domain.names import IndexName, NormalizedName

_UPLOADS = "SELECT project, version, filename, uploaded_at, yanked IS NOT NULL FROM file WHERE index_name = ?"


class UploadedFile(NamedTuple):
    """A file that is published."""

    project: NormalizedName
    version: Version
    filename: str
    uploaded_at: float
    """Seconds since 1970."""
    yanked: bool


def read_uploads(connection: Connection, index: IndexName, project: NormalizedName | None = None) -> list[UploadedFile]:
    """Return the files of ``index``, or of one project of it, those of a project together."""
    if project is None:
        rows = connection.execute(f"{_UPLOADS} ORDER BY project", (index,))
    else:
        rows = connection.execute(f"{_UPLOADS} AND project = ?", (index, project))
    return [
        UploadedFile(project, Version(version), filename, datetime.fromisoformat(uploaded_at).timestamp(), bool(yanked))
        for project, version, filename, uploaded_at, yanked in rows
    ]
