"""One index that has several URLs: where one cannot be asked, the next is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.domain.ranges import ByteRange
from pypid.domain.replicas import at_replicas
from pypid.upstream.body import Write
from pypid.upstream.client import (
    SIMPLE_TYPES,
    Absent,
    FetchedPage,
    FileSink,
    PageTypes,
    Resumption,
    TakePage,
    Unchanged,
    UpstreamClient,
)

T = TypeVar("T")

STAYS = 60.0
"""Seconds for which the URL that answered is the first to be asked, before those that come before it are again."""


class Failover:
    """
    As an `UpstreamClient`, for an index and its replicas.

    Only who cannot be asked is passed over. An answer counts, whatever it is:
    a replica that has no such project says so for all of them, and nonsense is
    nonsense (`UpstreamBroken`).
    """

    _log = Logger()

    def __init__(self, client: UpstreamClient, bases: Sequence[str], clock: IReactorTime) -> None:
        """``bases``: of the index and its replicas, in the order in which they are asked."""
        self._client = client
        self._bases = tuple(bases)
        self._clock = clock
        self._chosen = self._bases[0]
        self._chosen_until = 0.0

    async def page(
        self, url: str, types: PageTypes = SIMPLE_TYPES, *, etag: str | None, last_modified: str | None
    ) -> FetchedPage | Unchanged | Absent:
        return await self._first(url, lambda url: self._client.page(url, types, etag=etag, last_modified=last_modified))

    async def long_page(
        self, url: str, take: TakePage, *, etag: str | None, last_modified: str | None, limit: int
    ) -> FetchedPage | Unchanged | Absent:
        progress = _Progress()

        def taking(content_type: str, encoding: str) -> Write:
            progress.begun = True
            return take(content_type, encoding)

        return await self._first(
            url,
            lambda url: self._client.long_page(url, taking, etag=etag, last_modified=last_modified, limit=limit),
            progress,
        )

    async def file(
        self, url: str, sink: FileSink, *, resumption: Resumption | None = None, no_cache: bool = False
    ) -> None:
        watched = _Watched(sink)
        await self._first(
            url, lambda url: self._client.file(url, watched, resumption=resumption, no_cache=no_cache), watched
        )

    async def part(self, url: str, part: ByteRange, take: Write) -> None:
        progress = _Progress()

        async def taking(data: bytes) -> None:
            progress.begun = True
            await take(data)

        await self._first(url, lambda url: self._client.part(url, part, taking), progress)

    async def file_size(self, url: str) -> int | None:
        return await self._first(url, self._client.file_size)

    async def _first(self, url: str, ask: Callable[[str], Awaitable[T]], progress: _Progress | None = None) -> T:
        """Return the answer of the first that can be asked; once some of it has come there is no other."""
        order = self._order()
        candidates = at_replicas(url, order)
        for number, candidate in enumerate(candidates):
            try:
                answer = await ask(candidate)
            except UpstreamBroken:
                raise
            except UpstreamUnavailable as e:
                if number + 1 == len(candidates) or (progress is not None and progress.begun):
                    raise
                self._log.warn(
                    "{base} cannot be asked, {next} is: {why}", base=order[number], next=order[number + 1], why=e
                )
            else:
                if len(candidates) > 1:
                    self._answered(order[number])
                return answer
        raise AssertionError("there is always one to ask")

    def _order(self) -> list[str]:
        if self._clock.seconds() >= self._chosen_until:
            return list(self._bases)
        return [self._chosen, *(base for base in self._bases if base != self._chosen)]

    def _answered(self, base: str) -> None:
        if base != self._chosen or self._clock.seconds() >= self._chosen_until:
            self._chosen, self._chosen_until = base, self._clock.seconds() + STAYS


class _Progress:
    """Whether anything has come."""

    begun = False


class _Watched(_Progress):
    """A sink of which it is known whether anything has come."""

    def __init__(self, sink: FileSink) -> None:
        self._sink = sink

    def begin(self, size: int | None, validator: str | None) -> None:
        self.begun = True
        self._sink.begin(size, validator)

    async def write(self, data: bytes) -> None:
        self.begun = True
        await self._sink.write(data)
