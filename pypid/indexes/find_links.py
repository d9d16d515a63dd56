"""A page of links as an upstream: fetched once for all projects, and taken apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pypid.domain import find_links
from pypid.domain.coding import decoded
from pypid.domain.errors import UpstreamBroken
from pypid.domain.find_links import ProjectPages
from pypid.domain.names import NormalizedName
from pypid.domain.simple_page import InvalidPage
from pypid.flight import SingleFlight
from pypid.indexes.mirroring import Now, PageClient
from pypid.offload import Offload
from pypid.upstream.client import SIMPLE_TYPES, Absent, FetchedPage, PageTypes, TakePage, Unchanged

BELIEVED = 60.0
"""Seconds for which the page counts for all its projects: one run of an installer asks for some hundred."""

HTML = "text/html"


@dataclass(slots=True, kw_only=True)
class _Links:
    """The page of links, as it was fetched last."""

    url: str
    projects: ProjectPages
    etag: str | None
    last_modified: str | None
    fetched_at: float


class FindLinks:
    """Answers, as a simple index would, for the projects of one page of links."""

    def __init__(self, client: PageClient, upstream: str, *, parse: Offload, max_page: int, now: Now) -> None:
        """``upstream``: the page's URL."""
        self._client = client
        self._upstream = upstream
        self._parse = parse
        self._max_page = max_page
        self._now = now
        self._links: _Links | None = None
        self._flights: SingleFlight[None, _Links] = SingleFlight()

    async def page(
        self,
        url: str,
        types: PageTypes = SIMPLE_TYPES,  # noqa: ARG002 (there is only HTML)
        *,
        etag: str | None,
        last_modified: str | None,  # noqa: ARG002 (the ETag, which is ours, says more)
    ) -> FetchedPage | Unchanged | Absent:
        """Return the page of the project whose ``url`` this would be in a simple index: below `upstream`."""
        project = NormalizedName(url.removeprefix(self._upstream).strip("/"))
        links = self._links
        if links is None or not 0 <= self._now() - links.fetched_at < BELIEVED:
            links = await self._flights.join(None, self._fetch)
        body = links.projects.get(project)
        if body is None:
            return Absent(lasting=False, reason="")
        own_etag = f'"{hashlib.sha256(body).hexdigest()}"'
        if etag == own_etag:
            return Unchanged()
        return FetchedPage(
            url=links.url, content_type=HTML, encoding="identity", body=body, etag=own_etag, last_modified=None
        )

    async def long_page(
        self, url: str, take: TakePage, *, etag: str | None, last_modified: str | None, limit: int
    ) -> FetchedPage | Unchanged | Absent:
        return await self._client.long_page(url, take, etag=etag, last_modified=last_modified, limit=limit)

    async def _fetch(self) -> _Links:
        held = self._links
        answer = await self._client.page(
            self._upstream,
            SIMPLE_TYPES,
            etag=None if held is None else held.etag,
            last_modified=None if held is None else held.last_modified,
        )
        if isinstance(answer, Absent):
            # That the page of all projects is gone says nothing of any of them.
            raise UpstreamBroken(f"there is no page of links at {self._upstream}")
        if isinstance(answer, Unchanged) and held is not None:
            held.fetched_at = self._now()
            return held
        assert isinstance(answer, FetchedPage)
        try:
            projects = await self._parse(_projects, answer, self._max_page)
        except InvalidPage as e:
            raise UpstreamBroken(f"the page of links at {self._upstream} is unusable: {e}") from e
        self._links = _Links(
            url=answer.url,
            projects=projects,
            etag=answer.etag,
            last_modified=answer.last_modified,
            fetched_at=self._now(),
        )
        return self._links


def _projects(answer: FetchedPage, limit: int) -> ProjectPages:
    if answer.content_type != HTML:
        raise InvalidPage(f"its type is {answer.content_type}")
    return find_links.split(decoded(answer.body, answer.encoding, limit=limit))
