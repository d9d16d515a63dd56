"""One SQLite database: one writer at a time, readers that never wait for it."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Literal, TypeVar

from pypid.offload import Offload

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

    def __init__(self, path: Path, schema: str, *, durability: Durability, write: Offload, read: Offload) -> None:
        self._path = path
        self._schema = schema
        self._durability = durability
        self._offload_write = write
        self._offload_read = read
        self._writer: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        self._lock = Lock()

    def open(self) -> None:
        """
        Open the file, making it or bringing its schema up to date.

        Raises `SchemaTooNew`, or `sqlite3.DatabaseError` when the file is damaged.
        """
        writer = self._connected()
        try:
            _migrate(writer, self._schema)
        except BaseException:
            writer.close()
            raise
        self._writer = writer
        self._idle = [self._connected() for _ in range(READERS)]

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
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """
        Call ``change`` in a transaction of its own; it is committed, durably, when this returns.

        Raises `OSError` (ENOSPC) when there is no room for it on the disk.
        """
        return await self._offload_write(self._write, change)

    async def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Call ``question``, one SELECT, over a connection that sees everything committed so far."""
        return await self._offload_read(self._read, question)

    def _write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._writer
        if connection is None:
            raise RuntimeError(f"{self._path.name} is not open")
        # IMMEDIATE: a transaction that first reads and then writes would fail at once, whatever
        # the busy time-out, when another process has committed in between.
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcome = change(connection)
            connection.execute("COMMIT")
        except BaseException as e:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if isinstance(e, sqlite3.OperationalError) and e.sqlite_errorcode == sqlite3.SQLITE_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path)) from e
            raise
        return outcome

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


def _migrate(connection: sqlite3.Connection, schema: str) -> None:
    """Apply, each in one transaction, the numbered files of ``schema`` that the database has not seen."""
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
