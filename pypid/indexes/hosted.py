"""The index of what was uploaded to it."""

from __future__ import annotations

from dataclasses import replace

from packaging.version import Version
from twisted.logger import Logger

from pypid.domain.cache_status import HIT
from pypid.domain.changes import Change
from pypid.domain.errors import FileNotFound, ProjectNotFound, StoredFileMissing
from pypid.domain.filenames import parse_filename
from pypid.domain.files import DistributionFile, ProjectPage, offered, versions_of
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.held import Told
from pypid.indexes.index import FileBody
from pypid.indexes.stored import StoredFile
from pypid.storage.blobs import BlobMissing, BlobStore
from pypid.storage.hosted import HostedRecords
from pypid.storage.hosted_file import HostedFile


class HostedIndex:
    """An `Index` over the records of what was uploaded to ``name``."""

    _log = Logger()

    def __init__(self, name: IndexName, records: HostedRecords, blobs: BlobStore) -> None:
        self.name = name
        self._records = records
        self._blobs = blobs

    async def project_list(self) -> ProjectList:
        return await self._records.projects(self.name)

    @property
    def hosted_revision(self) -> str:
        return f"after {self._records.changes} uploads"

    async def hosted_pages(self) -> list[ProjectPage]:
        return [_shown(page) for page in await self._records.pages(self.name)]

    async def hosted_changes(self) -> list[Change]:
        return await self._records.last_changes(self.name)

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:  # noqa: ARG002
        page = await self._records.page(self.name, project)
        if page is None:
            raise ProjectNotFound(f"{self.name} has no project {project}")
        return _shown(page)

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        file = await self._find(project, filename, digest_prefix)
        return await self._open(filename, file.identity)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        file = await self._find(project, filename, digest_prefix)
        if file.core_metadata is None:
            raise FileNotFound(f"{filename} has no core metadata beside it")
        return await self._open(f"{filename}.metadata", file.core_metadata)

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        file = await self._row(project, filename, digest_prefix)
        if file is None or file.provenance is None:
            raise FileNotFound(f"{filename} has no provenance")
        return Told(await self._read(await self._open(f"{filename}.provenance", file.provenance)), HIT)

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        file = await self._row(project, filename, digest_prefix)
        if file is None or file.signature is None:
            raise FileNotFound(f"{filename} has no signature")
        return await self._read(await self._open(f"{filename}.asc", file.signature))

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:  # noqa: ARG002
        page = await self.project_page(project)
        described = next((file for file in reversed(page.files) if _has_metadata_of(file, version)), None)
        return ReleaseFacts(
            metadata=b"" if described is None else await self._metadata(project, described),
            digests=await self._records.other_digests(self.name, project),
        )

    async def search(self, query: Query) -> list[Hit]:
        return await self._records.search(self.name, query)

    async def _metadata(self, project: NormalizedName, file: DistributionFile) -> bytes:
        """Read the METADATA, which an upload may not have longer than 10 MiB."""
        return await self._read(await self.open_core_metadata(project, file.filename, file.digest_prefix))

    async def _read(self, body: FileBody) -> bytes:
        """Read what is small to its end, and close it."""
        parts: list[bytes] = []
        offset = 0
        try:
            while part := await body.read(offset):
                parts.append(part)
                offset += len(part)
        finally:
            body.close()
        return b"".join(parts)

    async def _row(self, project: NormalizedName, filename: str, digest_prefix: str) -> HostedFile | None:
        """Return the record of a file that is shown; None if it went away meanwhile."""
        await self._find(project, filename, digest_prefix)
        file = await self._records.file(self.name, filename)
        return file if file is not None and file.sha256.startswith(digest_prefix) else None

    async def _find(self, project: NormalizedName, filename: str, digest_prefix: str) -> DistributionFile:
        page = await self.project_page(project)
        file = page.find(filename, digest_prefix)
        if file is None:
            raise FileNotFound(f"{project} has no such file in {self.name}")
        return file

    async def _open(self, filename: str, sha256: str) -> FileBody:
        try:
            return StoredFile(self.name, sha256, await self._blobs.open(sha256))
        except BlobMissing as e:
            # Never "not found": installers would look for it in another index.
            self._log.critical("the blob {sha256} of {filename} is gone", sha256=sha256, filename=filename)
            raise StoredFileMissing(f"{filename} cannot be read: its bytes are gone from the store") from e


def _shown(page: ProjectPage) -> ProjectPage:
    """Return ``page`` without what may not be shown, nor be opened."""
    files = offered(page.files, page.status)
    return page if files == page.files else replace(page, files=files, versions=versions_of(files))


def _has_metadata_of(file: DistributionFile, version: Version) -> bool:
    return file.core_metadata is not None and parse_filename(file.filename).version == version
