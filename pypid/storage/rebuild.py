"""hosted.db, made anew from the sidecars."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pypid.storage.audit import AuditLog
from pypid.storage.blobs import blob_path, sync_directory
from pypid.storage.database import migrate
from pypid.storage.hosted_file import HostedFile
from pypid.storage.hosted_rows import note_latest, put_file
from pypid.storage.sidecar_reading import ProjectRecords, read_sidecars

BESIDE = ("", "-wal", "-shm", "-journal")
"""What a database of SQLite consists of: it and the files beside it, which must never meet another database."""


@dataclass(slots=True)
class Rebuilt:
    """What has been found."""

    projects: int = 0
    files: int = 0
    deleted: int = 0
    rules: int = 0
    last_serial: int = 0
    unreadable: list[str] = field(default_factory=list)
    """Sidecars that could not be used, a line each."""
    lost: list[str] = field(default_factory=list)
    """Files whose bytes are gone, a line each; they are in the database all the same, so that nobody else's come."""
    undone: list[str] = field(default_factory=list)
    """Files left out, whose upload was never acknowledged."""


def rebuild_hosted(target: Path, *, records: Path, audit: AuditLog, blobs: Path) -> Rebuilt:
    """
    Write into ``target``, which must not be there, what the sidecars below ``records`` say.

    Raises `OSError`, `sqlite3.Error`.
    """
    rebuilt = Rebuilt(last_serial=max((event.serial for event in audit.since(0)), default=0))
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, "hosted")
        connection.execute("BEGIN")
        for project in read_sidecars(records):
            _count(rebuilt, project, blobs)
            _write(connection, project)
        # No serial is ever used twice.
        connection.execute("UPDATE counter SET last_serial = ?", (rebuilt.last_serial,))
        connection.execute("COMMIT")
    return rebuilt


def put_in_place(new: Path, database: Path, now: float) -> Path | None:
    """
    Have ``new`` be the ``database``, durably; return where the old one is from now on, if there was one.

    Where it is interrupted there is no ``database``, or the new one: never
    one with the other's files beside it.
    """
    descriptor = os.open(new, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    aside = _unused(database, now)
    moved = [_move(database, aside, suffix) for suffix in BESIDE]
    sync_directory(database.parent)
    new.replace(database)
    sync_directory(database.parent)
    return aside if any(moved) else None


def _unused(database: Path, now: float) -> Path:
    """Return a path that nothing has, nor anything that would be beside it."""
    name = f"{database.name}.before-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}"
    number = 0
    while any(database.parent.glob(f"{name}{f'.{number}' if number else ''}*")):
        number += 1
    return database.with_name(f"{name}{f'.{number}' if number else ''}")


def _move(database: Path, aside: Path, suffix: str) -> bool:
    try:
        database.with_name(database.name + suffix).rename(aside.with_name(aside.name + suffix))
    except FileNotFoundError:
        return False
    return True


def _count(rebuilt: Rebuilt, project: ProjectRecords, blobs: Path) -> None:
    rebuilt.projects += project.is_ours
    rebuilt.files += len(project.files)
    rebuilt.deleted += len(project.tombstones)
    rebuilt.rules += len(project.rules)
    rebuilt.last_serial = max(rebuilt.last_serial, project.last_serial)
    rebuilt.unreadable += project.unreadable
    rebuilt.undone += [f"{filename} of {project.index}" for filename in project.undone]
    for file in project.files:
        if missing := [sha256 for sha256 in file.blobs if not _is_there(file, sha256, blobs)]:
            rebuilt.lost.append(f"{file.filename} of {project.index}: {', '.join(missing)}")


def _is_there(file: HostedFile, sha256: str, blobs: Path) -> bool:
    path = blob_path(blobs, sha256)
    return path.is_file() and (sha256 != file.sha256 or path.stat().st_size == file.size)


def _write(connection: sqlite3.Connection, project: ProjectRecords) -> None:
    index, name = project.index, project.project
    if project.is_ours:
        serial, changed_at = project.last_change
        status = project.status
        _insert(
            connection,
            "project",
            index_name=index,
            name=name,
            serial=serial,
            changed_at=changed_at,
            status=None if status is None else status.status.value,
            status_reason=None if status is None else status.reason,
        )
    for file in project.files:
        put_file(connection, file)
    note_latest(connection, index, name)
    for gone in project.tombstones:
        _insert(connection, "tombstone", **asdict(gone))
    for rule in project.rules:
        _insert(connection, "overlay", index_name=index, project=name, **asdict(rule))


def _insert(connection: sqlite3.Connection, table: str, **values: object) -> None:
    marks = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608
