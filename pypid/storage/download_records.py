"""How often files were downloaded: all SQL of counts.db."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from sqlite3 import Connection
from typing import NamedTuple

from pypid.domain.download_days import DownloadDays
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.watch import Watch
from pypid.storage.database import Database

_FIRST_DAY = date(1970, 1, 1)

_NOTE_FILE = (
    "INSERT INTO file (index_name, project, filename, earlier, last_day) VALUES (?, ?, ?, 0, ?) "
    "ON CONFLICT (index_name, project, filename) "
    "DO UPDATE SET last_day = CASE WHEN excluded.last_day > file.last_day THEN excluded.last_day ELSE file.last_day END"
)
_NOTE_DOWNLOADS = (
    "INSERT INTO download (file, day, count) "
    "SELECT id, ?, ? FROM file WHERE index_name = ? AND project = ? AND filename = ? "
    "ON CONFLICT (file, day) DO UPDATE SET count = download.count + excluded.count"
)
_FOLD = (
    "UPDATE file SET earlier = earlier + (SELECT sum(count) FROM download WHERE file = file.id AND day < ?) "
    "WHERE id IN (SELECT file FROM download WHERE day < ?)"
)
_OF_PROJECT = (
    "SELECT f.filename, f.earlier, f.last_day, d.day, d.count FROM file f LEFT JOIN download d ON d.file = f.id "
    "WHERE f.index_name = ? AND f.project = ? ORDER BY f.filename, d.day"
)


class Downloaded(NamedTuple):
    """A file that was downloaded on some day."""

    index_name: IndexName
    project: NormalizedName
    filename: str
    day: int
    """In UTC, counted from 1970-01-01."""


class DownloadRecords:
    """The downloads of every index, by the index that has the file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counts: Mapping[Downloaded, int], today: date) -> None:
        """Add ``counts``, all of them or none, and note that counting goes on."""
        await self._database.write(lambda connection: _add(connection, counts, today))

    async def fold(self, keep: int) -> None:
        """
        Keep single days no longer than the last ``keep`` on which anything was downloaded; only their sum stays.

        Such days are counted, whatever the calendar says: a clock that jumps by
        a year must not cost a year of numbers.
        """
        await self._database.write(lambda connection: _fold(connection, keep))

    async def of_project(self, index: IndexName, project: NormalizedName) -> dict[str, DownloadDays]:
        """Return what is known of its files that were ever downloaded, by name; also of those that are gone."""
        return await self._database.read(lambda connection: _read_project(connection, index, project))

    async def last_days(self, index: IndexName) -> dict[tuple[str, str], date]:
        """As `read_last_days`."""
        return await self._database.read(lambda connection: read_last_days(connection, index))

    async def watch(self) -> Watch | None:
        """As `read_watch`."""
        return await self._database.read(read_watch)


def day_number(day: date) -> int:
    return (day - _FIRST_DAY).days


def day_of(number: int) -> date:
    return _FIRST_DAY + timedelta(days=number)


def read_last_days(connection: Connection, index: IndexName) -> dict[tuple[str, str], date]:
    """Return when each file of the index was last downloaded, by project and filename."""
    rows = connection.execute("SELECT project, filename, last_day FROM file WHERE index_name = ?", (index,))
    return {(project, filename): day_of(last) for project, filename, last in rows}


def read_watch(connection: Connection) -> Watch | None:
    """Return the days of counting without a break; None if nothing was ever counted."""
    row = connection.execute("SELECT since, until FROM watch").fetchone()
    return None if row is None else Watch(day_of(row[0]), day_of(row[1]))


def _add(connection: Connection, counts: Mapping[Downloaded, int], today: date) -> None:
    connection.executemany(_NOTE_FILE, counts.keys())
    connection.executemany(
        _NOTE_DOWNLOADS,
        [(file.day, count, file.index_name, file.project, file.filename) for file, count in counts.items()],
    )
    before = read_watch(connection)
    watch = Watch(today, today) if before is None else before.on(today)
    if watch != before:
        connection.execute("DELETE FROM watch")
        connection.execute(
            "INSERT INTO watch (since, until) VALUES (?, ?)", (day_number(watch.since), day_number(watch.until))
        )


def _fold(connection: Connection, keep: int) -> None:
    days = connection.execute("SELECT DISTINCT day FROM download ORDER BY day DESC LIMIT 1 OFFSET ?", (keep - 1,))
    first = days.fetchone()
    if first is not None:
        connection.execute(_FOLD, first * 2)
        connection.execute("DELETE FROM download WHERE day < ?", first)


def _read_project(connection: Connection, index: IndexName, project: NormalizedName) -> dict[str, DownloadDays]:
    found: dict[str, DownloadDays] = {}
    for filename, earlier, last_day, day, count in connection.execute(_OF_PROJECT, (index, project)):
        file = found.setdefault(filename, DownloadDays(last_day=day_of(last_day), earlier=earlier))
        if day is not None:
            file.days[day_of(day)] = count
    return found
