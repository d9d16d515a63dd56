"""A part of a file straight from upstream, for one client that only looks into the file."""

from __future__ import annotations

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.python.failure import Failure

from pypid.domain.ranges import ByteRange
from pypid.indexes.source import Source
from pypid.storage.blobs import CHUNK

ROOM = 64 * 1024
"""
Bytes that wait for the client before upstream is paused.

uv looks at 16 KiB and poetry at 10 kB: these never hold a connection to
upstream for as long as their client is slow.
"""


class Excerpt:
    """
    One part of a file, read once from its start to its end, at the client's pace.

    Nothing vouches for its bytes, which is why they are kept nowhere: the
    digest is that of the whole file.
    """

    def __init__(self, source: Source, part: ByteRange, places: DeferredSemaphore) -> None:
        """``places``: how many may be fetched at a time; the others wait."""
        self.part = part
        self._source = source
        self._places = places
        self._missing = part.stop - part.start
        self._arrived = bytearray()
        self._call: Deferred[None] | None = None
        self._ended = False
        self._failure: Failure | None = None
        self._arrival: Deferred[None] | None = None
        self._room: Deferred[None] | None = None

    async def read(self, size: int = CHUNK) -> bytes:
        """
        Return the next bytes, up to ``size``, waiting for them to arrive.

        Returns ``b""`` at the part's end. Raises `RangesRefused` or another `UpstreamUnavailable`.
        """
        if self._call is None:
            self._call = Deferred.fromCoroutine(self._fetch())
            self._call.addErrback(self._failed).addCallback(self._end)
        while not self._arrived and not self._ended:
            self._arrival = Deferred()
            await self._arrival
        if not self._arrived and self._failure is not None:
            self._failure.raiseException()
        piece = bytes(self._arrived[:size])
        del self._arrived[:size]
        if len(self._arrived) < ROOM:
            _wake(self._room)
        return piece

    def close(self) -> None:
        if self._missing == 0:
            # Upstream has only to end its answer, and its connection is good for the next one.
            _wake(self._room)
        elif self._call is not None:
            self._call.cancel()

    async def _fetch(self) -> None:
        await self._places.acquire()
        try:
            await self._source.fetcher.part(self._source.url, self.part, self._take)
        finally:
            self._places.release()

    def _failed(self, failure: Failure) -> None:
        self._failure = failure

    def _end(self, _: None) -> None:
        self._ended = True
        _wake(self._arrival)

    async def _take(self, data: bytes) -> None:
        self._missing -= len(data)
        self._arrived += data
        _wake(self._arrival)
        if len(self._arrived) >= ROOM:
            self._room = Deferred()
            await self._room


def _wake(waiting: Deferred[None] | None) -> None:
    if waiting is not None and not waiting.called:
        waiting.callback(None)
