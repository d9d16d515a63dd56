"""What an upstream says of its projects: fetched once for everybody, kept over restarts, used while it lasts."""

from __future__ import annotations

from dataclasses import replace
from typing import Generic, TypeVar

from cachetools import LRUCache
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid.domain.errors import ProjectNotFound, UpstreamBroken, UpstreamUnavailable
from pypid.domain.freshness import Freshness, judge
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.simple_page import InvalidPage
from pypid.flight import SingleFlight
from pypid.indexes.held import Held
from pypid.indexes.mirroring import Asked, Kind, Mirroring, Read
from pypid.storage.records import StoredPage
from pypid.upstream.client import Absent, FetchedPage, Unchanged

T = TypeVar("T")

ABSENT_TTL = 60
"""Seconds for which upstream's "no such project" is believed: a new release is seen soon, a loop of typos is not."""

ABSENT_NAMES = 10_000
"""Names for which it is remembered."""

RETRY_AFTER_FAILURE = 10
"""
Seconds after a failed refresh in which old documents are served without asking: nobody waits for it twice (A54).

Where upstream cannot be reached this holds for all of its documents, where it
answered with nonsense for the one.
"""


class Mirrored(Generic[T]):
    """
    One upstream's documents of one kind.

    A document is believed for ``ttl`` seconds.  For ``grace`` more it is
    answered at once and refreshed behind the answer; after that, clients wait
    for the refresh, and get the old one if upstream cannot be asked.
    """

    _log = Logger()

    def __init__(self, mirroring: Mirroring, kind: Kind[T]) -> None:
        self._index = mirroring.index
        self._upstream = mirroring.upstream
        self._rules = mirroring.rules
        self._client = mirroring.client
        self._records = mirroring.records
        self._record = mirroring.record
        self._memory = mirroring.memory
        self._now = mirroring.now
        self._kind = kind
        self._flights: SingleFlight[Asked, Held[T]] = SingleFlight()
        self._absent: LRUCache[Asked, float] = LRUCache(ABSENT_NAMES)
        self._not_before = 0.0  # when upstream may be asked again for what is held

    async def get(self, asked: Asked) -> Held[T]:
        """Return the document. Raises `ProjectNotFound` where upstream has none, `UpstreamUnavailable`."""
        held = self._memory.get(self._key(asked))
        if held is None:
            held = await self._flights.join(asked, lambda: self._load(asked))
        age = self._now() - held.fetched_at
        freshness = judge(age, ttl=self._rules.ttl, grace=self._rules.grace)
        if freshness is not Freshness.FRESH and self._now() >= max(held.not_before, self._not_before):
            if freshness is Freshness.STALE:
                self._refresh_behind(asked, held)
            else:
                held = await self._refreshed(asked, held)
        return held

    def held(self, asked: Asked) -> Held[T] | None:
        """Return the document if it is in memory."""
        return self._memory.get(self._key(asked))

    def ignore(self, asked: Asked) -> None:
        """Take it that upstream has none, for as long as if it had said so."""
        self._absent[asked] = self._now() + ABSENT_TTL

    def _refresh(self, asked: Asked, held: Held[T] | None) -> Deferred[Held[T]]:
        return self._flights.join(asked, lambda: self._fetch(asked, held))

    def _refresh_behind(self, asked: Asked, held: Held[T]) -> None:
        """Begin a refresh that nobody waits for."""
        Deferred.fromCoroutine(self._refreshed(asked, held)).addErrback(self._ended_behind, asked)

    def _ended_behind(self, failure: Failure, asked: Asked) -> None:
        if not failure.check(ProjectNotFound):  # which was logged, and is what the next client will be told
            self._log.failure("{index}: refreshing {asked} failed", failure, index=self._index, asked=asked)

    async def _refreshed(self, asked: Asked, held: Held[T]) -> Held[T]:
        try:
            return await self._refresh(asked, held)
        except UpstreamUnavailable as e:
            self._not_refreshed(asked, held, e)
            return held

    def _not_refreshed(self, asked: Asked, held: Held[T], why: Exception) -> None:
        held.not_before = self._now() + RETRY_AFTER_FAILURE
        if not isinstance(why, UpstreamBroken):
            self._not_before = held.not_before
        self._log.warn(
            "{index}: the old page of {asked} goes on being served: {why}", index=self._index, asked=asked, why=why
        )

    async def _load(self, asked: Asked) -> Held[T]:
        """Return the document from an earlier run, else from upstream."""
        stored = await self._records.page(self._index, asked.project, asked.kind)
        if stored is None:
            return await self._fetch(asked, None)
        if stored.upstream != self._upstream:
            # Good enough while the upstream that the index has now cannot be asked, and for nothing else.
            stored = replace(stored, etag=None, last_modified=None, fetched_at=0.0)
        try:
            read = await self._kind.read(asked, stored, None)
        except InvalidPage as e:
            self._log.warn(
                "{index}: the kept page of {asked} is unusable: {why}", index=self._index, asked=asked, why=e
            )
            await self._record(self._records.drop_page(self._index, asked.project, asked.kind))
            return await self._fetch(asked, None)
        return self._hold(asked, stored, read)

    async def _fetch(self, asked: Asked, held: Held[T] | None) -> Held[T]:
        """Ask upstream, telling it which document is held."""
        if self._now() < self._absent.get(asked, 0):
            raise ProjectNotFound(f"{self._index} has no project {asked.project}")
        answer = await self._client.page(
            self._kind.url(asked),
            self._kind.types,
            etag=None if held is None else held.etag,
            last_modified=None if held is None else held.last_modified,
        )
        if isinstance(answer, Absent):
            await self._withdraw(asked, held)
            raise ProjectNotFound(f"{self._index} has no project {asked.project}")
        if isinstance(answer, Unchanged) and held is not None:
            held.fetched_at = self._now()
            await self._record(self._records.page_confirmed(self._index, asked.project, held.fetched_at, asked.kind))
            return held
        assert isinstance(answer, FetchedPage)
        return await self._keep(asked, answer, held)

    async def _withdraw(self, asked: Asked, held: Held[T] | None) -> None:
        self.ignore(asked)
        if held is not None:
            self._log.warn("{index}: upstream has withdrawn {asked}", index=self._index, asked=asked)
            self._memory.pop(self._key(asked), None)
            await self._record(self._records.drop_page(self._index, asked.project, asked.kind))

    async def _keep(self, asked: Asked, answer: FetchedPage, held: Held[T] | None) -> Held[T]:
        stored = StoredPage(
            upstream=self._upstream,
            url=answer.url,
            content_type=answer.content_type,
            encoding=answer.encoding,
            body=answer.body,
            etag=answer.etag,
            last_modified=answer.last_modified,
            fetched_at=self._now(),
        )
        try:
            read = await self._kind.read(asked, stored, None if held is None else held.value)
        except InvalidPage as e:
            raise UpstreamBroken(f"{self._index}: upstream's page of {asked} is unusable: {e}") from e
        stored = replace(stored, version=read.version, summary=read.summary)
        await self._record(self._records.keep_page(self._index, asked.project, stored, asked.kind))
        return self._hold(asked, stored, read)

    def _key(self, asked: Asked) -> tuple[IndexName, str, NormalizedName, str]:
        return self._index, self._upstream, asked.project, asked.kind

    def _hold(self, asked: Asked, stored: StoredPage, read: Read[T]) -> Held[T]:
        held = Held(
            value=read.value,
            weight=read.weight,
            etag=stored.etag,
            last_modified=stored.last_modified,
            fetched_at=stored.fetched_at,
        )
        if held.weight <= self._memory.maxsize:
            self._memory[self._key(asked)] = held
        return held
