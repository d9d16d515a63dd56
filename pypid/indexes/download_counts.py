"""How often each file is downloaded: counted here, written down now and then."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import date

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from pypid.domain.download_days import DownloadDays
from pypid.domain.errors import StorageBusy
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.watch import Watch
from pypid.flight import shield
from pypid.storage.download_records import Downloaded, DownloadRecords, day_of

DAY = 86400

MOST_WAITING = 20_000
"""
Files that wait for their counts to be written, in about 8 MB. Each minute has room for that many again.

Copying a whole index file by file, at 300 in a second, takes fewer.
"""


class DownloadCounts:
    """
    The numbers of downloads of each file and day, by the index that has the file.

    To count one costs a look into a dict. What was not written is lost with
    the process, which changes little.
    """

    _log = Logger()

    def __init__(self, records: DownloadRecords, *, keep_days: int, now: Callable[[], float]) -> None:
        """``now``: seconds since 1970."""
        self.keep_days = keep_days
        """Days that are kept one by one; may be replaced at any time."""
        self._records = records
        self._now = now
        self._waiting: dict[Downloaded, int] = {}
        self._passed_over = 0
        self._recorded_on: date | None = None
        self._lock = DeferredLock()

    def note(self, index: IndexName, project: NormalizedName, filename: str) -> None:
        """Count one download."""
        file = Downloaded(index, project, filename, int(self._now() // DAY))
        count = self._waiting.get(file, 0)
        if not count and len(self._waiting) >= MOST_WAITING:
            self._passed_over += 1
        else:
            self._waiting[file] = count + 1

    async def record(self) -> None:
        """
        Write down what was counted. Raises as `Database.write` does, and then it goes on waiting.

        Cancelling lets the caller go, and the writing goes on.
        """
        await shield(self._lock.run(lambda: Deferred.fromCoroutine(self._record())))

    async def stop(self) -> None:
        """Write down the last ones, if that can be done."""
        await self._record_if_possible()

    async def of_project(
        self,
        index: IndexName,
        project: NormalizedName,
        *,
        first_day: date | None = None,
        last_day: date | None = None,
    ) -> Mapping[str, DownloadDays]:
        """
        Return the downloads of the project's files, by name; files that nobody has downloaded are left out.

        With a first or a last day, both included, only what was downloaded in between.
        """
        await self._record_if_possible()
        files = await self._records.of_project(index, project)
        if first_day is None and last_day is None:
            return files
        return {name: some for name, all_ in files.items() if (some := all_.between(first_day, last_day)).days}

    async def last_days(self, index: IndexName) -> Mapping[tuple[str, str], date]:
        """Return when each file of the index was last downloaded, by project and filename."""
        await self._record_if_possible()
        return await self._records.last_days(index)

    async def watch(self) -> Watch | None:
        """Return since when downloads have been counted without a break; None if none ever was."""
        await self._record_if_possible()
        return await self._records.watch()

    async def _record_if_possible(self) -> None:
        """So that who asks is told everything, and something where the disk is full."""
        try:
            await self.record()
        except (OSError, sqlite3.Error, StorageBusy) as e:
            self._log.warn("the last downloads could not be recorded: {why}", why=e)

    async def _record(self) -> None:
        counts, self._waiting = self._waiting, {}
        today = day_of(int(self._now() // DAY))
        if not counts and today == self._recorded_on:
            return
        try:
            await self._records.add(counts, today)
        except Exception:
            self._take_back(counts)
            raise
        if self._passed_over:
            self._log.warn("{count} downloads were not counted: too many files at once", count=self._passed_over)
            self._passed_over = 0
        if today != self._recorded_on:
            await self._records.fold(self.keep_days)
            self._recorded_on = today

    def _take_back(self, counts: Mapping[Downloaded, int]) -> None:
        for file, count in counts.items():
            self._waiting[file] = self._waiting.get(file, 0) + count
