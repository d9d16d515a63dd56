"""A file that is all here."""

from __future__ import annotations

from pypid.storage.blobs import CHUNK, Blob


class StoredFile:
    """A `FileBody` over a blob."""

    def __init__(self, sha256: str, blob: Blob) -> None:
        self.sha256 = sha256
        self._blob = blob

    async def size(self) -> int:
        return self._blob.size

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        return await self._blob.read(offset, size)

    def close(self) -> None:
        self._blob.close()
