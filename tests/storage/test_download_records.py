"""The numbers of downloads on the disk: summed, kept small, and told."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import date, timedelta

from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.watch import Watch
from pypid.storage.download_records import Downloaded, DownloadRecords, day_number, day_of
from tests.storage.rows import DEMO, MAIN, OTHER, TWO, RecordsCase

DAY = timedelta(days=1)
TODAY = date(2026, 11, 21)
WHEEL, SDIST = "demo-1.0-py3-none-any.whl", "demo-1.0.tar.gz"


class DownloadRecordsTests(RecordsCase):
    schema = "counts"

    def setUp(self) -> None:
        super().setUp()
        self.records = DownloadRecords(self.database())

    def add(
        self, counts: Mapping[str, int], day: date = TODAY, *, index: IndexName = MAIN, project: NormalizedName = DEMO
    ) -> None:
        """Add the counts of one day, by filename."""
        self.result(
            self.records.add({Downloaded(index, project, name, day_number(day)): counts[name] for name in counts}, day)
        )

    def days(self, filename: str = WHEEL) -> dict[date, int]:
        return self.result(self.records.of_project(MAIN, DEMO))[filename].days

    def rows(self) -> int:
        with closing(sqlite3.connect(self.directory / "counts.db")) as connection:
            (count,) = connection.execute("SELECT count(*) FROM download").fetchone()
        return int(count)

    def test_days_are_numbered_both_ways(self) -> None:
        self.assertEqual((day_number(date(1970, 1, 1)), day_of(0)), (0, date(1970, 1, 1)))
        self.assertEqual(day_of(day_number(TODAY)), TODAY)

    def test_counts_add_up_by_file_and_day(self) -> None:
        self.add({WHEEL: 2, SDIST: 1}, TODAY - DAY)
        self.add({WHEEL: 3})
        self.add({WHEEL: 4})
        found = self.result(self.records.of_project(MAIN, DEMO))
        self.assertEqual(found[WHEEL].days, {TODAY - DAY: 2, TODAY: 7})
        self.assertEqual(
            [(name, each.total, each.last_day) for name, each in found.items()],
            [(WHEEL, 9, TODAY), (SDIST, 1, TODAY - DAY)],
        )

    def test_indexes_and_projects_are_apart(self) -> None:
        self.add({WHEEL: 1})
        self.add({WHEEL: 2}, index=TWO)
        self.add({WHEEL: 4}, project=OTHER)
        self.assertEqual(self.days(), {TODAY: 1})
        self.assertEqual(self.result(self.records.last_days(TWO)), {(DEMO, WHEEL): TODAY})

    def test_the_last_day_stays_when_the_clock_goes_back(self) -> None:
        self.add({WHEEL: 1})
        self.add({WHEEL: 1}, TODAY - 400 * DAY)
        self.assertEqual(self.result(self.records.last_days(MAIN)), {(DEMO, WHEEL): TODAY})

    def test_old_days_become_one_number(self) -> None:
        for ago in range(10, 0, -1):
            self.add({WHEEL: ago, SDIST: 1}, TODAY - ago * DAY)
        self.result(self.records.fold(3))
        found = self.result(self.records.of_project(MAIN, DEMO))[WHEEL]
        self.assertEqual(found.days, {TODAY - 3 * DAY: 3, TODAY - 2 * DAY: 2, TODAY - DAY: 1})
        self.assertEqual((found.earlier, found.total), (49, 55))
        self.assertEqual(self.rows(), 6)
        self.add({WHEEL: 5})
        self.result(self.records.fold(3))
        found = self.result(self.records.of_project(MAIN, DEMO))[WHEEL]
        self.assertEqual((found.earlier, found.total, found.last_day), (52, 60, TODAY))

    def test_a_file_of_which_no_day_is_left_keeps_its_number_and_its_last_day(self) -> None:
        self.add({SDIST: 7}, TODAY - DAY)
        self.add({WHEEL: 1})
        self.result(self.records.fold(1))
        found = self.result(self.records.of_project(MAIN, DEMO))[SDIST]
        self.assertEqual((found.days, found.total, found.last_day), ({}, 7, TODAY - DAY))

    def test_a_clock_that_jumps_costs_no_days(self) -> None:
        """C29: a year ahead, everything would be too old."""
        for ago in (3, 2, 1):
            self.add({WHEEL: 1}, TODAY - ago * DAY)
        self.add({WHEEL: 1}, TODAY + 365 * DAY)
        self.result(self.records.fold(4))
        self.assertEqual(len(self.days()), 4)

    def test_it_is_known_since_when_is_counted(self) -> None:
        self.assertIsNone(self.result(self.records.watch()))
        self.add({})
        self.add({}, TODAY + DAY)
        self.assertEqual(self.result(self.records.watch()), Watch(TODAY, TODAY + DAY))
        self.add({}, TODAY + 100 * DAY)
        self.assertEqual(self.result(self.records.watch()), Watch(TODAY + 100 * DAY, TODAY + 100 * DAY))

    def test_nobody_has_downloaded_anything(self) -> None:
        self.assertEqual(self.result(self.records.of_project(MAIN, DEMO)), {})
        self.result(self.records.fold(1))
