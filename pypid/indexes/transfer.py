"""One file on its way from upstream, through a spool, into the blob store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid.domain.errors import DigestMismatch, StorageFull, UpstreamBroken, UpstreamUnavailable
from pypid.domain.ranges import ByteRange
from pypid.domain.rate import Rate
from pypid.storage.blobs import BlobStore
from pypid.storage.spool import Spool
from pypid.storage.staging import Staging
from pypid.upstream.client import FileSink

NEAR = 8 * 1024 * 1024
"""Bytes for which a reader waits rather than ask upstream for a part of its own: an eighth of a second at 64 MB/s."""

NEAR_SECONDS = 5.0
"""Seconds for which one waits, as fast as bytes come now: a third of the 15 after which pip gives up."""

Kept = Callable[[], Awaitable[None]]
"""Called when the file's blob is durable, to write down whose file it is."""


class Fetcher(Protocol):
    """Where a file's bytes come from; `UpstreamClient` is one."""

    async def file(self, url: str, sink: FileSink) -> None: ...

    async def part(self, url: str, part: ByteRange, sink: FileSink) -> None: ...

    async def file_size(self, url: str) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that is not here yet."""

    url: str
    sha256: str
    size: int | None
    """Bytes, where the index page says."""
    fetcher: Fetcher


class Transfer:
    """One file on its way from upstream, through a spool, into the blob store."""

    _log = Logger()

    def __init__(self, source: Source, clock: IReactorTime) -> None:
        self.spool = Spool()
        self.parts_refused = False
        """Upstream is known to send this file only whole."""
        self.kept: list[Kept] = []
        self.done: Deferred[None] = Deferred()
        self._source = source
        self._clock = clock
        self._rate = Rate(clock.seconds())
        self._call: Deferred[None] | None = None

    def start(self, staging: Staging, blobs: BlobStore) -> None:
        # One of the spool's readers: it stays open for whoever joins until the blob can be opened instead.
        self.spool.enter()
        self._call = Deferred.fromCoroutine(self._run(staging, blobs))
        self._call.addErrback(self._failed)
        self._call.addCallback(self._end)

    def is_near(self, offset: int) -> bool:
        """Return whether waiting for the byte at ``offset`` is better than asking upstream for it alone."""
        missing = self.spool.missing(offset)
        rate = self._rate.per_second(self._clock.seconds())
        return self.parts_refused or missing < NEAR or missing < NEAR_SECONDS * rate

    def _end(self, _: None) -> None:
        self.spool.leave()
        self.done.callback(None)

    def cancel(self) -> None:
        """Break it off, unless everything has come and only has to be kept."""
        if self._call is not None and not self.spool.finished:
            self._call.cancel()

    async def _run(self, staging: Staging, blobs: BlobStore) -> None:
        staged = await staging.create()
        self.spool.begin(staged)
        try:
            await self._source.fetcher.file(self._source.url, _Sink(self._source, self.spool, self._arrived))
            self.spool.verify(self._source.sha256)
            # Right: the readers can have the end while the disk still works.
            self.spool.finish()
            await blobs.add(staged)
        finally:
            staged.unlink()
        # More may come while one is awaited.
        while self.kept:
            await self.kept.pop()()

    def _arrived(self, size: int) -> None:
        self._rate.count(self._clock.seconds(), size)

    def _failed(self, failure: Failure) -> None:
        reported = self._report(failure)
        if not self.spool.finished:
            self.spool.fail(reported)

    def _report(self, failure: Failure) -> Failure:
        """Log what went wrong, and return it in the words that a client should read."""
        if failure.check(CancelledError):
            return Failure(UpstreamUnavailable("pypid is stopping"))
        if failure.check(DigestMismatch):
            self._log.error("{url} was not kept: {why}", url=self._source.url, why=failure.value)
        elif failure.check(UpstreamUnavailable):
            self._log.warn("{url} was not fetched: {why}", url=self._source.url, why=failure.value)
        elif failure.check(OSError):
            self._log.error("{url} was not kept: {why}", url=self._source.url, why=failure.value)
            return Failure(StorageFull(f"the file cannot be stored: {failure.value}"))
        else:
            self._log.failure("{url} was not kept", failure, url=self._source.url)
        return failure


class _Sink:
    """Pass what upstream sends on to a spool."""

    def __init__(self, source: Source, spool: Spool, arrived: Callable[[int], None]) -> None:
        self._source = source
        self._spool = spool
        self._arrived = arrived

    def begin(self, size: int | None) -> None:
        promised = self._source.size
        if promised is not None and size is not None and size != promised:
            raise UpstreamBroken(f"upstream announces {size} bytes for a file of {promised}")
        self._spool.announce(promised if size is None else size)

    async def write(self, data: bytes) -> None:
        self._arrived(len(data))
        await self._spool.write(data)
