"""One file on its way from upstream, through a spool, into the blob store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid.domain.abandoned import is_worth_finishing
from pypid.domain.errors import DigestMismatch, StorageFull, UpstreamUnavailable
from pypid.domain.rate import Rate
from pypid.indexes.fetching import Fetching
from pypid.indexes.refusals import Refusals
from pypid.indexes.room import NO_SPACE, Room
from pypid.indexes.source import Source
from pypid.storage.blobs import BlobStore
from pypid.storage.spool import Spool
from pypid.storage.staging import Staging
from pypid.upstream.hosts import LEFT_ALONE

NEAR = 8 * 1024 * 1024
"""Bytes for which a reader waits rather than ask upstream for a part of its own: an eighth of a second at 64 MB/s."""

NEAR_SECONDS = 5.0
"""Seconds for which one waits, as fast as bytes come now: a third of the 15 after which pip gives up."""

Kept = Callable[[str], Awaitable[None]]
"""Called with the file's sha256 when its blob is durable, to write down whose file it is."""

LINGER = 10.0
"""Seconds that a file which is not worth finishing waits for its client's next try: pip makes it within one."""


class Transfer:
    """
    One file on its way from upstream, through a spool, into the blob store.

    Who reads the spool must `enter` and `leave`. When the last has left, the
    file is fetched all the same where that is worth it; else, after `LINGER`
    seconds in which nobody came, it is broken off.
    """

    _log = Logger()

    def __init__(self, source: Source, refusals: Refusals, clock: IReactorTime, room: Room | None) -> None:
        self.spool = Spool(self._make_room)
        self.fetching = Fetching(source, self.spool, refusals, arrived=self._arrived)
        self.parts_refused = False
        """Upstream is known to send this file only whole."""
        self.kept: list[Kept] = []
        self.done: Deferred[None] = Deferred()
        self._source = source
        self._clock = clock
        self._room = room
        self._rate = Rate(clock.seconds())
        self._call: Deferred[None] | None = None
        self._followers = 0
        self._lingering: IDelayedCall | None = None

    def start(self, staging: Staging, blobs: BlobStore) -> None:
        # One of the spool's readers: it stays open for whoever joins until the blob can be opened instead.
        self.spool.enter()
        self._call = Deferred.fromCoroutine(self._run(staging, blobs))
        self._call.addErrback(self._failed)
        self._call.addCallback(self._end)

    def enter(self) -> None:
        self._followers += 1
        self._stop_lingering()
        self.spool.enter()

    def leave(self) -> None:
        self._followers -= 1
        if not (self._followers or self.done.called or self.spool.finished or self._is_worth_finishing()):
            self._lingering = self._clock.callLater(LINGER, self._abandon)
        self.spool.leave()

    def _is_worth_finishing(self) -> bool:
        return is_worth_finishing(self.spool.arrived, self.fetching.size)

    def _abandon(self) -> None:
        if not self._is_worth_finishing():
            self._log.info("{url} is wanted by nobody any more, and left", url=self._source.url)
            self.cancel()

    def _stop_lingering(self) -> None:
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()

    def is_near(self, offset: int) -> bool:
        """Return whether waiting for the byte at ``offset`` is better than asking upstream for it alone."""
        missing = self.spool.missing(offset)
        rate = self._rate.per_second(self._clock.seconds())
        return self.parts_refused or missing < NEAR or missing < NEAR_SECONDS * rate

    def _end(self, _: None) -> None:
        self._stop_lingering()
        self.spool.leave()
        self.done.callback(None)

    def cancel(self) -> None:
        """Break it off, unless everything has come and only has to be kept."""
        if self._call is not None and not self.spool.finished:
            self._call.cancel()

    async def _run(self, staging: Staging, blobs: BlobStore) -> None:
        staged = await staging.create(*self._source.digests)
        self.spool.begin(staged)
        try:
            await self.fetching.run()
            # Right: the readers can have the end while the disk still works.
            self.spool.finish()
            if self._room is not None and not await self._room.admits(staged.sha256, staged.size):
                self._log.info("{url} is not kept: there is no room for it", url=self._source.url)
                return
            sha256 = await blobs.add(staged)
        finally:
            staged.unlink()
        # More may come while one is awaited.
        while self.kept:
            await self.kept.pop()(sha256)

    async def _make_room(self, why: OSError, size: int) -> bool:
        return self._room is not None and why.errno in NO_SPACE and await self._room.make(size)

    def _arrived(self, size: int) -> None:
        self._rate.count(self._clock.seconds(), size)

    def _failed(self, failure: Failure) -> None:
        reported = self._report(failure)
        if not self.spool.finished:
            self.spool.fail(reported)

    def _report(self, failure: Failure) -> Failure:
        """Log what went wrong, and return it in the words that a client should read."""
        if failure.check(CancelledError):
            return Failure(UpstreamUnavailable("the transfer was broken off: pypid is stopping"))
        if failure.check(DigestMismatch):
            self._log.error("{url} was not kept: {why}", url=self._source.url, why=failure.value)
        elif failure.check(UpstreamUnavailable):
            # Not once for each file while upstream is left alone: that it is was said when it failed.
            detail = getattr(failure.value, "detail", None)
            log = self._log.debug if detail == LEFT_ALONE else self._log.warn
            log("{url} was not fetched: {why}", url=self._source.url, why=failure.value)
        elif failure.check(OSError):
            self._log.error("{url} was not kept: {why}", url=self._source.url, why=failure.value)
            return Failure(StorageFull(f"the file cannot be stored: {failure.value}"))
        else:
            self._log.failure("{url} was not kept", failure, url=self._source.url)
        return failure
