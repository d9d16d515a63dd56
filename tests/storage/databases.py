"""A database with the schema of hosted.db, and statements to try it with."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from pypid.offload import inline
from pypid.storage.database import Database
from tests.storage.case import StorageCase


def insert(name: str) -> Callable[[sqlite3.Connection], None]:
    def change(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO project (index_name, name, serial, changed_at) VALUES ('main', ?, 1, '')", (name,)
        )

    return change


def one_row(statement: str, connection: sqlite3.Connection) -> object:
    return connection.execute(statement).fetchone()


def names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM project ORDER BY name").fetchall()]


def table(name: str) -> Callable[[sqlite3.Connection], list[tuple[Any, ...]]]:
    """Return a question for all that is in the table."""
    return lambda connection: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)  # noqa: S608


class DatabaseCase(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.directory / "hosted.db"

    def opened(self, **kwargs: Any) -> Database:
        database = self.made(**kwargs)
        database.open()
        return database

    def made(self, schema: str = "hosted", **kwargs: Any) -> Database:
        arguments: dict[str, Any] = {"durability": "FULL", "write": inline, "read": inline}
        database = Database(self.path, schema, **arguments | kwargs)
        self.addCleanup(database.close)
        return database

    def other(self) -> sqlite3.Connection:
        """Return a connection as another program has it, that does not wait for locks."""
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=0)
        self.addCleanup(connection.close)
        return connection
