"""An index as somebody sees it who may not read all of its projects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from packaging.version import Version

from pypid.domain.changes import Change
from pypid.domain.files import ProjectPage
from pypid.domain.names import NormalizedName
from pypid.domain.project_list import ProjectList, listed
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.held import Told
from pypid.indexes.index import FileBody, Index
from pypid.offload import Offload

May = Callable[[NormalizedName], bool]
"""Says whether a project may be read."""


class ReadableIndex:
    """
    An `Index` whose lists, searches and changes have only the projects that ``may`` be read.

    Whoever asks for one project has been admitted to that very one before.
    """

    def __init__(self, index: Index, may: May, *, scope: str, offload: Offload) -> None:
        """``scope``: of equal ones the same may be read; ``offload``: where long lists are gone through."""
        self.name = index.name
        self._index = index
        self._may = may
        self._scope = scope
        self._offload = offload

    async def project_list(self) -> ProjectList:
        whole = await self._index.project_list()
        readable = await self._offload(lambda: listed(filter(self._may, whole)))
        return replace(readable, cache_status=whole.cache_status)

    @property
    def hosted_revision(self) -> str:
        return f"{self._index.hosted_revision} for {self._scope}"

    async def hosted_pages(self) -> list[ProjectPage]:
        return [page for page in await self._index.hosted_pages() if self._may(page.name)]

    async def hosted_changes(self) -> list[Change]:
        return [change for change in await self._index.hosted_changes() if self._may(change.project)]

    async def search(self, query: Query) -> list[Hit]:
        return [hit for hit in await self._index.search(query) if self._may(hit.project)]

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:
        return await self._index.project_page(project, newest=newest)

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._index.open_file(project, filename, digest_prefix)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._index.open_core_metadata(project, filename, digest_prefix)

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        return await self._index.provenance(project, filename, digest_prefix)

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        return await self._index.signature(project, filename, digest_prefix)

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:
        return await self._index.release_facts(project, version, latest=latest)
