"""The index that another one has, asked for what is needed and remembered."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.domain.errors import FileNotFound
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.downloads import Downloads
from pypid.indexes.index import FileBody
from pypid.indexes.pages import MirroredPages
from pypid.indexes.stored import StoredFile
from pypid.indexes.transfer import Fetcher, Source
from pypid.storage.blobs import BlobMissing, BlobStore
from pypid.storage.records import CachedRecords


class MirrorIndex:
    """An `Index` over an upstream's pages and files."""

    _log = Logger()

    def __init__(
        self,
        name: IndexName,
        pages: MirroredPages,
        *,
        fetcher: Fetcher,
        downloads: Downloads,
        records: CachedRecords,
        blobs: BlobStore,
    ) -> None:
        self.name = name
        self._pages = pages
        self._fetcher = fetcher
        self._downloads = downloads
        self._records = records
        self._blobs = blobs

    async def project_list(self) -> list[NormalizedName]:
        return await self._pages.known()

    async def hosted_projects(self) -> list[NormalizedName]:
        return []

    async def project_page(self, project: NormalizedName) -> ProjectPage:
        return await self._pages.get(project)

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        # Asked first: what was fetched is served even when the page no longer lists it (lock files).
        kept = await self._open_kept(project, filename, digest_prefix)
        if kept is not None:
            return kept
        file, url = await self._find(project, filename, digest_prefix)
        source = Source(url=url, sha256=file.sha256, size=file.size, fetcher=self._fetcher)
        return await self._fetch(project, filename, source)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        file, url = await self._find(project, filename, digest_prefix)
        if file.core_metadata is None:
            raise FileNotFound(f"{filename} has no core metadata beside it")
        beside = f"{filename}.metadata"
        kept = await self._open_kept(project, beside, file.core_metadata)
        if kept is not None:
            return kept
        source = Source(url=f"{url}.metadata", sha256=file.core_metadata, size=None, fetcher=self._fetcher)
        return await self._fetch(project, beside, source)

    async def _fetch(self, project: NormalizedName, filename: str, source: Source) -> FileBody:
        async def kept() -> None:
            try:
                await self._records.keep_file(self.name, project, filename, source.sha256)
            except OSError as e:
                # The blob is there: a full disk costs no client the file, and the next one records it.
                self._log.error("{filename} could not be recorded: {why}", filename=filename, why=e)

        return await self._downloads.open(source, kept)

    async def _open_kept(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody | None:
        """Return a file of this index that was fetched before."""
        sha256 = await self._records.file(self.name, project, filename, digest_prefix)
        if sha256 is None:
            return None
        try:
            return StoredFile(sha256, await self._blobs.open(sha256))
        except BlobMissing:
            self._log.warn(
                "the blob {sha256} of {filename} is gone: it is fetched anew", sha256=sha256, filename=filename
            )
            return None

    async def _find(self, project: NormalizedName, filename: str, digest_prefix: str) -> tuple[DistributionFile, str]:
        """Return the file and where upstream has it."""
        file = (await self._pages.get(project)).find(filename, digest_prefix)
        if file is None or file.origin is None:
            raise FileNotFound(f"{project} has no such file in {self.name}")
        return file, file.origin
