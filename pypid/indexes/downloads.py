"""Fetching files: one upstream transfer for each of them, however many clients want it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from twisted.internet.defer import Deferred, DeferredList, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from pypid.domain.cache_status import HIT, CacheStatus, Forwarded
from pypid.domain.errors import RangesRefused, UpstreamBroken, UpstreamLacksFile
from pypid.domain.names import IndexName
from pypid.domain.ranges import ByteRange
from pypid.indexes.excerpts import Excerpt
from pypid.indexes.index import FileBody
from pypid.indexes.refusals import Refusals
from pypid.indexes.room import Room
from pypid.indexes.source import Source
from pypid.indexes.spooled import SpooledFile
from pypid.indexes.stored import StoredFile
from pypid.indexes.transfer import NEAR, Kept, Transfer
from pypid.storage.blobs import CHUNK, BlobMissing, BlobStore
from pypid.storage.spool import Spool
from pypid.storage.staging import Staging

T = TypeVar("T")

MAX_EXCERPTS = 20
"""Upstream connections for parts of files: as many as are kept open between requests. What is more waits its turn."""

Lost = Callable[[], Awaitable[None]]
"""Called when upstream has no such file; raises `FileNotFound` if its page, asked for anew, has it no more either."""


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

    def __init__(self, staging: Staging, blobs: BlobStore, clock: IReactorTime, room: Room | None = None) -> None:
        """``room``: decides what is kept; without one everything is."""
        self._room = room
        self._staging = staging
        self._blobs = blobs
        self._clock = clock
        self._transfers: dict[str, Transfer] = {}
        self._refusals = Refusals(clock.seconds)
        self._excerpts = DeferredSemaphore(MAX_EXCERPTS)

    def __len__(self) -> int:
        return len(self._transfers)

    async def open(self, source: Source, kept: Kept, lost: Lost | None = None) -> FileBody:
        """Return the file's body: from the store, else from a transfer that its first read starts or joins."""
        stored = await self.stored(source, kept)
        return _ArrivingFile(self, source, kept, lost) if stored is None else stored

    async def stored(self, source: Source, kept: Kept) -> FileBody | None:
        """Return the file's body if its bytes are here, whichever index they were first fetched for."""
        try:
            blob = await self._blobs.open(source.sha256) if source.sha256 is not None else None
        except BlobMissing:
            blob = None
        if blob is None or source.sha256 is None:
            return None
        try:
            await kept(source.sha256)
        except BaseException:
            blob.close()
            raise
        return StoredFile(source.index, source.sha256, blob)

    def spool(self, key: str) -> Spool | None:
        """Return the spool of the transfer of that `Source.key`, if there is one."""
        transfer = self._transfers.get(key)
        return None if transfer is None else transfer.spool

    async def excerpt(self, source: Source, part: ByteRange, size: int) -> Excerpt | None:
        """Return ``part`` of the file of ``size`` bytes, or None if all of it is here, or worth waiting for."""
        if source.sha256 is not None and await self._blobs.has(source.sha256):
            return None
        transfer = self._transfers.get(source.key)
        if transfer is None:
            self._refusals.check(source)
        near = size < NEAR if transfer is None else transfer.is_near(part.start)
        return None if near or part.stop - part.start > NEAR else Excerpt(source, part, self._excerpts)

    def join(self, source: Source, kept: Kept, *, parts_refused: bool = False) -> FileBody:
        """
        Return a body over the transfer of that source, starting it if there is none.

        ``parts_refused``: nobody need ask upstream for an excerpt meanwhile.
        Raises `UpstreamBroken` where upstream has just shown that it has not
        this file, but another or none.
        """
        transfer = self._transfers.get(source.key)
        joined = transfer is not None
        if transfer is None:
            self._refusals.check(source)
            transfer = self._transfers[source.key] = Transfer(source, self._refusals, self._clock, self._room)
            transfer.done.addCallback(self._forget, source.key)
        transfer.fetching.add(source)
        transfer.kept.append(kept)
        transfer.parts_refused |= parts_refused
        body = SpooledFile(source, transfer, joined=joined)
        if not joined:
            # Last: it may be over before start() returns.
            transfer.start(self._staging, self._blobs)
        return body

    def refuse(self, source: Source, why: UpstreamBroken) -> None:
        """Do not ask for the file again for a while."""
        self._refusals.refuse(source, why)

    def _forget(self, _: None, key: str) -> None:
        del self._transfers[key]

    def stop(self) -> Deferred[object]:
        """Break off what is still arriving; fires when the rest is kept, and nothing is left in staging."""
        transfers = list(self._transfers.values())
        for transfer in transfers:
            transfer.cancel()
        return DeferredList([transfer.done for transfer in transfers]).addCallback(lambda _: None)


class _ArrivingFile:
    """A `FileBody` that starts, or joins, a transfer when it is first read, or gets along without one."""

    _log = Logger()

    def __init__(self, downloads: Downloads, source: Source, kept: Kept, lost: Lost | None) -> None:
        self._downloads = downloads
        self._source = source
        self._kept = kept
        self._lost = lost
        self._asked = False
        self._size = source.size
        self._part: ByteRange | None = None
        self._excerpt: Excerpt | None = None
        self._opened: FileBody | None = None

    @property
    def index(self) -> IndexName:
        return self._source.index

    @property
    def sha256(self) -> str | None:
        return self._source.sha256 if self._opened is None else self._opened.sha256

    @property
    def verified(self) -> bool:
        return self._opened is not None and self._opened.verified

    @property
    def cache_status(self) -> CacheStatus:
        if self._opened is not None:
            return self._opened.cache_status
        if self._excerpt is not None:
            return CacheStatus(forwarded=Forwarded.PARTIAL)
        return CacheStatus(forwarded=Forwarded.URI_MISS) if self._asked else HIT

    async def size(self) -> int:
        return await self._told(self._find_size())

    async def announced_size(self) -> int | None:
        return await self._told(self._find_announced_size())

    async def _find_size(self) -> int:
        size = await self._find_announced_size()
        return await (await self._open()).size() if size is None else size

    async def _find_announced_size(self) -> int | None:
        if self._size is None:
            self._size = await self._ask_size()
        return self._size

    async def _ask_size(self) -> int | None:
        if self._opened is not None:
            return await self._opened.size()
        spool = self._downloads.spool(self._source.key)
        if spool is not None:
            return await spool.announced()
        self._asked = True
        return await self._source.fetcher.file_size(self._source.url)

    async def _told(self, answer: Awaitable[T]) -> T:
        """Wait for what upstream says; where it has no such file, find out whether that is right."""
        try:
            return await answer
        except UpstreamLacksFile as e:
            if self._lost is not None:
                await self._lost()
            self._downloads.refuse(self._source, e)
            raise

    def narrow(self, part: ByteRange) -> None:
        self._part = part

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        return await self._told(self._read(offset, size))

    async def _read(self, offset: int, size: int) -> bytes:
        if self._part is not None and self._excerpt is None and self._opened is None:
            self._excerpt = await self._downloads.excerpt(self._source, self._part, await self._find_size())
        if self._excerpt is None:
            return await self._read_opened(offset, size)
        try:
            return await self._excerpt.read(size)
        except RangesRefused as e:
            if offset > self._excerpt.part.start:
                raise
            self._log.info("a part of {url} is had by fetching it all: {why}", url=self._source.url, why=e)
        self._excerpt = None
        self._opened = self._downloads.join(self._source, self._kept, parts_refused=True)
        return await self._read_opened(offset, size)

    async def _read_opened(self, offset: int, size: int) -> bytes:
        opened = await self._open()
        data = await opened.read(offset, size)
        if self._size is not None and self._size != (whole := await opened.size()):
            # Another index's page may be right where this one's is wrong.
            raise UpstreamBroken(f"{self._source.url} has {whole} bytes, not the {self._size} that the client was told")
        return data

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
