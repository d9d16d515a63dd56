"""The Simple API: project pages and project lists."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cachetools import LRUCache

from pypid.domain import simple_html, simple_json
from pypid.domain.errors import NotAcceptable
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.negotiation import Coding, Format, negotiate, preferred_coding
from pypid.flight import SingleFlight
from pypid.indexes.index import Index
from pypid.offload import Offload
from pypid.web.conditional import send_unless_held, strong_etag
from pypid.web.request import Request

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP_LEVEL = 6
"""zlib's own default; a page is compressed once and sent many times."""

ZSTD_LEVEL = 3
"""
Its own default: smaller than gzip in a fifth of the time, and levels up to 10 gain nothing on hashes.

Its window of 2 MiB is well below the 8 MiB that every client must take (RFC 9659).
"""

_COMPRESS: Mapping[Coding, Callable[[bytes], bytes]] = {
    Coding.ZSTD: lambda content: zstd.compress(content, level=ZSTD_LEVEL),
    # A fixed time stamp: the same page must have the same ETag after a restart.
    Coding.GZIP: lambda content: gzip.compress(content, GZIP_LEVEL, mtime=0),
    Coding.IDENTITY: lambda content: content,
}


@dataclass(frozen=True, slots=True)
class Body:
    """One representation of a page."""

    content: bytes
    etag: str
    """Strong: each format and each content coding has its own."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """Which page, in which form: the key of a `Body`."""

    index: IndexName
    project: NormalizedName
    revision: str
    format: Format
    coding: Coding


class SimplePages:
    """
    Answers from pages rendered once for each change.

    Rendered bodies are kept in memory up to ``memory`` bytes, and made by
    ``render``, since a page of 10,000 files takes a while.
    """

    def __init__(self, *, memory: int, render: Offload) -> None:
        self._render = render
        self._bodies: LRUCache[Rendering, Body] = LRUCache(memory, getsizeof=lambda body: len(body.content) + 512)
        self._flights: SingleFlight[Rendering, Body] = SingleFlight()

    async def project(self, request: Request, index: Index, project: NormalizedName) -> bytes:
        """Answer with the page of ``project`` in ``index``."""
        page_format, coding = _negotiated(request)
        page = await index.project_page(project)
        rendering = Rendering(index.name, project, page.revision, page_format, coding)
        body = self._bodies.get(rendering)
        if body is None:
            body = await self._flights.join(rendering, lambda: self._rendered(rendering, page))
        cache_control = f"max-age={page.max_age}, public" if page.max_age else "no-cache"
        return _send(request, body, page_format, coding, cache_control=cache_control)

    async def project_list(self, request: Request, index: Index) -> bytes:
        """Answer with the names of the projects that are known in ``index``."""
        page_format, coding = _negotiated(request)
        names = await index.project_list()
        renderer = simple_json if page_format is Format.JSON else simple_html
        body = await self._render(_make_body, lambda: renderer.render_project_list(names), page_format, coding)
        return _send(request, body, page_format, coding, cache_control="no-cache")

    async def file_list(self, request: Request, index: Index) -> bytes:
        """Answer with every file uploaded to ``index`` on one page, for people and for --find-links."""
        request.setHeader(b"Vary", b"Accept-Encoding")
        coding = preferred_coding(request.header("Accept-Encoding"))
        pages = [await index.project_page(project) for project in await index.hosted_projects()]
        body = await self._render(_make_body, lambda: simple_html.render_file_list(pages), Format.HTML, coding)
        return _send(request, body, Format.HTML, coding, cache_control="no-cache")

    async def _rendered(self, rendering: Rendering, page: ProjectPage) -> Body:
        renderer = simple_json if rendering.format is Format.JSON else simple_html
        body = await self._render(_make_body, lambda: renderer.render_project(page), rendering.format, rendering.coding)
        if self._bodies.getsizeof(body) <= self._bodies.maxsize:
            self._bodies[rendering] = body
        return body


def _make_body(render: Callable[[], bytes], page_format: Format, coding: Coding) -> Body:
    content = _COMPRESS[coding](render())
    # The two HTML forms are the same bytes under another type.
    return Body(content, strong_etag(page_format.value.encode(), b"\0", content))


def wants_simple_api(request: Request) -> bool:
    """Say whether it is an installer that asks, where people and curl get something to read."""
    request.setHeader(b"Vary", b"Accept")
    return _format(request) in {Format.JSON, Format.HTML_V1}


def _negotiated(request: Request) -> tuple[Format, Coding]:
    """Return the format to answer in, and how to compress it. Raises `NotAcceptable`."""
    # Said first, so that every answer of this URL says it: 200, 304, 406 and what else goes wrong.
    request.setHeader(b"Vary", b"Accept, Accept-Encoding")
    page_format = _format(request)
    if page_format is None:
        asked = _asked_format(request)
        missing = "none of the accepted types is here" if asked is None else f"there is no format {asked!r}"
        raise NotAcceptable(f"{missing}; there are: {', '.join(each.value for each in Format)}")
    return page_format, preferred_coding(request.header("Accept-Encoding"))


def _format(request: Request) -> Format | None:
    return negotiate(request.header("Accept"), asked=_asked_format(request))


def _asked_format(request: Request) -> str | None:
    """Return the ``?format=`` of the URL."""
    return request.args[b"format"][0].decode("latin-1") if b"format" in request.args else None


def _send(request: Request, body: Body, page_format: Format, coding: Coding, *, cache_control: str) -> bytes:
    return send_unless_held(
        request,
        body.content,
        body.etag,
        content_type=f"{page_format.value}; charset=utf-8" if page_format is Format.HTML else page_format.value,
        cache_control=cache_control,
        coding=None if coding is Coding.IDENTITY else coding.value,
    )
