"""The files that one mirror has fetched, and those that it will."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from pypid.domain.learned import LearnedDigest
from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.downloads import Downloads, Lost
from pypid.indexes.index import FileBody
from pypid.indexes.source import Source
from pypid.indexes.stored import StoredFile
from pypid.storage.blobs import BlobMissing, BlobStore
from pypid.storage.cached import CachedRecords


class FetchedFiles:
    """Files by what the index's own pages say of them, so that none is served for another index's sake."""

    _log = Logger()

    def __init__(
        self,
        index: IndexName,
        downloads: Downloads,
        records: CachedRecords,
        blobs: BlobStore,
        *,
        learned: Callable[[NormalizedName, LearnedDigest], None],
    ) -> None:
        """``learned``: told the sha256 of each file whose upstream does not say it."""
        self._learned = learned
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
            return StoredFile(self._index, sha256, await self._blobs.open(sha256))
        except BlobMissing:
            self._log.warn(
                "the blob {sha256} of {filename} is gone: it is fetched anew", sha256=sha256, filename=filename
            )
            return None

    async def open(self, project: NormalizedName, filename: str, source: Source, lost: Lost | None = None) -> FileBody:
        """Return a file that is fetched, and kept, when it is first read."""

        async def kept(sha256: str) -> None:
            try:
                await self._records.keep_file(self._index, project, filename, sha256)
                if source.identity:
                    await self._learn(
                        project, LearnedDigest(filename=filename, identity=source.identity, sha256=sha256)
                    )
            except OSError as e:
                # The blob is there: a full disk costs no client the file, and the next one records it.
                self._log.error("{filename} could not be recorded: {why}", filename=filename, why=e)

        return await self._downloads.open(source, kept, lost)

    async def _learn(self, project: NormalizedName, learned: LearnedDigest) -> None:
        known = await self._records.learn(self._index, project, learned)
        if known.sha256 != learned.sha256:
            self._log.warn(
                "{index}: upstream sends other bytes for {filename} than at first; those stay what it is",
                index=self._index,
                filename=learned.filename,
            )
        self._learned(project, known)
