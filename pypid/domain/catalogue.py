"""What an index of files in directories shows: projects, their pages, and what a search finds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from packaging.version import Version

from pypid.domain.filenames import parse_filename
from pypid.domain.files import DIGEST_PREFIX_LENGTH, ProjectPage, versions_of
from pypid.domain.loose_files import LooseFile
from pypid.domain.names import NormalizedName
from pypid.domain.project_list import ProjectList, listed
from pypid.domain.search import Hit


class Catalogue:
    """
    One state of the directories; it does not change.

    A page is made when it is asked for first: there may be thousands.
    """

    def __init__(
        self,
        projects: Mapping[NormalizedName, Sequence[LooseFile]],
        *,
        revision: str,
        unread: frozenset[NormalizedName] = frozenset(),
    ) -> None:
        """
        ``projects``: what is offered of each; one of which nothing is keeps its name all the same.

        ``revision``: other catalogues have others. ``unread``: projects of
        which files that have been there for long were not read yet.
        """
        self.revision = revision
        self.project_list: ProjectList = listed(sorted(projects))
        self._projects = projects
        self._unread = unread
        self._pages: dict[NormalizedName, ProjectPage] = {}
        self._hits: list[Hit] | None = None

    @property
    def count(self) -> int:
        """How many files are offered."""
        return sum(map(len, self._projects.values()))

    def __contains__(self, project: object) -> bool:
        return project in self._projects

    def is_unread(self, project: NormalizedName) -> bool:
        return project in self._unread

    def page(self, project: NormalizedName) -> ProjectPage:
        """Return the page of one of the projects, its files by version."""
        page = self._pages.get(project)
        if page is None:
            page = self._pages[project] = _page(project, self._projects[project])
        return page

    def pages(self) -> list[ProjectPage]:
        """Return the pages of all projects, by name."""
        return [self.page(project) for project in self.project_list]

    def find(self, project: NormalizedName, filename: str, digest_prefix: str) -> LooseFile | None:
        """Return the file of that name whose sha256 begins so."""
        for file in self._projects.get(project, ()):
            if file.filename == filename and file.sha256[:DIGEST_PREFIX_LENGTH] == digest_prefix:
                return file
        return None

    def described(self, project: NormalizedName, version: Version) -> LooseFile | None:
        """Return a wheel of that version."""
        wheels = (file for file in self._projects.get(project, ()) if file.core_metadata is not None)
        return next((file for file in wheels if parse_filename(file.filename).version == version), None)

    def hits(self) -> list[Hit]:
        """Return each project that has a file, with its latest version and what that says of itself."""
        if self._hits is None:
            self._hits = [_hit(project, files) for project, files in self._projects.items() if files]
        return self._hits


def _page(project: NormalizedName, files: Sequence[LooseFile]) -> ProjectPage:
    described = tuple(
        file.described()
        for file in sorted(files, key=lambda file: (parse_filename(file.filename).version, file.filename))
    )
    said = "\n".join(f"{file.filename} {file.sha256} {file.state.mtime_ns}" for file in files)
    return ProjectPage(
        name=project,
        files=described,
        revision=hashlib.sha256(said.encode()).hexdigest()[:32],
        versions=versions_of(described),
    )


def _hit(project: NormalizedName, files: Sequence[LooseFile]) -> Hit:
    versions = [(parse_filename(file.filename).version, file.headline.summary or "") for file in files]
    version, summary = max(versions)
    return Hit(project, str(version), summary)
