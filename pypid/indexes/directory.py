"""The index of the files in some directories."""

from __future__ import annotations

from packaging.version import Version

from pypid.domain.catalogue import Catalogue
from pypid.domain.changes import Change
from pypid.domain.errors import FileNotFound, ProjectNotFound
from pypid.domain.files import ProjectPage
from pypid.domain.loose_files import LooseFile
from pypid.domain.names import NormalizedName
from pypid.domain.project_list import ProjectList, listed
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.search import Hit, Query
from pypid.indexes.held import Told
from pypid.indexes.index import FileBody
from pypid.indexes.looks import Looks
from pypid.indexes.loose import LooseFiles, MemoryBody
from pypid.offload import Offload


class DirectoryIndex:
    """
    An `Index` over the directories of ``looks``.

    A project is here as soon as a file is called like one of its files, be it
    half copied or broken: its name is asked for nowhere else.
    """

    def __init__(self, looks: Looks, disk: Offload) -> None:
        self.name = looks.index
        self.looks = looks
        self._disk = disk
        self._files = LooseFiles(looks, disk)

    async def project_list(self) -> ProjectList:
        catalogue = await self.looks.known()
        return listed([]) if catalogue is None else catalogue.project_list

    @property
    def hosted_revision(self) -> str:
        return self.looks.revision

    async def hosted_pages(self) -> list[ProjectPage]:
        catalogue = await self.looks.known()
        return [] if catalogue is None else await self._disk(catalogue.pages)

    async def hosted_changes(self) -> list[Change]:
        return []  # they have no serials

    async def project_page(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:  # noqa: ARG002
        catalogue = await self._catalogue_with(project)
        return await self._disk(catalogue.page, project)

    async def open_file(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        return await self._files.open(await self._find(project, filename, digest_prefix))

    async def open_core_metadata(self, project: NormalizedName, filename: str, digest_prefix: str) -> FileBody:
        file = await self._find(project, filename, digest_prefix)
        if file.core_metadata is None:
            raise FileNotFound(f"{filename} has no core metadata beside it")
        return MemoryBody(self.name, file.core_metadata, await self._files.core_metadata(file))

    async def provenance(self, project: NormalizedName, filename: str, digest_prefix: str) -> Told[bytes]:
        await self._find(project, filename, digest_prefix)
        raise FileNotFound(f"{filename} has no provenance")

    async def signature(self, project: NormalizedName, filename: str, digest_prefix: str) -> bytes:
        await self._find(project, filename, digest_prefix)
        raise FileNotFound(f"{filename} has no signature")

    async def release_facts(self, project: NormalizedName, version: Version, *, latest: bool) -> ReleaseFacts:  # noqa: ARG002
        catalogue = await self._catalogue_with(project)
        file = await self._disk(catalogue.described, project, version)
        return ReleaseFacts(metadata=b"" if file is None else await self._files.core_metadata(file))

    async def search(self, query: Query) -> list[Hit]:
        catalogue = await self.looks.known()
        return [] if catalogue is None else await self._disk(lambda: query.best(catalogue.hits()))

    async def _find(self, project: NormalizedName, filename: str, digest_prefix: str) -> LooseFile:
        catalogue = await self._catalogue_with(project)
        file = catalogue.find(project, filename, digest_prefix)
        if file is None:
            raise FileNotFound(f"{project} has no such file in {self.name}")
        return file

    async def _catalogue_with(self, project: NormalizedName) -> Catalogue:
        catalogue = await self.looks.catalogue()
        if project not in catalogue:
            raise ProjectNotFound(f"{self.name} has no project {project}")
        if catalogue.is_unread(project):
            raise self.looks.unavailable(f"has files of {project} that were not read yet")
        return catalogue
