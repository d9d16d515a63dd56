"""One SQLite database: one writer at a time, readers that never wait for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeVar

from pypid.offload import Offload
from pypid.storage.group_commit import Companion, GroupCommit, Pending

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000
"""What a writer waits for another process (a backup, the sqlite3 shell) that holds the lock."""

READERS = 4
"""Connections for reading, opened at the start so that a load opens no more files: as many as ever read at once."""

Durability = Literal["FULL", "NORMAL"]
"""SQLite's ``synchronous``: a power cut undoes nothing that was committed, or the last commits."""


class SchemaTooNew(Exception):
    """A newer pypid wrote this database; using it with this one could destroy what it holds."""


class Database:
    """
    Run functions over a connection, each in one transaction, on the threads given.

    ``write`` must be an `Offload` of one thread: SQLite has one writer;
    ``read`` one of at most `READERS`.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        durability: Durability,
        write: Offload,
        read: Offload,
        companion: Companion | None = None,
        unsynced: Callable[[BaseException], object] | None = None,
    ) -> None:
        """
        ``companion``: files that change with it.

        ``unsynced``: called, on the writer's thread, when nobody can tell
        whether the disk has the last commit. It should end the process.
        """
        self._companion = companion
        self._unsynced = unsynced
        self._path = path
        self._schema = schema
        self._durability = durability
        self._offload_write = write
        self._offload_read = read
        self._connection: sqlite3.Connection | None = None
        self._writer: GroupCommit | None = None
        self._idle: list[sqlite3.Connection] = []
        self._lock = Lock()

    def open(self, first: Callable[[sqlite3.Connection], object] | None = None) -> None:
        """
        Open the file, making it or bringing its schema up to date, and make the ``first`` change.

        Raises `SchemaTooNew`, or `sqlite3.DatabaseError` when the file is
        damaged, or as `write` does; it is closed then.
        """
        writer = self._connected()
        try:
            _write_anew(writer)
            migrate(writer, self._schema)
        except BaseException:
            writer.close()
            raise
        self._connection, self._writer = writer, GroupCommit(writer, self._path, self._companion, self._unsynced)
        self._idle = [self._connected() for _ in range(READERS)]
        if first is not None:
            try:
                self._writer.run(self._writer.enter(first))
            except BaseException:
                self.close()
                raise

    def is_missing(self) -> bool:
        """Return whether nothing was ever written to it, or that is lost."""
        try:
            return self._path.stat().st_size == 0
        except FileNotFoundError:
            return True

    def move_aside(self, suffix: str) -> Path:
        """Rename the file that could not be opened, and return its new path."""
        aside = self._path.with_name(f"{self._path.name}.{suffix}")
        self._path.replace(aside)
        for companion in ("-wal", "-shm"):
            self._path.with_name(self._path.name + companion).unlink(missing_ok=True)
        return aside

    def close(self) -> None:
        """Close every connection. Call it when the threads have stopped."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        if self._connection is not None:
            self._connection.close()
        self._connection = self._writer = None

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """
        Call ``change`` in a transaction, with others that wait; it is committed, durably, when this returns.

        When it raises, it alone is undone. Raises `OSError` (ENOSPC) when
        there is no room for it on the disk, `StorageBusy` when another process
        has kept the lock for `BUSY_TIMEOUT_MS`.
        """
        writer = self._writer
        if writer is None:
            raise RuntimeError(f"{self._path.name} is not open")
        outcome: T = await self._offload_write(self._write, writer, writer.enter(change))
        return outcome

    @staticmethod
    def _write(writer: GroupCommit, pending: Pending) -> Any:
        return writer.run(pending)

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Call ``question``, one SELECT, over a connection that sees everything committed so far."""
        return await self._offload_read(self._read, question)

    def _read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        with self._lock:
            if not self._idle:
                raise RuntimeError(f"{self._path.name} is not open, or more than {READERS} threads read it")
            connection = self._idle.pop()
        try:
            return question(connection)
        finally:
            with self._lock:
                self._idle.append(connection)

    def _connected(self) -> sqlite3.Connection:
        # Each connection is used by one thread at a time, not always by the same one.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            _configure(connection, self._durability)
        except BaseException:
            connection.close()
            raise
        return connection


def _write_anew(connection: sqlite3.Connection) -> None:
    """
    Copy what the WAL has into the database, synced.

    The end of the WAL may be a commit that could not be synced, which only the
    kernel's memory has: what is committed after it would go with it.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    except sqlite3.OperationalError as e:
        if e.sqlite_errorcode != sqlite3.SQLITE_FULL:  # with which one can start, and make room
            raise


def _configure(connection: sqlite3.Connection, durability: Durability) -> None:
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        f"synchronous = {durability}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "cell_size_check = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def check_sound(connection: sqlite3.Connection) -> None:
    """Read the whole database; a gigabyte takes seconds. Raises `sqlite3.DatabaseError` if it is damaged."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)


def migrate(connection: sqlite3.Connection, schema: str) -> None:
    """Apply, each in one transaction, the numbered files of ``schema`` that it has not seen. Raises `SchemaTooNew`."""
    steps = sorted(
        (int(step.name.removeprefix(f"{schema}-").removesuffix(".sql")), step.read_text("utf-8"))
        for step in files("pypid.storage.schema").iterdir()
        if step.name.startswith(f"{schema}-")
    )
    with closing(connection.execute("PRAGMA user_version")) as cursor:
        (version,) = cursor.fetchone()
    if version > steps[-1][0]:
        raise SchemaTooNew(f"{schema}.db has schema {version}; this pypid knows {steps[-1][0]}: run the newer pypid")
    for number, script in steps:
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
