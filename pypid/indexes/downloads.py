"""Fetching files: one upstream transfer for each digest, however many clients want it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid.domain.errors import DigestMismatch, StorageFull, UpstreamBroken, UpstreamUnavailable
from pypid.indexes.index import FileBody
from pypid.indexes.stored import StoredFile
from pypid.storage.blobs import CHUNK, BlobMissing, BlobStore
from pypid.storage.spool import Spool
from pypid.storage.staging import Staging
from pypid.upstream.client import FileSink

Kept = Callable[[], Awaitable[None]]
"""Called when the file's blob is durable, to write down whose file it is."""


class Fetcher(Protocol):
    """Where a file's bytes come from; `UpstreamClient` is one."""

    async def file(self, url: str, sink: FileSink) -> None: ...

    async def file_size(self, url: str) -> int | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that is not here yet."""

    url: str
    sha256: str
    size: int | None
    """Bytes, where the index page says."""
    fetcher: Fetcher


class Downloads:
    """
    The transfers under way.

    A transfer belongs to nobody: clients read its spool, each at its own pace,
    and one that leaves stops only itself. What arrives is kept only if its
    sha256 is right.
    """

    def __init__(self, staging: Staging, blobs: BlobStore) -> None:
        self._staging = staging
        self._blobs = blobs
        self._transfers: dict[str, _Transfer] = {}

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

    def join(self, source: Source, kept: Kept) -> Spool:
        """Return the spool of the transfer of that digest, starting it if there is none."""
        transfer = self._transfers.get(source.sha256)
        if transfer is None:
            transfer = self._transfers[source.sha256] = _Transfer(source)
            transfer.kept.append(kept)
            # Filed first: it may be over before start() returns.
            transfer.done.addCallback(self._forget, source.sha256)
            transfer.start(self._staging, self._blobs)
        else:
            transfer.kept.append(kept)
        return transfer.spool

    def _forget(self, _: None, sha256: str) -> None:
        del self._transfers[sha256]

    def stop(self) -> Deferred[object]:
        """Break off what is still arriving; fires when the rest is kept, and nothing is left in staging."""
        transfers = list(self._transfers.values())
        for transfer in transfers:
            transfer.cancel()
        return DeferredList([transfer.done for transfer in transfers]).addCallback(lambda _: None)


class _Transfer:
    """One file on its way from upstream, through a spool, into the blob store."""

    _log = Logger()

    def __init__(self, source: Source) -> None:
        self.spool = Spool()
        self.kept: list[Kept] = []
        self.done: Deferred[None] = Deferred()
        self._source = source
        self._call: Deferred[None] | None = None

    def start(self, staging: Staging, blobs: BlobStore) -> None:
        # One of the spool's readers: it stays open for whoever joins until the blob can be opened instead.
        self.spool.enter()
        self._call = Deferred.fromCoroutine(self._run(staging, blobs))
        self._call.addErrback(self._failed)
        self._call.addCallback(self._end)

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
            await self._source.fetcher.file(self._source.url, _Sink(self._source, self.spool))
            self.spool.verify(self._source.sha256)
            # Right: the readers can have the end while the disk still works.
            self.spool.finish()
            await blobs.add(staged)
        finally:
            staged.unlink()
        # More may come while one is awaited.
        while self.kept:
            await self.kept.pop()()

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

    def __init__(self, source: Source, spool: Spool) -> None:
        self._source = source
        self._spool = spool

    def begin(self, size: int | None) -> None:
        promised = self._source.size
        if promised is not None and size is not None and size != promised:
            raise UpstreamBroken(f"upstream announces {size} bytes for a file of {promised}")
        self._spool.announce(promised if size is None else size)

    async def write(self, data: bytes) -> None:
        await self._spool.write(data)


class _ArrivingFile:
    """A `FileBody` that starts, or joins, a transfer when it is first read."""

    def __init__(self, downloads: Downloads, source: Source, kept: Kept) -> None:
        self.sha256 = source.sha256
        self._downloads = downloads
        self._source = source
        self._kept = kept
        self._opened: FileBody | None = None

    async def size(self) -> int:
        if self._source.size is not None:
            return self._source.size
        if self._opened is not None:
            return await self._opened.size()
        spool = self._downloads.spool(self.sha256)
        if spool is not None:
            return await spool.announced()
        size = await self._source.fetcher.file_size(self._source.url)
        return await (await self._open()).size() if size is None else size

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        return await (await self._open()).read(offset, size)

    async def _open(self) -> FileBody:
        if self._opened is None:
            # It may have arrived, for somebody else, since this was made.
            stored = await self._downloads.stored(self._source, self._kept)
            self._opened = stored or _SpooledFile(self.sha256, self._downloads.join(self._source, self._kept))
        return self._opened

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


class _SpooledFile:
    """A `FileBody` over a spool that may still be growing."""

    def __init__(self, sha256: str, spool: Spool) -> None:
        self.sha256 = sha256
        self._spool = spool
        spool.enter()

    async def size(self) -> int:
        return await self._spool.announced()

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        return await self._spool.read(offset, size)

    def close(self) -> None:
        self._spool.leave()
