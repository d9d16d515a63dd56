"""Opening one SQLite database, whatever is there."""

from __future__ import annotations

import functools
import sqlite3

from pypid.storage.database import SchemaTooNew
from tests.storage.databases import DatabaseCase, insert, names, one_row


class OpenTests(DatabaseCase):
    def test_from_nothing(self) -> None:
        """A new data directory gets each database with its newest schema."""
        for schema, tables in (
            ("hosted", {"counter", "project", "file", "tombstone", "overlay"}),
            (
                "cache",
                {
                    "page",
                    "file",
                    "quarantine",
                    "feed",
                    "learned_digest",
                    "told_time",
                    "found_metadata",
                    "last_use",
                    "loose_file",
                },
            ),
        ):
            self.path = self.directory / f"{schema}.db"
            self.opened(schema=schema)
            rows = self.other().execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            self.assertEqual({name for (name,) in rows}, tables)
            (version,) = self.other().execute("PRAGMA user_version").fetchone()
            self.assertGreaterEqual(version, 1)

    def test_again(self) -> None:
        """What was written is there after a restart."""
        database = self.opened()
        self.successResultOf(database.write(insert("demo")))
        database.close()
        self.assertEqual(self.successResultOf(self.opened().read(names)), ["demo"])

    def test_too_new(self) -> None:
        """A database of a newer pypid is named as such, and left as it is."""
        self.opened().close()
        self.other().execute("PRAGMA user_version = 1000")
        with self.assertRaisesRegex(SchemaTooNew, "has schema 1000.*run the newer pypid"):
            self.made().open()
        self.assertEqual(self.other().execute("PRAGMA user_version").fetchone(), (1000,))

    def test_damaged(self) -> None:
        """What is no database is an error at the start, and can be moved aside with its companions."""
        self.path.write_bytes(b"no database" * 1000)
        database = self.made()
        with self.assertRaises(sqlite3.DatabaseError):
            database.open()
        (self.directory / "hosted.db-wal").write_bytes(b"")
        (self.directory / "hosted.db-shm").write_bytes(b"")
        self.assertEqual(database.move_aside("damaged"), self.directory / "hosted.db.damaged")
        self.assertEqual(self.files(), ["hosted.db.damaged"])
        database.open()
        self.assertEqual(self.successResultOf(database.read(names)), [])

    def test_migration_is_whole_or_not_at_all(self) -> None:
        """A step that fails half-way leaves the schema as it was, so that the next start can try again."""
        self.other().execute("CREATE TABLE file (unexpected)")
        with self.assertRaises(sqlite3.OperationalError):
            self.made().open()
        rows = self.other().execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        self.assertEqual(rows, [("file",)], "not project, which was made before the failure")
        self.assertEqual(self.other().execute("PRAGMA user_version").fetchone(), (0,))
        self.other().execute("DROP TABLE file")
        self.opened()

    def test_pragmas(self) -> None:
        """Every connection waits for locks, checks references and syncs as it was told to."""
        for durability, synchronous in (("FULL", 2), ("NORMAL", 1)):
            database = self.opened(durability=durability)
            for pragma, expected in (("synchronous", synchronous), ("journal_mode", "wal"), ("foreign_keys", 1)):
                ask = functools.partial(one_row, f"PRAGMA {pragma}")
                self.assertEqual(self.result(database.read(ask)), (expected,), pragma)
                self.assertEqual(self.result(database.write(ask)), (expected,), pragma)
            database.close()

    def test_not_open(self) -> None:
        database = self.made()
        for ask in (database.read, database.write):
            self.failureResultOf(ask(names), RuntimeError)
        database.open()
        database.close()
        database.close()
        for ask in (database.read, database.write):
            self.failureResultOf(ask(names), RuntimeError)
