"""The index that another one has, asked for what is needed and remembered."""

from __future__ import annotations

from packaging.version import Version

from pypid.domain.changes import Change
from pypid.domain.errors import FileNotFound
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.project_list import ProjectList, united
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.change_feed import ChangeFeed
from pypid.indexes.core_metadata import CoreMetadata
from pypid.indexes.fetched import FetchedFiles
from pypid.indexes.held import Told
from pypid.indexes.index import FileBody
from pypid.indexes.pages import MirroredPages
from pypid.indexes.provenance import MirroredProvenance
from pypid.indexes.source import Fetcher, Source
from pypid.indexes.upstream_json import UpstreamJson
from pypid.indexes.upstream_list import UpstreamList


class MirrorIndex:
    """An `Index` over an upstream's pages and files."""

    def __init__(
        self,
        name: IndexName,
        pages: MirroredPages,
        files: FetchedFiles,
        core_metadata: CoreMetadata,
        upstream_json: UpstreamJson,
        *,
        provenance: MirroredProvenance,
        fetcher: Fetcher,
        upstream_list: UpstreamList | None = None,
        change_feed: ChangeFeed | None = None,
    ) -> None:
        """``upstream_list``: where the project list is to have all of upstream's; ``change_feed``: to be polled."""
        self.change_feed = change_feed
        self.name = name
        self._pages = pages
        self._files = files
        self._core_metadata = core_metadata
        self._provenance = provenance
        self._upstream_json = upstream_json
        self._fetcher = fetcher
        self._upstream_list = upstream_list

    async def project_list(self) -> ProjectList:
        whole = None if self._upstream_list is None else await self._upstream_list.get()
        known = await self._pages.known()
        return known if whole is None else united([known, whole])

    hosted_revision = "none"

    async def hosted_pages(self) -> list[ProjectPage]:
        return []

    async def hosted_changes(self) -> list[Change]:
        return []

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:
        return await self._pages.get(project, newest=newest)

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        # Asked first: what was fetched is served even when the page no longer lists it (lock files).
        kept = await self._files.kept(project, filename, digest_prefix)
        if kept is not None and not await self._pages.withholds(project):
            return kept
        if kept is not None:
            kept.close()
        file, source = await self._find(project, filename, digest_prefix)

        async def lost() -> None:
            page = await self._pages.get(project, newest=True)
            if page.find(filename, digest_prefix) is None:
                raise self._no_file(project)

        return await self._files.open(project, file.filename, source, lost)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        file, source = await self._find(project, filename, digest_prefix)
        return await self._core_metadata.open(project, file, source)

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        file, _ = await self._find(project, filename, digest_prefix)
        return await self._provenance.get(project, file)

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        await self._find(project, filename, digest_prefix)
        raise FileNotFound(f"{filename} has no signature: none are mirrored")

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:
        await self._pages.get(project)  # a project that is not here is another layer's to describe
        return await self._upstream_json.get(project, None if latest else version)

    async def search(self, query: Query) -> list[Hit]:
        return await self._pages.search(query)

    async def _find(
        self, project: NormalizedName, filename: str, digest_prefix: str
    ) -> tuple[DistributionFile, Source]:
        """Return the file and where upstream has it."""
        file = (await self._pages.get(project)).find(filename, digest_prefix)
        if file is None or file.origin is None:
            raise self._no_file(project)
        source = Source(
            url=file.origin,
            sha256=file.sha256,
            size=file.size,
            fetcher=self._fetcher,
            other_digest=file.other_digest,
            index=self.name,
            identity="" if file.verified else file.identity,
        )
        return file, source

    def _no_file(self, project: NormalizedName) -> FileNotFound:
        return FileNotFound(f"{project} has no such file in {self.name}")
