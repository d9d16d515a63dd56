"""The releases that go by the rules of their index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from packaging.version import Version
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from pypid.domain.actor import Actor
from pypid.domain.errors import FileNotFound, ProjectNotFound
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.retention import DAY, KEEP_ALL, Release, Retention, is_settled, plan_project
from pypid.domain.subject import Subject
from pypid.domain.watch import Watch
from pypid.flight import shield
from pypid.indexes.curating import Curator
from pypid.indexes.download_counts import DownloadCounts
from pypid.offload import Offload
from pypid.storage.database import Database
from pypid.storage.download_records import day_number
from pypid.storage.hosted_releases import UploadedFile, read_uploads

RETENTION = Actor("retention")
"""Who the audit log says has deleted them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A release that goes by the rules."""

    project: NormalizedName
    version: Version
    files: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is known of the downloads from one index."""

    last_days: Mapping[tuple[str, str], date]
    """By project and filename."""
    watch: Watch | None

    @property
    def counted_since(self) -> float | None:
        """Seconds since 1970. Of days, here and below, it is the end that counts: for certain not earlier."""
        return None if self.watch is None else _end_of(self.watch.since)

    def downloaded_at(self, file: UploadedFile) -> float | None:
        last = self.last_days.get((file.project, file.filename))
        return None if last is None else _end_of(last)


def plan_retention(rules: Retention, uploads: Iterable[UploadedFile], usage: Usage, now: float) -> list[Going]:
    """
    Return which releases of an index go by ``rules``, by project and version.

    ``uploads`` are its files, those of a project together; ``now``: seconds
    since 1970. May take a second for a large index.
    """
    return [
        going
        for project, files in groupby(uploads, key=lambda file: file.project)
        for going in _plan_project(rules, project, files, usage, now)
    ]


def _plan_project(
    rules: Retention, project: NormalizedName, uploads: Iterable[UploadedFile], usage: Usage, now: float
) -> Iterator[Going]:
    releases: dict[Version, list[UploadedFile]] = {}
    for file in uploads:
        releases.setdefault(file.version, []).append(file)
    known = [_described(version, files, usage) for version, files in releases.items()]
    for dropped in plan_project(rules, known, now=now, counted_since=usage.counted_since):
        names = tuple(sorted(file.filename for file in releases[dropped.version]))
        yield Going(project=project, version=dropped.version, files=names, reason=dropped.reason)


def _described(version: Version, files: Sequence[UploadedFile], usage: Usage) -> Release:
    downloads = [at for file in files if (at := usage.downloaded_at(file)) is not None]
    return Release(
        version=version,
        uploaded_at=max(file.uploaded_at for file in files),
        yanked=all(file.yanked for file in files),
        downloaded_at=max(downloads, default=None),
    )


def _end_of(day: date) -> float:
    return (day_number(day) + 1) * DAY


class Retainer:
    """Deletes what goes by the rules of the hosted indexes, one release after the other."""

    _log = Logger()

    def __init__(
        self, hosted: Database, counts: DownloadCounts, curator: Curator, *, offload: Offload, now: Callable[[], float]
    ) -> None:
        """``now``: seconds since 1970."""
        self.rules: Mapping[IndexName, Retention] = {}
        """Of each hosted index; may be replaced at any time."""
        self._hosted = hosted
        self._counts = counts
        self._curator = curator
        self._offload = offload
        self._now = now
        self._lock = DeferredLock()
        self._stopping = False

    async def plan(self, index: IndexName) -> list[Going]:
        """Return what would go from the index now."""
        return await self._plan(index, await self._usage(index))

    async def run(self, only: IndexName | None = None) -> dict[IndexName, list[Going]]:
        """
        Delete what goes now, and return it; of the index ``only``, if that is given.

        Raises `OSError` where that cannot be recorded. Cancelling lets the
        caller go, and the run goes on.
        """
        running: Deferred[dict[IndexName, list[Going]]]
        running = self._lock.run(lambda: Deferred.fromCoroutine(self._run(only)))
        return await shield(running)

    async def stop(self) -> None:
        """Return when nothing is being deleted any more."""
        self._stopping = True
        await self._lock.run(lambda: None)

    async def _run(self, only: IndexName | None) -> dict[IndexName, list[Going]]:
        rules = {
            index: of_index for index, of_index in self.rules.items() if of_index != KEEP_ALL and only in {None, index}
        }
        return {index: await self._run_index(index, rules[index]) for index in rules}

    async def _run_index(self, index: IndexName, rules: Retention) -> list[Going]:
        usage = await self._usage(index)
        if rules.asks_for_ages and not is_settled(self._now(), usage.counted_since):
            self._log.info(
                "retention of {index}: no release is dropped for its age yet; downloads have been counted since {day}",
                index=index,
                day=None if usage.watch is None else usage.watch.since,
            )
        gone: list[Going] = []
        for project in {going.project: None for going in await self._plan(index, usage)}:
            gone += await self._run_project(index, project, usage)
        return gone

    async def _run_project(self, index: IndexName, project: NormalizedName, usage: Usage) -> list[Going]:
        # Looked at again: while others were deleted somebody may have uploaded to it, or un-yanked.
        plan = await self._plan(index, usage, project)
        return [going for going in plan if not self._stopping and await self._delete(index, going)]

    async def _delete(self, index: IndexName, going: Going) -> bool:
        subject = Subject(project=going.project, version=going.version)
        try:
            # Only what was planned: an upload that has come meanwhile makes its release young again.
            return bool(await self._curator.delete(index, subject, RETENTION, going.reason, expected=going.files))
        except (ProjectNotFound, FileNotFound):
            return False  # somebody else was faster

    async def _usage(self, index: IndexName) -> Usage:
        return Usage(last_days=await self._counts.last_days(index), watch=await self._counts.watch())

    async def _plan(self, index: IndexName, usage: Usage, project: NormalizedName | None = None) -> list[Going]:
        rules = self.rules.get(index, KEEP_ALL)
        uploads = await self._hosted.read(lambda connection: read_uploads(connection, index, project))
        return await self._offload(plan_retention, rules, uploads, usage, self._now())
