"""The Simple API: project pages and project lists."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from pypid.domain import simple_html, simple_json
from pypid.domain.errors import NotAcceptable
from pypid.domain.files import ProjectPage
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.negotiation import Format, accepts_gzip, negotiate
from pypid.domain.ranges import etag_matches
from pypid.flight import SingleFlight
from pypid.indexes.index import Index
from pypid.offload import Offload
from pypid.web.request import Request

GZIP_LEVEL = 6
"""zlib's own default; a page is compressed once and sent many times."""


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
    gzipped: bool


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
        page_format, gzipped = _negotiated(request)
        page = await index.project_page(project)
        rendering = Rendering(index.name, project, page.revision, page_format, gzipped)
        body = self._bodies.get(rendering)
        if body is None:
            body = await self._flights.join(rendering, lambda: self._rendered(rendering, page))
        cache_control = f"max-age={page.max_age}, public" if page.max_age else "no-cache"
        return _send(request, body, page_format, gzipped=gzipped, cache_control=cache_control)

    async def project_list(self, request: Request, index: Index) -> bytes:
        """Answer with the names of the projects that are known in ``index``."""
        page_format, gzipped = _negotiated(request)
        names = await index.project_list()
        renderer = simple_json if page_format is Format.JSON else simple_html
        body = await self._render(_make_body, lambda: renderer.render_project_list(names), page_format, gzipped)
        return _send(request, body, page_format, gzipped=gzipped, cache_control="no-cache")

    async def _rendered(self, rendering: Rendering, page: ProjectPage) -> Body:
        renderer = simple_json if rendering.format is Format.JSON else simple_html
        body = await self._render(
            _make_body, lambda: renderer.render_project(page), rendering.format, rendering.gzipped
        )
        if self._bodies.getsizeof(body) <= self._bodies.maxsize:
            self._bodies[rendering] = body
        return body


def _make_body(render: Callable[[], bytes], page_format: Format, gzipped: bool) -> Body:  # noqa: FBT001
    content = render()
    if gzipped:
        # A fixed time stamp: the same page must have the same ETag after a restart.
        content = gzip.compress(content, GZIP_LEVEL, mtime=0)
    # The two HTML forms are the same bytes under another type.
    digest = hashlib.sha256(page_format.value.encode() + b"\0" + content)
    return Body(content, f'"{digest.hexdigest()[:32]}"')


def _negotiated(request: Request) -> tuple[Format, bool]:
    """Return the format to answer in, and whether to compress. Raises `NotAcceptable`."""
    page_format = negotiate(_joined(request, "Accept"))
    if page_format is None:
        offered = ", ".join(each.value for each in Format)
        raise NotAcceptable(f"none of the accepted types is here; there are: {offered}")
    return page_format, accepts_gzip(_joined(request, "Accept-Encoding"))


def _joined(request: Request, name: str) -> str | None:
    """Return a list header that may have come in several lines (RFC 9110, 5.3)."""
    values = request.requestHeaders.getRawHeaders(name)
    return None if values is None else ", ".join(values)


def _send(request: Request, body: Body, page_format: Format, *, gzipped: bool, cache_control: str) -> bytes:
    request.setHeader(b"ETag", body.etag.encode())
    request.setHeader(b"Cache-Control", cache_control.encode())
    request.setHeader(b"Vary", b"Accept, Accept-Encoding")
    if etag_matches(_joined(request, "If-None-Match"), body.etag):
        request.setResponseCode(304)
        return b""
    charset = "; charset=utf-8" if page_format is Format.HTML else ""
    request.setHeader(b"Content-Type", f"{page_format.value}{charset}".encode())
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
    request.setHeader(b"Content-Length", str(len(body.content)).encode())
    if gzipped:
        request.setHeader(b"Content-Encoding", b"gzip")
    return body.content
