"""Upstream's project pages: fetched once for everybody, kept over restarts, used while they last."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cachetools import LRUCache
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypid.domain import simple_html, simple_json
from pypid.domain.coding import decoded
from pypid.domain.errors import ProjectNotFound, UpstreamBroken, UpstreamUnavailable
from pypid.domain.files import ProjectPage
from pypid.domain.freshness import Freshness, judge
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.simple_page import InvalidPage
from pypid.domain.upload_times import with_told_times
from pypid.flight import SingleFlight
from pypid.indexes.held import HeldPage, PageMemory
from pypid.offload import Offload
from pypid.storage.records import CachedRecords, StoredPage
from pypid.upstream.client import Absent, FetchedPage, Unchanged, UpstreamClient

ABSENT_TTL = 60
"""Seconds for which upstream's "no such project" is believed: a new release is seen soon, a loop of typos is not."""

ABSENT_NAMES = 10_000
"""Names for which it is remembered."""

RETRY_AFTER_FAILURE = 10
"""
Seconds after a failed refresh in which old pages are served without asking: nobody waits for it twice (A54).

Where upstream cannot be reached this holds for all of its pages, where it
answered with nonsense for the one page.
"""

Now = Callable[[], float]
"""Seconds since 1970. The wall clock, since what it stamps outlives the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """Seconds and bytes; `pypid.config` has the defaults and their reasons."""

    ttl: float
    grace: float
    max_page: int


class MirroredPages:
    """
    One upstream's project pages.

    A page is believed for ``ttl`` seconds.  For ``grace`` more it is answered
    at once and refreshed behind the answer; after that, clients wait for the
    refresh, and get the old page if upstream cannot be asked.
    """

    _log = Logger()

    def __init__(
        self,
        index: IndexName,
        upstream: str,
        rules: PageRules,
        *,
        client: UpstreamClient,
        records: CachedRecords,
        memory: PageMemory,
        parse: Offload,
        now: Now,
    ) -> None:
        """``upstream``: the base URL, ending in a slash, under which the project pages are."""
        self._index = index
        self._upstream = upstream
        self._rules = rules
        self._client = client
        self._records = records
        self._memory = memory
        self._parse = parse
        self._now = now
        self._flights: SingleFlight[NormalizedName, HeldPage] = SingleFlight()
        self._absent: LRUCache[NormalizedName, float] = LRUCache(ABSENT_NAMES)
        self._not_before = 0.0  # when upstream may be asked again for a page that is held

    async def get(self, project: NormalizedName) -> ProjectPage:
        """Return the project's page. Raises `ProjectNotFound`, `UpstreamUnavailable`."""
        held = self._memory.get(self._key(project))
        if held is None:
            held = await self._flights.join(project, lambda: self._load(project))
        age = self._now() - held.fetched_at
        freshness = judge(age, ttl=self._rules.ttl, grace=self._rules.grace)
        if freshness is not Freshness.FRESH and self._now() >= max(held.not_before, self._not_before):
            if freshness is Freshness.STALE:
                self._refresh_behind(project, held)
            else:
                held = await self._refreshed(project, held)
        left = self._rules.ttl - max(0.0, self._now() - held.fetched_at)
        return replace(held.page, max_age=max(0, int(left)))

    async def known(self) -> list[NormalizedName]:
        """Return the names of the projects whose page is kept."""
        return await self._records.projects(self._index)

    def _refresh(self, project: NormalizedName, held: HeldPage | None) -> Deferred[HeldPage]:
        return self._flights.join(project, lambda: self._fetch(project, held))

    def _refresh_behind(self, project: NormalizedName, held: HeldPage) -> None:
        """Begin a refresh that nobody waits for."""
        Deferred.fromCoroutine(self._refreshed(project, held)).addErrback(self._ended_behind, project)

    def _ended_behind(self, failure: Failure, project: NormalizedName) -> None:
        if not failure.check(ProjectNotFound):  # which was logged, and is what the next client will be told
            self._log.failure("{index}: refreshing {project} failed", failure, index=self._index, project=project)

    async def _refreshed(self, project: NormalizedName, held: HeldPage) -> HeldPage:
        try:
            return await self._refresh(project, held)
        except UpstreamUnavailable as e:
            self._not_refreshed(held, e)
            return held

    def _not_refreshed(self, held: HeldPage, why: Exception) -> None:
        held.not_before = self._now() + RETRY_AFTER_FAILURE
        if not isinstance(why, UpstreamBroken):
            self._not_before = held.not_before
        self._log.warn(
            "{index}: the old page of {project} goes on being served: {why}",
            index=self._index,
            project=held.page.name,
            why=why,
        )

    async def _load(self, project: NormalizedName) -> HeldPage:
        """Return the page from an earlier run, else from upstream."""
        stored = await self._records.page(self._index, project)
        if stored is None:
            return await self._fetch(project, None)
        if stored.upstream != self._upstream:
            # Good enough while the upstream that the index has now cannot be asked, and for nothing else.
            stored = replace(stored, etag=None, last_modified=None, fetched_at=0.0)
        try:
            page = await self._parse(self._read, stored, project)
        except InvalidPage as e:
            self._log.warn(
                "{index}: the kept page of {project} is unusable: {why}", index=self._index, project=project, why=e
            )
            await self._write_down(self._records.drop_page(self._index, project))
            return await self._fetch(project, None)
        return self._hold(project, stored, await self._with_times(page, None))

    async def _fetch(self, project: NormalizedName, held: HeldPage | None) -> HeldPage:
        """Ask upstream, telling it which page is held."""
        if self._now() < self._absent.get(project, 0):
            raise ProjectNotFound(f"{self._index} has no project {project}")
        answer = await self._client.page(
            f"{self._upstream}{project}/",
            etag=None if held is None else held.etag,
            last_modified=None if held is None else held.last_modified,
        )
        if isinstance(answer, Absent):
            await self._withdraw(project, held)
            raise ProjectNotFound(f"{self._index} has no project {project}")
        if isinstance(answer, Unchanged) and held is not None:
            held.fetched_at = self._now()
            await self._write_down(self._records.page_confirmed(self._index, project, held.fetched_at))
            return held
        assert isinstance(answer, FetchedPage)
        return await self._keep(project, answer, held)

    async def _withdraw(self, project: NormalizedName, held: HeldPage | None) -> None:
        self._absent[project] = self._now() + ABSENT_TTL
        if held is not None:
            self._log.warn("{index}: upstream has withdrawn {project}", index=self._index, project=project)
            self._memory.pop(self._key(project), None)
            await self._write_down(self._records.drop_page(self._index, project))

    async def _keep(self, project: NormalizedName, answer: FetchedPage, held: HeldPage | None) -> HeldPage:
        stored = StoredPage(
            upstream=self._upstream,
            url=answer.url,
            content_type=answer.content_type,
            encoding=answer.encoding,
            body=answer.body,
            etag=answer.etag,
            last_modified=answer.last_modified,
            fetched_at=self._now(),
        )
        try:
            page = await self._parse(self._read, stored, project)
        except InvalidPage as e:
            raise UpstreamBroken(f"{self._index}: upstream's page of {project} is unusable: {e}") from e
        silent = answer.content_type == "text/html" and not page.files and page.status is None
        if silent and held is not None and held.page.files:
            # A login page, a captive portal: HTML that says nothing of itself, and has no files.
            raise UpstreamBroken(f"{self._index}: upstream's page of {project} has no files any more")
        page = await self._with_times(page, None if held is None else held.page)
        await self._write_down(self._records.keep_page(self._index, project, stored))
        return self._hold(project, stored, page)

    async def _with_times(self, page: ProjectPage, held: ProjectPage | None) -> ProjectPage:
        """Return ``page`` with an upload time for every file, recorded where upstream does not say it."""
        recorded = await self._records.told_times(self._index, page.name)
        now = datetime.fromtimestamp(self._now(), UTC)
        page, new = await self._parse(with_told_times, page, recorded=recorded, held=held, now=now)
        if new:
            await self._write_down(self._records.tell_times(self._index, page.name, new))
        return page

    async def _write_down(self, writing: Awaitable[None]) -> None:
        """Wait for ``writing``: what is lost with a full disk can be fetched again, and costs no client its answer."""
        try:
            await writing
        except OSError as e:
            self._log.error("{index}: a page could not be recorded: {why}", index=self._index, why=e)

    def _key(self, project: NormalizedName) -> tuple[IndexName, str, NormalizedName]:
        return self._index, self._upstream, project

    def _hold(self, project: NormalizedName, stored: StoredPage, page: ProjectPage) -> HeldPage:
        held = HeldPage(page, stored.etag, stored.last_modified, stored.fetched_at)
        if held.weight <= self._memory.maxsize:
            self._memory[self._key(project)] = held
        return held

    def _read(self, stored: StoredPage, project: NormalizedName) -> ProjectPage:
        """Decode and parse; slow for a big page, and free of shared state: it runs in a thread."""
        body = decoded(stored.body, stored.encoding, limit=self._rules.max_page)
        parse = simple_json.parse_project if stored.content_type.endswith("+json") else simple_html.parse_project
        parsed = parse(body, url=stored.url, project=project)
        for why in parsed.dropped:
            self._log.debug("{index}: {project}: {why}", index=self._index, project=project, why=why)
        revision = hashlib.sha256(stored.url.encode() + body).hexdigest()[:32]
        return ProjectPage(
            name=project, files=parsed.files, versions=parsed.versions, revision=revision, status=parsed.status
        )
