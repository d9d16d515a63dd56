"""The index of what was uploaded to it."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.domain.errors import FileNotFound, ProjectNotFound, StoredFileMissing
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.indexes.index import FileBody
from pypid.indexes.stored import StoredFile
from pypid.storage.blobs import BlobMissing, BlobStore
from pypid.storage.records import HostedRecords


class HostedIndex:
    """An `Index` over the records of what was uploaded to ``name``."""

    _log = Logger()

    def __init__(self, name: IndexName, records: HostedRecords, blobs: BlobStore) -> None:
        self.name = name
        self._records = records
        self._blobs = blobs

    async def project_list(self) -> list[NormalizedName]:
        return await self._records.projects(self.name)

    async def hosted_projects(self) -> list[NormalizedName]:
        return await self.project_list()

    async def project_page(self, project: NormalizedName) -> ProjectPage:
        page = await self._records.page(self.name, project)
        if page is None:
            raise ProjectNotFound(f"{self.name} has no project {project}")
        return page

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        file = await self._find(project, filename, digest_prefix)
        return await self._open(filename, file.sha256)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        file = await self._find(project, filename, digest_prefix)
        if file.core_metadata is None:
            raise FileNotFound(f"{filename} has no core metadata beside it")
        return await self._open(f"{filename}.metadata", file.core_metadata)

    async def _find(self, project: NormalizedName, filename: str, digest_prefix: str) -> DistributionFile:
        page = await self.project_page(project)
        file = page.find(filename, digest_prefix)
        if file is None:
            raise FileNotFound(f"{project} has no such file in {self.name}")
        return file

    async def _open(self, filename: str, sha256: str) -> FileBody:
        try:
            return StoredFile(sha256, await self._blobs.open(sha256))
        except BlobMissing as e:
            # Never "not found": installers would look for it in another index.
            self._log.critical("the blob {sha256} of {filename} is gone", sha256=sha256, filename=filename)
            raise StoredFileMissing(f"{filename} cannot be read: its bytes are gone from the store") from e
