"""Changes that wait for the writer at the same time: one transaction, and each made or not by itself."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from pypid.domain.errors import StorageBusy
from pypid.failpoints import Failpoint, arm
from pypid.storage.database import Database
from pypid.storage.group_commit import MOST_AT_ONCE
from tests.domain.strategies import patient
from tests.storage.case import ManualOffload
from tests.storage.databases import DatabaseCase, insert, names


class Notebook:
    """A `Companion` that keeps lines; the pages of a real one are files."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        """What is on the disk."""
        self.refuses = False
        self.steps: list[str] = []
        self._noted: list[str] = []
        self._before: list[str] | None = None

    def note(self, line: str) -> None:
        self._noted.append(line)

    def mark(self) -> int:
        return len(self._noted)

    def forget(self, mark: int) -> None:
        del self._noted[mark:]

    def write(self) -> None:
        self._before = list(self.lines)
        self.lines += self._noted
        self.steps.append("write")
        if self.refuses:
            raise OSError(errno.EIO, "no disk")

    def committed(self) -> None:
        self.steps.append("committed")
        self._noted.clear()
        self._before = None

    def take_back(self) -> None:
        self.steps.append("take back")
        self._noted.clear()
        if self._before is not None:
            self.lines = self._before
            self._before = None


class GroupCase(DatabaseCase):
    def setUp(self) -> None:
        super().setUp()
        self.notebook = Notebook()
        self.write = ManualOffload()
        self.database = self.opened(write=self.write, companion=self.notebook)
        assert self.database._connection is not None
        self.traced: list[str] = []
        self.database._connection.set_trace_callback(self.traced.append)

    def enter(self, *changes: Callable[[sqlite3.Connection], Any]) -> list[Deferred[Any]]:
        return [Deferred.fromCoroutine(self.database.write(change)) for change in changes]

    def noted(self, name: str) -> Callable[[sqlite3.Connection], str]:
        """Return a change that inserts ``name``, and notes that."""

        def change(connection: sqlite3.Connection) -> str:
            self.notebook.note(name)
            insert(name)(connection)
            return name

        return change

    def failing(self, name: str) -> Callable[[sqlite3.Connection], None]:
        """Return a change that fails having done everything."""

        def change(connection: sqlite3.Connection) -> None:
            self.noted(name)(connection)
            raise KeyError(name)

        return change

    def kept(self) -> tuple[Sequence[str], Sequence[str]]:
        """Return what is in the database, and in the notebook."""
        return self.result(self.database.read(names)), self.notebook.lines

    def commits(self) -> int:
        return self.traced.count("COMMIT")


class GroupTests(GroupCase):
    def test_what_waits_is_committed_together_in_order(self) -> None:
        waiting = self.enter(*(self.noted(f"p{number}") for number in range(9)))
        self.write.run()
        self.assertEqual([self.successResultOf(done) for done in waiting], [f"p{number}" for number in range(9)])
        self.assertEqual(self.commits(), 1)
        self.assertEqual(self.kept(), ([f"p{number}" for number in range(9)],) * 2)

    def test_no_transaction_grows_for_ever(self) -> None:
        waiting = self.enter(*(self.noted(f"{number:04}") for number in range(2 * MOST_AT_ONCE + 1)))
        self.write.run()
        for done in waiting:
            self.successResultOf(done)
        self.assertEqual(self.commits(), 3)

    def test_what_comes_later_has_a_transaction_of_its_own(self) -> None:
        first = self.enter(self.noted("a"))
        self.write.run()
        second = self.enter(self.noted("b"))
        self.write.run()
        self.assertEqual([self.successResultOf(done) for done in first + second], ["a", "b"])
        self.assertEqual(self.commits(), 2)

    def test_one_that_fails_fails_alone_and_leaves_nothing(self) -> None:
        first, second, third = self.enter(self.noted("a"), self.failing("b"), self.noted("c"))
        self.write.run()
        self.successResultOf(first)
        self.failureResultOf(second, KeyError)
        self.successResultOf(third)
        self.assertEqual(self.kept(), (["a", "c"], ["a", "c"]))
        self.assertEqual(self.commits(), 1)

    @patient
    @given(st.lists(st.booleans(), min_size=1, max_size=2 * MOST_AT_ONCE))
    def test_any_of_them_may_fail(self, good: list[bool]) -> None:
        self.result_of_all("DELETE FROM project")
        self.notebook.lines.clear()
        changes = [self.noted(f"{n:04}") if is_good else self.failing(f"{n:04}") for n, is_good in enumerate(good)]
        waiting = self.enter(*changes)
        self.write.run()
        for done, is_good in zip(waiting, good, strict=True):
            if is_good:
                self.successResultOf(done)
            else:
                self.failureResultOf(done, KeyError)
        expected = [f"{n:04}" for n, is_good in enumerate(good) if is_good]
        self.assertEqual(self.kept(), (expected, expected))

    def result_of_all(self, statement: str) -> None:
        (done,) = self.enter(lambda connection: connection.execute(statement))
        self.write.run()
        self.successResultOf(done)


class RefusedTests(GroupCase):
    """The commit of them all fails: all are told, and nothing of them is left, here or there."""

    def refused(self, why: type[Exception]) -> None:
        """Commit two changes, which fails for ``why``; the next one succeeds, and has nothing of theirs."""
        waiting = self.enter(self.noted("a"), self.noted("b"))
        self.write.run()
        for done in waiting:
            self.failureResultOf(done, why)
        self.assertEqual(self.kept(), ([], []))

    def check_goes_on(self) -> None:
        (done,) = self.enter(self.noted("later"))
        self.write.run()
        self.successResultOf(done)
        self.assertEqual(self.kept(), (["later"], ["later"]))

    def test_by_the_companion(self) -> None:
        self.notebook.refuses = True
        self.refused(OSError)
        self.assertEqual(self.commits(), 0, "not before the companion has written")
        self.notebook.refuses = False
        self.check_goes_on()

    def test_nothing_is_taken_back_once_it_is_committed(self) -> None:
        self.addCleanup(arm, "")
        arm(f"{Failpoint.DB_COMMITTED}=raise:EIO")
        (done,) = self.enter(self.noted("a"))
        self.write.run()
        self.failureResultOf(done, OSError)
        arm("")
        self.assertEqual(self.kept(), (["a"], ["a"]))
        self.assertEqual(self.notebook.steps, ["write", "committed"])

    def test_by_the_database_when_it_commits(self) -> None:
        """Here for a reference to nothing."""

        def dangling(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA defer_foreign_keys = ON")
            connection.execute(f"INSERT INTO file VALUES ('main', 'f', 'nobody'{', 1' * 16})")  # noqa: S608

        waiting = self.enter(self.noted("a"), dangling, self.noted("b"))
        self.write.run()
        for done in waiting:
            self.failureResultOf(done, sqlite3.IntegrityError)
        self.assertEqual(self.notebook.steps, ["write", "take back"])
        self.assertEqual(self.kept(), ([], []))
        self.check_goes_on()

    def test_by_a_full_disk_in_the_middle(self) -> None:
        """SQLite then rolls back on its own what came before, which must be told, and must not be written later."""

        def huge(connection: sqlite3.Connection) -> None:
            self.notebook.note("huge")
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
            try:
                insert("x" * 100_000)(connection)
            finally:
                connection.execute(f"PRAGMA max_page_count = {2**30}")

        waiting = self.enter(self.noted("a"), huge, self.noted("c"))
        self.write.run()
        for done in waiting:
            self.assertEqual(self.failureResultOf(done, OSError).value.errno, errno.ENOSPC)
        self.assertEqual(self.kept(), ([], []))
        self.check_goes_on()

    def test_c25_by_another_program_that_has_the_lock(self) -> None:
        self.result_of_pragma("busy_timeout = 1")
        other = self.other()
        other.execute("BEGIN IMMEDIATE")
        self.refused(StorageBusy)
        other.execute("ROLLBACK")
        self.check_goes_on()

    def result_of_pragma(self, pragma: str) -> None:
        assert self.database._connection is not None
        self.database._connection.execute(f"PRAGMA {pragma}")

    def test_one_that_was_given_up_is_not_made_by_the_next(self) -> None:
        """As when the writer's thread could not be had."""
        assert self.database._writer is not None
        given_up = self.database._writer.enter(self.noted("a"))
        given_up.fail(OSError(errno.EAGAIN, "no thread"))
        self.check_goes_on()


class WithoutCompanionTests(DatabaseCase):
    def test_same_without_a_companion(self) -> None:
        write = ManualOffload()
        database: Database = self.opened(write=write)
        waiting = [Deferred.fromCoroutine(database.write(insert(name))) for name in ("a", "b", "a")]
        write.run()
        self.successResultOf(waiting[0])
        self.successResultOf(waiting[1])
        self.failureResultOf(waiting[2], sqlite3.IntegrityError)
        self.assertEqual(self.result(database.read(names)), ["a", "b"])
