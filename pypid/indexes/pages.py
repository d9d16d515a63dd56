"""Upstream's project pages."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from twisted.logger import Logger

from pypid.domain import simple_html, simple_json
from pypid.domain.coding import decoded
from pypid.domain.core_metadata import FoundMetadata, with_core_metadata, with_found
from pypid.domain.files import ProjectPage, other_bytes
from pypid.domain.names import NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.releases import choose_release, releases_of
from pypid.domain.search import Hit, Query
from pypid.domain.simple_page import MAX_DROPPED_LINES, InvalidPage
from pypid.domain.upload_times import with_told_times
from pypid.indexes.mirrored import Mirrored
from pypid.indexes.mirroring import Asked, Mirroring, Read
from pypid.storage.records import SIMPLE, StoredPage
from pypid.upstream.client import SIMPLE_TYPES

FILE_WEIGHT = 900
"""Bytes that one file with provenance takes in memory, measured over parsed pages of 4,000 and 11,000 files."""


class MirroredPages:
    """One upstream's project pages."""

    _log = Logger()

    types = SIMPLE_TYPES

    def __init__(self, mirroring: Mirroring) -> None:
        self._mirroring = mirroring
        self._pages = Mirrored(mirroring, self)

    async def get(self, project: NormalizedName) -> ProjectPage:
        """Return the project's page. Raises `ProjectNotFound`, `UpstreamUnavailable`."""
        held = await self._pages.get(Asked(project, SIMPLE))
        left = self._mirroring.rules.ttl - max(0.0, self._mirroring.now() - held.fetched_at)
        return replace(held.value, max_age=max(0, int(left)))

    async def known(self) -> ProjectList:
        """Return the projects whose page is kept."""
        return await self._mirroring.records.projects(self._mirroring.index)

    async def search(self, query: Query) -> list[Hit]:
        """Return the projects whose page is kept that fit ``query`` best."""
        return await self._mirroring.records.search(self._mirroring.index, query)

    def correct(self, project: NormalizedName, found: FoundMetadata) -> None:
        """Have the page that is held say what was found in a wheel; one that is read later says it anyway."""
        held = self._pages.held(Asked(project, SIMPLE))
        if held is not None:
            held.value = with_found(held.value, found)

    # The particulars of this kind of document.

    def url(self, asked: Asked) -> str:
        return f"{self._mirroring.upstream}{asked.project}/"

    async def read(self, asked: Asked, stored: StoredPage, before: ProjectPage | None) -> Read[ProjectPage]:
        page, weight, latest = await self._mirroring.parse(self._parsed, stored, asked.project)
        silent = stored.content_type == "text/html" and not page.files and page.status is None
        if silent and before is not None and before.files:
            # A login page, a captive portal: HTML that says nothing of itself, and has no files.
            raise InvalidPage("it has no files any more")
        page = await self._with_times(page, before)
        recorded = await self._mirroring.records.all_found_metadata(self._mirroring.index, page.name)
        page = await self._mirroring.parse(with_core_metadata, page, recorded)
        if before is not None and (other := await self._mirroring.parse(other_bytes, before, page)):
            self._log.warn(
                "{index}: upstream has put other bytes under the name of {filenames}; what was fetched stays",
                index=self._mirroring.index,
                filenames=", ".join(other[:MAX_DROPPED_LINES]),
            )
        return Read(value=page, weight=weight, version=latest)

    async def _with_times(self, page: ProjectPage, before: ProjectPage | None) -> ProjectPage:
        """Return ``page`` with an upload time for every file, recorded where upstream does not say it."""
        mirroring = self._mirroring
        recorded = await mirroring.records.told_times(mirroring.index, page.name)
        now = datetime.fromtimestamp(mirroring.now(), UTC)
        page, new = await mirroring.parse(with_told_times, page, recorded=recorded, held=before, now=now)
        if new:
            await mirroring.record(mirroring.records.tell_times(mirroring.index, page.name, new))
        return page

    def _parsed(self, stored: StoredPage, project: NormalizedName) -> tuple[ProjectPage, int, str | None]:
        """
        Return the page, about how many bytes it takes in memory, and its latest version.

        Slow for a big page, and free of shared state: it runs in a thread.
        """
        body = decoded(stored.body, stored.encoding, limit=self._mirroring.rules.max_page)
        parse = simple_json.parse_project if stored.content_type.endswith("+json") else simple_html.parse_project
        parsed = parse(body, url=stored.url, project=project)
        for why in parsed.dropped:
            self._log.debug("{index}: {project}: {why}", index=self._mirroring.index, project=project, why=why)
        revision = hashlib.sha256(stored.url.encode() + body).hexdigest()[:32]
        page = ProjectPage(
            name=project, files=parsed.files, versions=parsed.versions, revision=revision, status=parsed.status
        )
        latest = choose_release(releases_of(page), None)
        # The body counts where its texts are longer than those of other pages.
        weight = 1024 + max(FILE_WEIGHT * len(page.files), len(body))
        return page, weight, None if latest is None else str(latest)
