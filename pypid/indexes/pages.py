"""Upstream's project pages."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

from twisted.logger import Logger

from pypid.domain import simple_html, simple_json
from pypid.domain.changelog import Changes
from pypid.domain.coding import decoded
from pypid.domain.core_metadata import FoundMetadata, with_core_metadata, with_found
from pypid.domain.drift import drifts
from pypid.domain.files import ProjectPage, Status
from pypid.domain.learned import LearnedDigest, with_learned
from pypid.domain.names import NormalizedName
from pypid.domain.project_list import ProjectList
from pypid.domain.releases import choose_release, releases_of
from pypid.domain.search import Hit, Query
from pypid.domain.simple_page import InvalidPage
from pypid.domain.upload_times import with_told_times
from pypid.indexes.mirrored import Mirrored
from pypid.indexes.mirroring import Asked, Mirroring, Read
from pypid.storage.cached import SIMPLE, StoredPage
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

    async def get(self, project: NormalizedName, *, newest: bool = False) -> ProjectPage:
        """
        Return the project's page. Raises `ProjectNotFound`, `UpstreamUnavailable`.

        ``newest``: as `Mirrored.get` has it.
        """
        told = await self._pages.get(Asked(project, SIMPLE), newest=newest)
        max_age = min(told.max_age, int(self._mirroring.rules.lifetime.ttl))
        return replace(told.value, max_age=max_age, cache_status=told.cache_status)

    async def known(self) -> ProjectList:
        """Return the projects whose page is kept."""
        return await self._mirroring.records.projects(self._mirroring.index)

    async def search(self, query: Query) -> list[Hit]:
        """Return the projects whose page is kept that fit ``query`` best."""
        return await self._mirroring.records.search(self._mirroring.index, query)

    async def in_quarantine(self, project: NormalizedName) -> bool:
        """Return whether upstream's last page of the project said so."""
        return await self._mirroring.records.in_quarantine(self._mirroring.index, project)

    async def withholds(self, project: NormalizedName) -> bool:
        """Return whether files of the project are not to be served, though they be here."""
        return not self._mirroring.rules.serve_quarantined and await self.in_quarantine(project)

    def doubt(self, changes: Changes | None, until: float) -> None:
        """As `Documents.doubt`."""
        self._pages.doubt(changes, until)

    def correct(self, project: NormalizedName, found: FoundMetadata) -> None:
        """Have the page that is held say what was found in a wheel; one that is read later says it anyway."""
        held = self._pages.held(Asked(project, SIMPLE))
        if held is not None:
            held.value = with_found(held.value, found)

    def learn(self, project: NormalizedName, learned: LearnedDigest) -> None:
        """Have the page that is held say what was learned; one that is read later says it anyway."""
        held = self._pages.held(Asked(project, SIMPLE))
        if held is not None:
            held.value = with_learned(held.value, [learned])

    # The particulars of this kind of document.

    def url(self, asked: Asked) -> str:
        return f"{self._mirroring.upstream}{asked.project}/"

    async def read(self, asked: Asked, stored: StoredPage) -> Read[ProjectPage]:
        return await self._mirroring.parse(self._parsed, stored, asked.project)

    async def settle(
        self,
        asked: Asked,
        stored: StoredPage,
        read: Read[ProjectPage],
        before: ProjectPage | None,
    ) -> Read[ProjectPage]:
        mirroring, said = self._mirroring, read.value
        silent = stored.content_type == "text/html" and not said.files and said.status is None
        if before is not None and before.files and silent:
            # A login page, a captive portal: HTML that says nothing of itself, and has no files.
            raise InvalidPage("it has no files any more")
        page = await self._with_times(said, before)
        page = with_learned(page, await mirroring.records.learned(mirroring.index, page.name))
        recorded = await mirroring.records.all_found_metadata(mirroring.index, page.name)
        page = await mirroring.parse(with_core_metadata, page, recorded)
        quarantined = page.status is not None and page.status.status is Status.QUARANTINED
        if quarantined != await self.in_quarantine(page.name):
            await mirroring.record(
                mirroring.records.note_quarantine(mirroring.index, page.name, quarantined=quarantined)
            )
        if before is not None:
            mirroring.drifts.note(mirroring.index, asked.project, await mirroring.parse(drifts, before, said))
        return replace(read, value=page)

    async def _with_times(self, page: ProjectPage, before: ProjectPage | None) -> ProjectPage:
        """Return ``page`` with an upload time for every file, recorded where upstream does not say it."""
        mirroring = self._mirroring
        recorded = await mirroring.records.told_times(mirroring.index, page.name)
        now = datetime.fromtimestamp(mirroring.now(), UTC)
        page, new = await mirroring.parse(with_told_times, page, recorded=recorded, held=before, now=now)
        if new:
            await mirroring.record(mirroring.records.tell_times(mirroring.index, page.name, new))
        return page

    def _parsed(self, stored: StoredPage, project: NormalizedName) -> Read[ProjectPage]:
        """
        Return what the page says.

        Slow for a big page, and free of shared state: it runs in a thread.
        """
        body = decoded(stored.body, stored.encoding, limit=self._mirroring.rules.max_page)
        parse = simple_json.parse_project if stored.content_type.endswith("+json") else simple_html.parse_project
        parsed = parse(
            body,
            url=stored.url,
            project=project,
            allowed=self._mirroring.allowed,
            upstream=self._mirroring.upstream,
        )
        if parsed.dropped:
            self._log.debug(
                "{index}: entries of {project} are left out: {why}",
                index=self._mirroring.index,
                project=project,
                why="; ".join(parsed.dropped),
            )
        if parsed.refused_hosts:
            self._log.warn(
                "{index}: files of {project} are left out: allow_hosts does not name their hosts {hosts}",
                index=self._mirroring.index,
                project=project,
                hosts=", ".join(parsed.refused_hosts),
            )
        revision = hashlib.sha256(stored.url.encode() + body).hexdigest()[:32]
        page = ProjectPage(
            name=project, files=parsed.files, versions=parsed.versions, revision=revision, status=parsed.status
        )
        latest = choose_release(releases_of(page), None)
        # The body counts where its texts are longer than those of other pages.
        weight = 1024 + max(FILE_WEIGHT * len(page.files), len(body))
        return Read(
            value=page,
            weight=weight,
            version=None if latest is None else str(latest),
            serial=parsed.serial if stored.serial is None else stored.serial,
        )
