"""Counting downloads: at once in memory, now and then on the disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import LogLevel, capturedLogs

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.watch import Watch
from pypid.indexes import download_counts
from pypid.indexes.download_counts import DownloadCounts
from pypid.storage.database import Database
from pypid.storage.download_records import DownloadRecords
from tests.indexes.stores import Disk
from tests.storage.case import StorageCase

DAY = 86400
MAIN, DEMO = IndexName("main"), NormalizedName("demo")
WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"
START = date(2026, 11, 21)


class DownloadCountsTests(StorageCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = 20_778.0 * DAY + 3600
        self.writer = Disk()
        database = Database(self.directory / "counts.db", "counts", durability="NORMAL", write=self.writer, read=Disk())
        database.open()
        self.addCleanup(database.close)
        self.records = DownloadRecords(database)
        self.counts = DownloadCounts(self.records, keep_days=400, now=lambda: self.now)

    def note(self, filename: str = WHEEL, times: int = 1) -> None:
        for _ in range(times):
            self.counts.note(MAIN, DEMO, filename)

    def recorded(self, filename: str = WHEEL) -> int:
        """Return the total on the disk."""
        found = self.result(self.records.of_project(MAIN, DEMO))
        return found[filename].total if filename in found else 0

    def test_counts_wait_in_memory_until_they_are_recorded(self) -> None:
        self.note(times=3)
        self.assertEqual(self.recorded(), 0)
        self.result(self.counts.record())
        self.assertEqual(self.recorded(), 3)
        self.result(self.counts.record())
        self.assertEqual(self.recorded(), 3)

    def test_who_asks_is_told_what_was_counted_a_moment_ago(self) -> None:
        self.note()
        self.assertEqual(self.result(self.counts.of_project(MAIN, DEMO))[WHEEL].days, {START: 1})
        self.note(SDIST)
        self.assertEqual(set(self.result(self.counts.last_days(MAIN))), {(DEMO, WHEEL), (DEMO, SDIST)})

    def test_days_are_those_of_utc(self) -> None:
        self.now = 20_779.0 * DAY - 1
        self.note()
        self.now += 1
        self.note(times=2)
        self.assertEqual(self.result(self.counts.of_project(MAIN, DEMO))[WHEEL].days, {START: 1, date(2026, 11, 22): 2})

    def test_some_days_alone(self) -> None:
        for _ in range(2):
            self.note()
            self.now += DAY
        self.note(SDIST)
        files = self.result(self.counts.of_project(MAIN, DEMO, last_day=date(2026, 11, 22)))
        self.assertEqual({name: each.total for name, each in files.items()}, {WHEEL: 2})
        files = self.result(self.counts.of_project(MAIN, DEMO, first_day=date(2026, 11, 22)))
        self.assertEqual({name: each.total for name, each in files.items()}, {WHEEL: 1, SDIST: 1})

    def test_only_the_last_days_are_kept_one_by_one(self) -> None:
        self.counts.keep_days = 2
        for _ in range(5):
            self.note()
            self.result(self.counts.record())
            self.now += DAY
        found = self.result(self.counts.of_project(MAIN, DEMO))[WHEEL]
        self.assertEqual((len(found.days), found.total), (2, 5))

    def alter(self, statement: str) -> None:
        with closing(sqlite3.connect(self.directory / "counts.db")) as connection:
            connection.execute(statement)

    def test_nothing_is_lost_while_it_cannot_be_written(self) -> None:
        self.note(times=2)
        self.alter("CREATE TRIGGER no BEFORE INSERT ON download BEGIN SELECT raise(ABORT, 'no'); END")
        self.failureResultOf(self.counts.record(), sqlite3.Error)
        self.note()
        with capturedLogs() as events:
            self.assertEqual(self.result(self.counts.of_project(MAIN, DEMO)), {})
        self.assertEqual([event["log_level"] for event in events], [LogLevel.warn])
        self.alter("DROP TRIGGER no")
        self.result(self.counts.record())
        self.assertEqual(self.recorded(), 3)

    def test_who_goes_away_meanwhile_has_nothing_counted_twice(self) -> None:
        self.note()
        self.writer.held = "_write"
        asking = self.counts.of_project(MAIN, DEMO)
        waiting = Deferred.fromCoroutine(asking)
        self.note()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.writer.release()
        self.result(self.counts.record())
        self.assertEqual(self.recorded(), 2)

    def test_memory_is_bounded(self) -> None:
        for number in range(download_counts.MOST_WAITING + 5):
            self.note(f"demo-{number}.tar.gz")
        self.note("demo-0.tar.gz")
        with capturedLogs() as events:
            self.result(self.counts.record())
        self.assertEqual([(event["log_level"], event["count"]) for event in events], [(LogLevel.warn, 5)])
        self.assertEqual(self.recorded("demo-0.tar.gz"), 2)
        self.assertEqual(self.recorded(f"demo-{download_counts.MOST_WAITING}.tar.gz"), 0)
        self.note(f"demo-{download_counts.MOST_WAITING}.tar.gz")
        self.result(self.counts.stop())
        self.assertEqual(self.recorded(f"demo-{download_counts.MOST_WAITING}.tar.gz"), 1)

    def test_counting_goes_on_also_when_nobody_downloads(self) -> None:
        for _ in range(3):
            self.result(self.counts.record())
            self.now += DAY
        self.assertEqual(self.result(self.records.watch()), Watch(START, date(2026, 11, 23)))
        self.assertEqual(self.result(self.counts.watch()), Watch(START, date(2026, 11, 24)))
