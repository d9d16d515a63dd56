"""The list of all of an upstream's projects, for the indexes that are configured to show it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypid.domain.cache_status import CacheStatus, Forwarded
from pypid.domain.circle import check_circle
from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.list_reader import MAX_LIST, ListReader
from pypid.domain.names import NormalizedName
from pypid.domain.project_list import ProjectList, list_of
from pypid.domain.simple_page import InvalidPage
from pypid.flight import SingleFlight, shield
from pypid.indexes.mirroring import Mirroring
from pypid.offload import Offload
from pypid.storage.cached import WHOLE_LIST, StoredPage
from pypid.upstream.body import Write
from pypid.upstream.client import Absent, Unchanged

LIST_TTL = 3600
"""
Seconds for which the list is believed.

It is tens of megabytes, PyPI's own caches keep it for half an hour to a day, and no install depends on it.
"""

RETRY_LIST_AFTER = 60
"""Seconds after a failure in which it is not asked for again."""

EVERYTHING = NormalizedName("")
"""What stands for the project where the whole list is recorded."""


@dataclass(slots=True)
class _Held:
    projects: ProjectList
    etag: str | None
    last_modified: str | None
    fetched_at: float


class UpstreamList:
    """
    Upstream's whole list, once somebody has asked for it.

    It is fetched for everybody once, goes on to be fetched when all who asked
    have left, and is kept over restarts.  An old one is answered at once and
    refreshed behind the answer.
    """

    _log = Logger()

    def __init__(self, mirroring: Mirroring, read: Offload) -> None:
        """``read``: where the list is read as it comes, which for a million names takes seconds."""
        self._index = mirroring.index
        self._upstream = mirroring.upstream
        self._client = mirroring.client
        self._records = mirroring.records
        self._record = mirroring.record
        self._mark = mirroring.mark
        self._now = mirroring.now
        self._read = read
        self._held: _Held | None = None
        self._not_before = 0.0
        self._flights: SingleFlight[None, _Held | None] = SingleFlight()

    async def get(self) -> ProjectList | None:
        """Return the list; None where it has never been fetched and cannot be."""
        check_circle(self._mark)
        held = self._held
        cache_status = CacheStatus()
        if held is None:
            asked_at = self._now()
            held = await self._updated()
            if held is None:
                return None
            if held.fetched_at >= asked_at:
                cache_status = CacheStatus(forwarded=Forwarded.URI_MISS, stored=True)
        elif self._now() - held.fetched_at >= LIST_TTL:
            self._updated()
        ttl = int(LIST_TTL - (self._now() - held.fetched_at))
        return replace(held.projects, cache_status=replace(cache_status, ttl=ttl))

    def _updated(self) -> Deferred[_Held | None]:
        return shield(self._flights.join(None, self._update))

    async def _update(self) -> _Held | None:
        if self._held is None:
            self._held = await self._kept()
        held = self._held
        if self._now() < self._not_before or (held is not None and self._now() - held.fetched_at < LIST_TTL):
            return held
        try:
            self._held = await self._fetch(held)
        except (UpstreamUnavailable, InvalidPage) as e:
            self._not_before = self._now() + RETRY_LIST_AFTER
            self._log.warn("{index}: upstream's project list cannot be had: {why}", index=self._index, why=e)
        return self._held

    async def _kept(self) -> _Held | None:
        """Return the list of an earlier run."""
        stored = await self._records.page(self._index, EVERYTHING, WHOLE_LIST)
        if stored is None or stored.upstream != self._upstream:
            return None
        projects = await self._read(list_of, stored.body)
        return _Held(projects, stored.etag, stored.last_modified, stored.fetched_at)

    async def _fetch(self, held: _Held | None) -> _Held:
        reader: ListReader | None = None

        def take(content_type: str, encoding: str) -> Write:
            nonlocal reader
            reader = taking = ListReader(content_type, encoding)

            async def write(data: bytes) -> None:
                await self._read(taking.feed, data)

            return write

        answer = await self._client.long_page(
            self._upstream,
            take,
            etag=None if held is None else held.etag,
            last_modified=None if held is None else held.last_modified,
            limit=MAX_LIST,
        )
        if isinstance(answer, Absent):
            raise InvalidPage("it has none")
        now = self._now()
        if isinstance(answer, Unchanged):
            assert held is not None
            held.fetched_at = now
            await self._record(self._records.page_confirmed(self._index, EVERYTHING, now, WHOLE_LIST))
            return held
        assert reader is not None
        projects = await self._read(reader.finish)
        stored = StoredPage(
            upstream=self._upstream,
            url=answer.url,
            content_type="text/plain",
            encoding="identity",
            body=projects.parts[0],
            etag=answer.etag,
            last_modified=answer.last_modified,
            fetched_at=now,
        )
        await self._record(self._records.keep_page(self._index, EVERYTHING, stored, WHOLE_LIST))
        return _Held(projects, answer.etag, answer.last_modified, now)
