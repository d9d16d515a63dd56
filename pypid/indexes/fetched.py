"""The files that one mirror has fetched, and those that it will."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.downloads import Downloads
from pypid.indexes.index import FileBody
from pypid.indexes.stored import StoredFile
from pypid.indexes.transfer import Source
from pypid.storage.blobs import BlobMissing, BlobStore
from pypid.storage.records import CachedRecords


class FetchedFiles:
    """Files by what the index's own pages say of them, so that none is served for another index's sake."""

    _log = Logger()

    def __init__(self, index: IndexName, downloads: Downloads, records: CachedRecords, blobs: BlobStore) -> None:
        self._index = index
        self._downloads = downloads
        self._records = records
        self._blobs = blobs

    async def kept(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody | None:
        """Return a file that was fetched before."""
        sha256 = await self._records.file(self._index, project, filename, digest_prefix)
        if sha256 is None:
            return None
        try:
            return StoredFile(sha256, await self._blobs.open(sha256))
        except BlobMissing:
            self._log.warn(
                "the blob {sha256} of {filename} is gone: it is fetched anew", sha256=sha256, filename=filename
            )
            return None

    async def open(self, project: NormalizedName, filename: str, source: Source) -> FileBody:
        """Return a file that is fetched, and kept, when it is first read."""

        async def kept() -> None:
            try:
                await self._records.keep_file(self._index, project, filename, source.sha256)
            except OSError as e:
                # The blob is there: a full disk costs no client the file, and the next one records it.
                self._log.error("{filename} could not be recorded: {why}", filename=filename, why=e)

        return await self._downloads.open(source, kept)
