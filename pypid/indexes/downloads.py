"""Fetching files: one upstream transfer for each digest, however many clients want it."""

from __future__ import annotations

from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pypid.domain.errors import RangesRefused
from pypid.domain.ranges import ByteRange
from pypid.indexes.excerpts import Excerpt
from pypid.indexes.index import FileBody
from pypid.indexes.stored import StoredFile
from pypid.indexes.transfer import NEAR, Kept, Source, Transfer
from pypid.storage.blobs import CHUNK, BlobMissing, BlobStore
from pypid.storage.spool import Spool
from pypid.storage.staging import Staging

MAX_EXCERPTS = 20
"""Upstream connections for parts of files: as many as are kept open between requests. What is more waits its turn."""


class Downloads:
    """
    The transfers under way.

    A transfer belongs to nobody: clients read its spool, each at its own pace,
    and one that leaves stops only itself. What arrives is kept only if its
    sha256 is right.

    Who wants a small part that would be long in coming gets an `Excerpt`. It
    starts no transfer: an installer that looks for the metadata of ten large
    wheels, of which it will take one, would fetch them all.
    """

    def __init__(self, staging: Staging, blobs: BlobStore, clock: IReactorTime) -> None:
        self._staging = staging
        self._blobs = blobs
        self._clock = clock
        self._transfers: dict[str, Transfer] = {}
        self._excerpts = DeferredSemaphore(MAX_EXCERPTS)

    def __len__(self) -> int:
        return len(self._transfers)

    async def open(self, source: Source, kept: Kept) -> FileBody:
        """Return the file's body: from the store, else from a transfer that its first read starts or joins."""
        stored = await self.stored(source, kept)
        return _ArrivingFile(self, source, kept) if stored is None else stored

    async def stored(self, source: Source, kept: Kept) -> FileBody | None:
        """Return the file's body if its bytes are here, whichever index they were first fetched for."""
        try:
            blob = await self._blobs.open(source.sha256)
        except BlobMissing:
            return None
        try:
            await kept()
        except BaseException:
            blob.close()
            raise
        return StoredFile(source.sha256, blob)

    def spool(self, sha256: str) -> Spool | None:
        """Return the spool of the transfer of that digest, if there is one."""
        transfer = self._transfers.get(sha256)
        return None if transfer is None else transfer.spool

    async def excerpt(self, source: Source, part: ByteRange, size: int) -> Excerpt | None:
        """Return ``part`` of the file of ``size`` bytes, or None if all of it is here, or worth waiting for."""
        if await self._blobs.has(source.sha256):
            return None
        transfer = self._transfers.get(source.sha256)
        near = size < NEAR if transfer is None else transfer.is_near(part.start)
        return None if near or part.stop - part.start > NEAR else Excerpt(source, part, self._excerpts)

    def join(self, source: Source, kept: Kept, *, parts_refused: bool = False) -> FileBody:
        """
        Return a body over the transfer of that digest, starting it if there is none.

        ``parts_refused``: nobody need ask upstream for an excerpt meanwhile.
        """
        transfer = self._transfers.get(source.sha256)
        joined = transfer is not None
        if transfer is None:
            transfer = self._transfers[source.sha256] = Transfer(source, self._clock)
            transfer.done.addCallback(self._forget, source.sha256)
        transfer.kept.append(kept)
        transfer.parts_refused |= parts_refused
        body = _SpooledFile(source.sha256, transfer.spool)
        if not joined:
            # Last: it may be over before start() returns.
            transfer.start(self._staging, self._blobs)
        return body

    def _forget(self, _: None, sha256: str) -> None:
        del self._transfers[sha256]

    def stop(self) -> Deferred[object]:
        """Break off what is still arriving; fires when the rest is kept, and nothing is left in staging."""
        transfers = list(self._transfers.values())
        for transfer in transfers:
            transfer.cancel()
        return DeferredList([transfer.done for transfer in transfers]).addCallback(lambda _: None)


class _ArrivingFile:
    """A `FileBody` that starts, or joins, a transfer when it is first read, or gets along without one."""

    _log = Logger()

    def __init__(self, downloads: Downloads, source: Source, kept: Kept) -> None:
        self.sha256 = source.sha256
        self._downloads = downloads
        self._source = source
        self._kept = kept
        self._size = source.size
        self._part: ByteRange | None = None
        self._excerpt: Excerpt | None = None
        self._opened: FileBody | None = None

    @property
    def verified(self) -> bool:
        return self._opened is not None and self._opened.verified

    async def size(self) -> int:
        size = await self.announced_size()
        return await (await self._open()).size() if size is None else size

    async def announced_size(self) -> int | None:
        if self._size is None:
            self._size = await self._ask_size()
        return self._size

    async def _ask_size(self) -> int | None:
        if self._opened is not None:
            return await self._opened.size()
        spool = self._downloads.spool(self.sha256)
        if spool is not None:
            return await spool.announced()
        return await self._source.fetcher.file_size(self._source.url)

    def narrow(self, part: ByteRange) -> None:
        self._part = part

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        if self._part is not None and self._excerpt is None and self._opened is None:
            self._excerpt = await self._downloads.excerpt(self._source, self._part, await self.size())
        if self._excerpt is None:
            return await (await self._open()).read(offset, size)
        try:
            return await self._excerpt.read(size)
        except RangesRefused as e:
            if offset > self._excerpt.part.start:
                raise
            self._log.info("a part of {url} is had by fetching it all: {why}", url=self._source.url, why=e)
        self._excerpt = None
        self._opened = self._downloads.join(self._source, self._kept, parts_refused=True)
        return await self._opened.read(offset, size)

    async def _open(self) -> FileBody:
        if self._opened is None:
            # It may have arrived, for somebody else, since this was made.
            stored = await self._downloads.stored(self._source, self._kept)
            self._opened = stored or self._downloads.join(self._source, self._kept)
        return self._opened

    def close(self) -> None:
        for reading in (self._excerpt, self._opened):
            if reading is not None:
                reading.close()


class _SpooledFile:
    """A `FileBody` over a spool that may still be growing."""

    def __init__(self, sha256: str, spool: Spool) -> None:
        self.sha256 = sha256
        self._spool = spool
        spool.enter()

    @property
    def verified(self) -> bool:
        return self._spool.finished

    async def size(self) -> int:
        return await self._spool.announced()

    announced_size = size

    def narrow(self, part: ByteRange) -> None: ...

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        return await self._spool.read(offset, size)

    def close(self) -> None:
        self._spool.leave()
