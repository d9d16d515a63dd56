"""A file that is read while it arrives."""

from __future__ import annotations

from pypid.domain.cache_status import CacheStatus, Forwarded
from pypid.domain.names import IndexName
from pypid.domain.ranges import ByteRange
from pypid.indexes.source import Source
from pypid.indexes.transfer import Transfer
from pypid.storage.blobs import CHUNK


class SpooledFile:
    """A `FileBody` over the spool of a transfer that may still be under way."""

    def __init__(self, source: Source, transfer: Transfer, *, joined: bool) -> None:
        """``joined``: somebody else has started the transfer."""
        self.cache_status = CacheStatus(forwarded=Forwarded.URI_MISS, stored=True, collapsed=joined)
        self._source = source
        self._transfer = transfer
        self._spool = transfer.spool
        transfer.enter()

    @property
    def index(self) -> IndexName:
        return self._source.index

    @property
    def sha256(self) -> str | None:
        """That which the file must have, where somebody says it; else the one that it has."""
        return self._source.sha256 or self._spool.sha256

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
        self._transfer.leave()
