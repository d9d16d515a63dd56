"""What an upstream has, as it is kept here and as upstream says it now."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Generic, TypeVar

from twisted.logger import Logger

from pypid.domain.cache_status import CacheStatus, Forwarded
from pypid.domain.changelog import Changes
from pypid.domain.drift import Drift, DriftKind
from pypid.domain.errors import ProjectNotFound, UpstreamBroken
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.simple_page import InvalidPage
from pypid.indexes.absences import ABSENT_TTL, GONE_TTL, Absence, Absences
from pypid.indexes.held import Held
from pypid.indexes.mirroring import Asked, Kind, Mirroring, Read
from pypid.indexes.serials import Announced, newest
from pypid.storage.cached import SIMPLE, StoredPage
from pypid.upstream.client import Absent, FetchedPage, Unchanged

T = TypeVar("T")


class Documents(Generic[T]):
    """One upstream's documents of one kind. Each call is made once at a time for each document."""

    _log = Logger()

    def __init__(self, mirroring: Mirroring, kind: Kind[T]) -> None:
        self._mirroring = mirroring
        self._index = mirroring.index
        self._records = mirroring.records
        self._kind = kind
        self._absences: Absences[Asked] = Absences()
        self._announced = Announced()
        self._doubted_at = -math.inf
        """When everything was."""

    def held(self, asked: Asked) -> Held[T] | None:
        """Return the document if it is in memory."""
        return self._mirroring.memory.get(self._key(asked))

    async def kept(self, asked: Asked) -> Held[T] | None:
        """Return the document from an earlier run."""
        stored = await self._records.page(self._index, asked.project, asked.kind)
        if stored is None:
            return None
        foreign = stored.upstream != self._mirroring.upstream
        if foreign:
            stored = replace(stored, etag=None, last_modified=None, serial=None)
        try:
            read = await self._kind.settle(asked, stored, await self._kind.read(asked, stored), None)
        except InvalidPage as e:
            self._log.warn(
                "{index}: the kept page of {asked} is unusable: {why}", index=self._index, asked=asked, why=e
            )
            await self._mirroring.record(self._records.drop_page(self._index, asked.project, asked.kind))
            return None
        if self._is_doubted(asked, stored):  # since it was read
            until = self._mirroring.rules.expired_at(self._mirroring.now())
            stored = replace(stored, fetched_at=min(stored.fetched_at, until))
        return self._hold(asked, stored, read, foreign=foreign)

    def _is_doubted(self, asked: Asked, stored: StoredPage) -> bool:
        serial, since = self._announced.get(asked.project)
        if serial is not None and (stored.serial is None or stored.serial < serial) and stored.fetched_at <= since:
            return True
        return stored.fetched_at < self._doubted_at

    def check_absence(self, asked: Asked, *, unless_older_than: float | None = None) -> None:
        """Raise `ProjectNotFound` where upstream was found to have none, which ``unless_older_than`` seconds counts."""
        absence = self._absences.get(asked)
        now = self._mirroring.now()
        if absence is None or absence.left(now) <= 0:
            return
        if unless_older_than is None or now - absence.since < unless_older_than:
            raise self._not_found(asked, absence.reason, CacheStatus(ttl=int(absence.left(now)), detail="absent"))

    def doubt(self, changes: Changes | None, until: float) -> None:
        """
        Take what is in memory for fetched at ``until``, if not before.

        ``changes``: only that of these projects, unless it shows the change already. They may exist now.
        """
        for (index, _, project, _), held in list(self._mirroring.memory.items()):
            changed = changes is None or (
                project in changes and (held.serial is None or held.serial < changes[project])
            )
            if index == self._index and changed:
                held.fetched_at = min(held.fetched_at, until)
        if changes is None:
            self._doubted_at = self._mirroring.now()
        self._announced.note(changes or {}, self._mirroring.now())
        for project in changes or {}:
            self._absences.forget(Asked(project, SIMPLE))

    def ignore(self, asked: Asked) -> None:
        """Take it that upstream has none, for as long as if it had said so."""
        self._absences.note(asked, Absence(since=self._mirroring.now(), ttl=ABSENT_TTL, reason=""))

    async def fetch(self, asked: Asked, held: Held[T] | None) -> Held[T]:
        """
        Ask upstream, telling it which document is held, and keep what it says.

        Raises `ProjectNotFound`, `UpstreamUnavailable`.
        """
        answer = await self._mirroring.client.page(
            self._kind.url(asked),
            self._kind.types,
            etag=None if held is None else held.etag,
            last_modified=None if held is None else held.last_modified,
        )
        if isinstance(answer, Absent):
            await self._withdraw(asked, answer, held)
            raise self._not_found(asked, answer.reason, CacheStatus(forwarded=Forwarded.URI_MISS, detail="absent"))
        if isinstance(answer, Unchanged) and held is not None:
            self._check_serial(asked, held.serial, held)
            held.fetched_at = self._mirroring.now()
            await self._mirroring.record(
                self._records.page_confirmed(self._index, asked.project, held.fetched_at, asked.kind)
            )
            return held
        assert isinstance(answer, FetchedPage)
        return await self._keep(asked, answer, held)

    def _not_found(self, asked: Asked, reason: str, cache_status: CacheStatus) -> ProjectNotFound:
        return ProjectNotFound(
            f"{self._index} has no project {asked.project}", reason=reason, cache_status=cache_status
        )

    async def _withdraw(self, asked: Asked, answer: Absent, held: Held[T] | None) -> None:
        before = self._absences.get(asked)
        serial = held.serial if held is not None else None if before is None else before.serial
        self._absences.note(
            asked,
            Absence(
                since=self._mirroring.now(),
                ttl=GONE_TTL if answer.lasting else ABSENT_TTL,
                reason=answer.reason,
                serial=serial,
            ),
        )
        if held is None:
            return
        if asked.kind == SIMPLE:
            self._mirroring.drifts.note(self._index, asked.project, [Drift(DriftKind.GONE)])
        self._mirroring.memory.pop(self._key(asked), None)
        await self._mirroring.record(self._records.drop_page(self._index, asked.project, asked.kind))

    async def _keep(self, asked: Asked, answer: FetchedPage, held: Held[T] | None) -> Held[T]:
        stored = StoredPage(
            upstream=self._mirroring.upstream,
            url=answer.url,
            content_type=answer.content_type,
            encoding=answer.encoding,
            body=answer.body,
            etag=answer.etag,
            last_modified=answer.last_modified,
            serial=answer.serial,
            fetched_at=self._mirroring.now(),
        )
        try:
            read = await self._kind.read(asked, stored)
            stored = replace(stored, version=read.version, summary=read.summary, serial=read.serial)
            self._check_serial(asked, read.serial, held)
            read = await self._kind.settle(asked, stored, read, None if held is None else held.value)
        except InvalidPage as e:
            raise UpstreamBroken(f"{self._index}: upstream's page of {asked} is unusable: {e}") from e
        self._absences.forget(asked)
        await self._mirroring.record(self._records.keep_page(self._index, asked.project, stored, asked.kind))
        return self._hold(asked, stored, read)

    def _check_serial(self, asked: Asked, serial: int | None, held: Held[T] | None) -> None:
        """Refuse a page from before what upstream said already: a cache on the way is behind (A27)."""
        absence = self._absences.get(asked)
        seen = [
            (None, 0.0) if held is None else (held.serial, held.fetched_at),
            (None, 0.0) if absence is None else (absence.serial, absence.since),
            self._announced.get(asked.project),
        ]
        known = newest(seen, self._mirroring.now())
        if serial is not None and known is not None and serial < known:
            raise UpstreamBroken(
                f"{self._index}: upstream's page of {asked} has the serial {serial}, and there was {known} before",
                detail="serial",
            )

    def _key(self, asked: Asked) -> tuple[IndexName, str, NormalizedName, str]:
        return self._index, self._mirroring.reading, asked.project, asked.kind

    def _hold(self, asked: Asked, stored: StoredPage, read: Read[T], *, foreign: bool = False) -> Held[T]:
        held = Held(
            value=read.value,
            weight=read.weight,
            etag=stored.etag,
            last_modified=stored.last_modified,
            serial=stored.serial,
            fetched_at=stored.fetched_at,
            foreign=foreign,
        )
        memory = self._mirroring.memory
        if held.weight <= memory.maxsize:
            memory[self._key(asked)] = held
        return held
