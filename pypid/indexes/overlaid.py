"""An index with what a team has laid over it."""

from __future__ import annotations

from packaging.version import Version

from pypid.domain.changes import Change
from pypid.domain.errors import FileBlocked
from pypid.domain.files import ProjectPage
from pypid.domain.names import NormalizedName
from pypid.domain.overlay import block_of, laid_over, status_of
from pypid.domain.project_list import ProjectList
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.held import Told
from pypid.indexes.index import FileBody, Index
from pypid.storage.overlays import Overlays


class OverlaidIndex:
    """
    An `Index` over another one, whose releases are yanked or blocked here.

    A project that is blocked as a whole is there, in quarantine and without
    files, whatever the index below says: "not found" would send installers to
    the next one (PEP 792). Nobody is asked about it.
    """

    def __init__(self, index: Index, overlays: Overlays) -> None:
        self.name = index.name
        self._index = index
        self._overlays = overlays

    async def project_list(self) -> ProjectList:
        return await self._index.project_list()

    @property
    def hosted_revision(self) -> str:
        return f"{self._index.hosted_revision}, {self._overlays.changes} rules later"

    async def hosted_pages(self) -> list[ProjectPage]:
        return [await self._laid_over(page) for page in await self._index.hosted_pages()]

    async def hosted_changes(self) -> list[Change]:
        return await self._index.hosted_changes()

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:
        rules = await self._overlays.of(self.name, project)
        if block_of(rules) is not None:
            nothing = ProjectPage(name=project, files=(), revision="blocked", status=status_of(rules))
            return laid_over(nothing, rules)
        return await self._laid_over(await self._index.project_page(project, newest=newest))

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        await self._check(project, filename)
        return await self._index.open_file(project, filename, digest_prefix)

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        await self._check(project, filename)
        return await self._index.open_core_metadata(project, filename, digest_prefix)

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        await self._check(project, filename)
        return await self._index.provenance(project, filename, digest_prefix)

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        await self._check(project, filename)
        return await self._index.signature(project, filename, digest_prefix)

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:
        return await self._index.release_facts(project, version, latest=latest)

    async def search(self, query: Query) -> list[Hit]:
        hits = await self._index.search(query)
        return [hit for hit in hits if block_of(await self._overlays.of(self.name, hit.project)) is None]

    async def _laid_over(self, page: ProjectPage) -> ProjectPage:
        rules = await self._overlays.of(self.name, page.name)
        return laid_over(page, rules) if rules else page

    async def _check(self, project: NormalizedName, filename: str) -> None:
        """Raise `FileBlocked` if nobody may have the file."""
        rule = block_of(await self._overlays.of(self.name, project), filename)
        if rule is not None:
            why = f": {rule.reason}" if rule.reason else ""
            raise FileBlocked(f"{filename} is blocked in {self.name}{why}")
