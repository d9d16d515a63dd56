"""Fetching files: one upstream transfer for each digest, however many clients want it."""

from __future__ import annotations

from twisted.internet.defer import Deferred, DeferredList

from pypid.indexes.index import FileBody
from pypid.indexes.stored import StoredFile
from pypid.indexes.transfer import Kept, Source, Transfer
from pypid.storage.blobs import CHUNK, BlobMissing, BlobStore
from pypid.storage.spool import Spool
from pypid.storage.staging import Staging


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
        self._transfers: dict[str, Transfer] = {}

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

    def join(self, source: Source, kept: Kept) -> FileBody:
        """Return a body over the transfer of that digest, starting it if there is none."""
        transfer = self._transfers.get(source.sha256)
        joined = transfer is not None
        if transfer is None:
            transfer = self._transfers[source.sha256] = Transfer(source)
            transfer.done.addCallback(self._forget, source.sha256)
        transfer.kept.append(kept)
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
            self._opened = stored or self._downloads.join(self._source, self._kept)
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
