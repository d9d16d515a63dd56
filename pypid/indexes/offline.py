"""A mirror while its upstream is not asked."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from packaging.version import Version

from pypid.domain.cache_status import CacheStatus
from pypid.domain.changes import Change
from pypid.domain.errors import FileNotFound, UpstreamUnavailable
from pypid.domain.filenames import FileKind, parse_filename
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.held import Told
from pypid.indexes.index import FileBody
from pypid.indexes.mirror import MirrorIndex
from pypid.storage.cached import CachedRecords, KeptFiles

T = TypeVar("T")


class OfflineIndex:
    """
    An `Index` that shows what is here of a mirror, and nothing that could not be had.

    Of all else nobody can say whether it exists: that is `UpstreamUnavailable`,
    never "not found", for which installers would look in other indexes.
    """

    hosted_revision = "none"

    def __init__(self, mirror: MirrorIndex, records: CachedRecords) -> None:
        """``mirror``: one that asks nobody."""
        self.name = mirror.name
        self._mirror = mirror
        self._records = records

    async def project_list(self) -> ProjectList:
        return replace(await self._records.projects_with_files(self.name), cache_status=CacheStatus(detail="offline"))

    async def hosted_pages(self) -> list[ProjectPage]:
        return []

    async def hosted_changes(self) -> list[Change]:
        return []

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:  # noqa: ARG002
        page = await self._mirror.project_page(project)
        kept = await self._records.files(self.name, project)
        files = tuple(_as_kept(file, kept) for file in page.files if (file.filename, file.identity) in kept)
        if page.files and not files:
            raise self._unknown(f"no file of {project} is")
        return page.revised(files, (f"{file.filename} {file.core_metadata}" for file in files))

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._here(self._mirror.open_file(project, filename, digest_prefix), filename)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        opening = self._mirror.open_core_metadata(project, filename, digest_prefix)
        return await self._here(opening, f"{filename}.metadata")

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        asking = self._mirror.provenance(project, filename, digest_prefix)
        return await self._here(asking, f"{filename}.provenance")

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        return await self._mirror.signature(project, filename, digest_prefix)

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:
        return await self._mirror.release_facts(project, version, latest=latest)

    async def search(self, query: Query) -> list[Hit]:
        return await self._mirror.search(query)

    async def _here(self, asking: Awaitable[T], what: str) -> T:
        try:
            return await asking
        except FileNotFound as e:
            raise self._unknown(f"{what} is not") from e

    def _unknown(self, what: str) -> UpstreamUnavailable:
        return UpstreamUnavailable(f"{self.name} is offline, and {what} here", retry_after=1, detail="offline")


def _as_kept(file: DistributionFile, kept: KeptFiles) -> DistributionFile:
    """Return ``file`` without core metadata that is not here: that of a wheel can be read from it."""
    if file.core_metadata is None or parse_filename(file.filename).kind is FileKind.WHEEL:
        return file
    return file if (f"{file.filename}.metadata", file.core_metadata) in kept else replace(file, core_metadata=None)
