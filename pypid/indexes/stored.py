"""A file that is all here."""

from __future__ import annotations

from pypid.domain.cache_status import HIT
from pypid.domain.names import IndexName
from pypid.domain.ranges import ByteRange
from pypid.storage.blobs import CHUNK, Blob, BlobStore
from pypid.storage.staging import Staging


class StoredFile:
    """A `FileBody` over a blob."""

    cache_status = HIT

    def __init__(self, index: IndexName, sha256: str, blob: Blob, *, verified: bool = True) -> None:
        self.index = index
        self.sha256 = sha256
        self.verified = verified
        self._blob = blob

    async def size(self) -> int:
        return self._blob.size

    announced_size = size

    def narrow(self, part: ByteRange) -> None: ...

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        return await self._blob.read(offset, size)

    def close(self) -> None:
        self._blob.close()


async def keep(content: bytes, staging: Staging, blobs: BlobStore) -> str:
    """Put ``content`` into the blob store, and return its sha256."""
    staged = await staging.create()
    try:
        await staged.write(content)
        return await blobs.add(staged)
    finally:
        staged.close()
