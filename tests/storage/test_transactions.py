"""Reading and writing one SQLite database, from several threads and processes."""

from __future__ import annotations

import functools
import sqlite3
import subprocess
import sys
from threading import Event, Thread
from unittest.mock import patch

from twisted.internet.defer import Deferred

from pypid.domain.errors import StorageBusy
from pypid.storage.database import READERS
from tests.storage.case import ManualOffload
from tests.storage.databases import DatabaseCase, insert, names, one_row

_HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("INSERT INTO project (index_name, name, serial, changed_at) VALUES ('main', 'theirs', 1, '')")
print("held", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
"""


class WriteTests(DatabaseCase):
    def test_seen_by_readers(self) -> None:
        """What a write returned from is in every read that starts afterwards, whatever the connection."""
        database = self.opened()
        for number in range(READERS + 1):
            self.successResultOf(database.write(insert(f"p{number}")))
            self.assertEqual(len(self.successResultOf(database.read(names))), number + 1)

    def test_rolled_back(self) -> None:
        """A change that fails changes nothing, and the next one works."""
        database = self.opened()

        def half(connection: sqlite3.Connection) -> None:
            insert("half")(connection)
            raise KeyError("half")

        self.failureResultOf(database.write(half), KeyError)
        self.assertEqual(self.successResultOf(database.read(names)), [])
        self.successResultOf(database.write(insert("whole")))
        self.assertEqual(self.successResultOf(database.read(names)), ["whole"])

    def test_constraint(self) -> None:
        database = self.opened()
        self.successResultOf(database.write(insert("demo")))
        self.failureResultOf(database.write(insert("demo")), sqlite3.IntegrityError)
        self.successResultOf(database.write(insert("other")))

    def test_refused_commit(self) -> None:
        """A commit that fails (here for a reference to nothing) rolls back."""
        database = self.opened()

        def dangling(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            insert("demo")(connection)
            connection.execute(f"INSERT INTO file VALUES ('main', 'f', 'nobody'{', 1' * 16})")  # noqa: S608

        self.failureResultOf(database.write(dangling), sqlite3.IntegrityError)
        self.assertEqual(self.successResultOf(database.read(names)), [])
        self.successResultOf(database.write(insert("other")))

    def test_disk_full(self) -> None:
        """No room is told as what it is, and nothing is half written."""
        database = self.opened()

        def huge(connection: sqlite3.Connection) -> None:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
            insert("x" * 100_000)(connection)

        failure = self.failureResultOf(database.write(huge), OSError)
        self.assertEqual(failure.value.errno, 28)
        self.assertEqual(self.successResultOf(database.read(names)), [])

    def test_locked_from_the_start(self) -> None:
        """A change that first reads and then writes cannot be overtaken in between."""
        database = self.opened()
        refused: list[str] = []

        def change(connection: sqlite3.Connection) -> list[str]:
            present = names(connection)
            with self.assertRaises(sqlite3.OperationalError) as raised:
                self.other().execute("BEGIN IMMEDIATE")
            refused.append(str(raised.exception))
            insert("ours")(connection)
            return present

        self.assertEqual(self.successResultOf(database.write(change)), [])
        self.assertEqual(refused, ["database is locked"])
        self.other().execute("BEGIN IMMEDIATE").execute("ROLLBACK")

    def test_uncommitted_is_unseen(self) -> None:
        """A reader neither waits for a write under way nor sees it."""
        database = self.opened()

        def change(connection: sqlite3.Connection) -> list[str]:
            insert("demo")(connection)
            return self.successResultOf(database.read(names))

        self.assertEqual(self.successResultOf(database.write(change)), [])
        self.assertEqual(self.successResultOf(database.read(names)), ["demo"])


class OtherProcessTests(DatabaseCase):
    def holder(self) -> subprocess.Popen[str]:
        """Start a process that has the write lock until it reads a line."""
        process = subprocess.Popen(
            [sys.executable, "-c", _HOLDER, str(self.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "held\n")
        return process

    def test_waits(self) -> None:
        """A write waits for a backup or a shell that holds the lock, and builds on what that has written."""
        database = self.opened()
        holder = self.holder()
        waiting = Event()
        assert database._connection is not None
        database._connection.set_trace_callback(lambda _: waiting.set())
        outcome: list[list[str]] = []

        def change(connection: sqlite3.Connection) -> list[str]:
            insert("ours")(connection)
            return names(connection)

        thread = Thread(target=lambda: outcome.append(self.successResultOf(database.write(change))))
        thread.start()
        self.assertTrue(waiting.wait(30), "BEGIN IMMEDIATE has begun")
        self.assertEqual(outcome, [])
        self.assertEqual(self.successResultOf(database.read(names)), [], "readers never wait")
        holder.communicate("go\n", timeout=30)
        thread.join(30)
        self.assertEqual(outcome, [["ours", "theirs"]])

    def test_c25_not_for_ever(self) -> None:
        """A lock that is never released is an error, and no harm is left when it is released after all."""
        with patch("pypid.storage.database.BUSY_TIMEOUT_MS", 1):
            database = self.opened()
        self.assertEqual(self.result(database.write(functools.partial(one_row, "PRAGMA busy_timeout"))), (1,))
        holder = self.holder()
        failure = self.failureResultOf(database.write(insert("ours")), StorageBusy)
        self.assertEqual(str(failure.value), "hosted.db is in use by another program; ask again")
        holder.communicate("go\n", timeout=30)
        self.successResultOf(database.write(insert("ours")))
        self.assertEqual(self.successResultOf(database.read(names)), ["ours", "theirs"])


class ThreadTests(DatabaseCase):
    def test_readers_at_once(self) -> None:
        """As many reads as there are connections can be under way together, each with its own."""
        database = self.opened()
        together = [Event() for _ in range(READERS)]
        connections: set[int] = set()

        def question(connection: sqlite3.Connection, number: int) -> list[str]:
            connections.add(id(connection))
            together[number].set()
            for event in together:
                assert event.wait(30)
            return names(connection)

        results: list[list[str]] = []
        threads = [
            Thread(target=lambda n=n: results.append(database._read(lambda c: question(c, n)))) for n in range(READERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual((results, len(connections)), ([[]] * READERS, READERS))

    def test_failed_read(self) -> None:
        """A question that fails gives its connection back."""
        database = self.opened()
        for _ in range(READERS + 1):
            self.failureResultOf(database.read(lambda c: c.execute("SELECT nothing")), sqlite3.OperationalError)
        self.assertEqual(self.successResultOf(database.read(names)), [])

    def test_work_is_handed_on(self) -> None:
        """Nothing touches the disk on the caller's thread."""
        write, read = ManualOffload(), ManualOffload()
        database = self.opened(write=write, read=read)
        writing, reading = (
            Deferred.fromCoroutine(database.write(insert("demo"))),
            Deferred.fromCoroutine(database.read(names)),
        )
        self.assertNoResult(writing)
        self.assertNoResult(reading)
        self.assertEqual(self.other().execute("SELECT name FROM project").fetchall(), [])
        write.run()
        read.run()
        self.successResultOf(writing)
        self.assertEqual(self.successResultOf(reading), ["demo"])
