"""Many changes, one transaction: what waits while one is being committed goes into the next one together."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pypid.domain.errors import StorageBusy
from pypid.failpoints import Failpoint, reached

MOST_AT_ONCE = 100
"""Changes of one transaction: what a release of a large project uploads at once. More would keep the first waiting."""

UNSYNCED = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})
"""
What SQLite says when a commit could not be synced.

The kernel may have dropped what it could not write, and a sync that is tried
again would succeed: see PostgreSQL's "fsyncgate" of 2018.
"""

_PRIMARY = 0xFF
"""The part of SQLite's result code that says what; the rest says where."""


class Companion(Protocol):
    """
    Files that change together with a database, called on its writer's thread.

    What a change notes is written before the commit, so that no commit is
    without it, and is taken back when there is none.
    """

    def mark(self) -> int:
        """Return how much has been noted so far."""
        ...

    def forget(self, mark: int) -> None:
        """Drop what was noted since ``mark``: its change has failed."""
        ...

    def write(self) -> None:
        """Put what was noted on the disk. Raises `OSError`; `take_back` follows then."""
        ...

    def committed(self) -> None: ...

    def take_back(self) -> None:
        """Put everything back as it was before `write`, if that was called, and drop all that was noted."""
        ...


class Pending:
    """One change, and what came of it."""

    def __init__(self, change: Callable[[sqlite3.Connection], Any]) -> None:
        self.change = change
        self._outcome: Any = None
        self._error: BaseException | None = None
        self._done = False

    @property
    def is_done(self) -> bool:
        return self._done

    @property
    def has_failed(self) -> bool:
        return self._error is not None

    def succeed(self, outcome: object) -> None:
        self._outcome, self._done = outcome, True

    def fail(self, error: BaseException) -> None:
        """Have it end so; if it has not begun yet, it never will."""
        self._error, self._done = error, True

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._outcome


class GroupCommit:
    """The writer of one database. Everything but `enter` is called on its one thread."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        companion: Companion | None,
        unsynced: Callable[[BaseException], object] | None = None,
    ) -> None:
        """``unsynced``: called when nobody can tell whether the disk has the last commit."""
        self._connection = connection
        self._path = path
        self._companion = companion
        self._unsynced = unsynced
        self._waiting: deque[Pending] = deque()

    def enter(self, change: Callable[[sqlite3.Connection], Any]) -> Pending:
        """Queue ``change``; call `run` with what this returns. From any thread."""
        pending = Pending(change)
        self._waiting.append(pending)
        return pending

    def run(self, pending: Pending) -> Any:
        """Return what came of ``pending``, whose transaction may have been that of another one's `run`."""
        while not pending.is_done:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
            self._commit([each for each in group if not each.is_done])
        return pending.result()

    def _commit(self, group: Sequence[Pending]) -> None:
        connection = self._connection
        try:
            # IMMEDIATE: a transaction that first reads and then writes would fail at once, whatever
            # the busy time-out, when another process has committed in between.
            connection.execute("BEGIN IMMEDIATE")
            for pending in group:
                self._apply(pending)
            self._finish()
        except BaseException as e:  # noqa: BLE001  (it is everybody's)
            if self._unsynced is not None and getattr(e, "sqlite_errorcode", None) in UNSYNCED:
                self._unsynced(e)
            error = self._told(e)
            for pending in group:
                if not pending.has_failed:
                    pending.fail(error)
            self._undo()
        else:
            self._settle()

    def _apply(self, pending: Pending) -> None:
        """Make one change, or none of it."""
        connection, companion = self._connection, self._companion
        mark = 0 if companion is None else companion.mark()
        connection.execute("SAVEPOINT change")
        try:
            pending.succeed(pending.change(connection))
        except Exception as e:
            if companion is not None:
                companion.forget(mark)
            if not connection.in_transaction:
                raise  # SQLite has rolled back everything, as it does on a full disk
            connection.execute("ROLLBACK TO change")
            pending.fail(self._told(e))
        connection.execute("RELEASE change")

    def _finish(self) -> None:
        companion = self._companion
        if companion is not None:
            companion.write()
            reached(Failpoint.DB_BEFORE_COMMIT)
        self._connection.execute("COMMIT")

    def _settle(self) -> None:
        """From here on nothing is taken back, whatever goes wrong."""
        if self._companion is not None:
            try:
                reached(Failpoint.DB_COMMITTED)
            finally:
                self._companion.committed()

    def _undo(self) -> None:
        """Leave nothing of the group, neither in the database nor for the next group's companion."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        finally:
            if self._companion is not None:
                self._companion.take_back()

    def _told(self, error: BaseException) -> BaseException:
        """Return ``error`` as callers know it."""
        told: BaseException = error
        if isinstance(error, sqlite3.OperationalError):
            match error.sqlite_errorcode & _PRIMARY:
                case sqlite3.SQLITE_FULL:
                    told = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
                case sqlite3.SQLITE_IOERR:
                    told = OSError(errno.EIO, os.strerror(errno.EIO), str(self._path))
                case sqlite3.SQLITE_BUSY:
                    told = StorageBusy(f"{self._path.name} is in use by another program; ask again")
        if told is not error:
            told.__cause__ = error
        return told
