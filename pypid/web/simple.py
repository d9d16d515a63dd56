"""The Simple API: project pages and project lists."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

from cachetools import LRUCache
from twisted.internet.interfaces import IReactorTime

from pypid.domain import simple_html, simple_json
from pypid.domain.errors import NotAcceptable
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.negotiation import Coding, Format, negotiate, preferred_coding
from pypid.domain.newest import wants_newest
from pypid.domain.provenance import located
from pypid.domain.ranges import etag_matches
from pypid.flight import SingleFlight, shield
from pypid.indexes.index import Index
from pypid.offload import Offload
from pypid.web.conditional import send_unless_held, strong_etag, tell
from pypid.web.flow import paced
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

LARGEST_SHARE = 4
"""A body that would take more than one in so many bytes of the memory is not kept: it would cost too many others."""

ETAGS = 10_000
"""Of bodies that were rendered, to answer 304 when the body is not kept. They take up to 6 MB."""

PROJECT_LIST = "project list"
FILE_LIST = "file list"

Pieces = Iterable[bytes]


def _gzip(pieces: Pieces) -> bytes:
    # It writes no time stamp: the same page must have the same ETag after a restart.
    compressor = zlib.compressobj(GZIP_LEVEL, wbits=16 + zlib.MAX_WBITS)
    return b"".join([*map(compressor.compress, pieces), compressor.flush()])


def _zstd(pieces: Pieces) -> bytes:
    compressor = zstd.ZstdCompressor(level=ZSTD_LEVEL)
    return b"".join([*map(compressor.compress, pieces), compressor.flush()])


_COMPRESS: Mapping[Coding, Callable[[Pieces], bytes]] = {
    Coding.ZSTD: _zstd,
    Coding.GZIP: _gzip,
    Coding.IDENTITY: b"".join,
}


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Body:
    """One representation of a page."""

    content: bytes
    etag: str
    """Strong: each format and each content coding has its own."""
    revision: str
    """Of what it was rendered from."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """Which document, in which form: the key of the latest `Body`."""

    index: IndexName
    document: str
    """A project's name; `PROJECT_LIST` or `FILE_LIST`, which are none."""
    format: Format
    coding: Coding


class SimplePages:
    """
    Answers from bodies rendered once for each change, elsewhere than on the reactor's thread.

    Of each rendering the latest body is kept in memory, all of them up to
    ``memory`` bytes.  One that is too large for that is shared by those who ask
    while it is being made or sent.
    """

    def __init__(self, *, memory: int, render: Offload, render_list: Offload, clock: IReactorTime) -> None:
        """``render_list``: apart from ``render``, since no install may wait for the list of a million projects."""
        self._render = render
        self._render_list = render_list
        self._clock = clock
        self._bodies: LRUCache[Rendering, Body] = LRUCache(memory, getsizeof=lambda body: len(body.content) + 512)
        self._being_sent: WeakValueDictionary[Rendering, Body] = WeakValueDictionary()
        self._etags: LRUCache[Rendering, Body] = LRUCache(ETAGS)
        self._flights: SingleFlight[tuple[Rendering, str], Body] = SingleFlight()

    async def project(self, request: Request, index: Index, project: NormalizedName) -> bytes:
        """Answer with the page of ``project`` in ``index``."""
        page_format, coding = _negotiated(request)
        newest = wants_newest(request.header("Cache-Control"), request.header("User-Agent"))
        page = await index.project_page(project, newest=newest)
        tell(request, page.cache_status)
        renderer = simple_json if page_format is Format.JSON else simple_html
        site = request.secure_url if page.attested else None
        revision = page.revision if site is None else f"{page.revision} at {site}"

        def render_page() -> Pieces:
            return [renderer.render_project(page if site is None else located(page, site))]

        async def render(rendering: Rendering) -> Body:
            return await self._render(_make_body, rendering, revision, render_page)

        rendering = Rendering(index.name, project, page_format, coding)
        cache_control = f"max-age={page.max_age}, public" if page.max_age else "no-cache"
        return await self._send(request, rendering, revision, render, cache_control=cache_control)

    async def project_list(self, request: Request, index: Index) -> bytes:
        """Answer with the names of the projects that ``index`` shows."""
        page_format, coding = _negotiated(request)
        projects = await index.project_list()
        tell(request, projects.cache_status)
        renderer = simple_json if page_format is Format.JSON else simple_html

        async def render(rendering: Rendering) -> Body:
            return await self._render_list(
                _make_body, rendering, projects.revision, lambda: renderer.render_project_list(projects)
            )

        return await self._send(
            request, Rendering(index.name, PROJECT_LIST, page_format, coding), projects.revision, render
        )

    async def file_list(self, request: Request, index: Index) -> bytes:
        """Answer with every file uploaded to ``index`` on one page, for people and for --find-links."""
        request.setHeader(b"Vary", b"Accept-Encoding")
        coding = preferred_coding(request.header("Accept-Encoding"))
        revision = index.hosted_revision

        async def render(rendering: Rendering) -> Body:
            pages = await index.hosted_pages()
            return await self._render_list(
                _make_body, rendering, revision, lambda: [simple_html.render_file_list(pages)]
            )

        return await self._send(request, Rendering(index.name, FILE_LIST, Format.HTML, coding), revision, render)

    async def _send(
        self,
        request: Request,
        rendering: Rendering,
        revision: str,
        render: Callable[[Rendering], Awaitable[Body]],
        *,
        cache_control: str = "no-cache",
    ) -> bytes:
        body = self._held_by_client(request, rendering, revision) or await self._body(rendering, revision, render)
        coding = rendering.coding
        content = send_unless_held(
            request,
            body.content,
            body.etag,
            content_type=_content_type(rendering.format),
            cache_control=cache_control,
            coding=None if coding is Coding.IDENTITY else coding.value,
        )
        # The body lives, and can be had by others, until this one is sent.
        return await paced(request, content, stall=request.snapshot.stall_timeout, clock=self._clock)

    def _held_by_client(self, request: Request, rendering: Rendering, revision: str) -> Body | None:
        """Return a body without content where the client needs none, and that is known without rendering."""
        known = self._etags.get(rendering)
        if known is None or known.revision != revision:
            return None
        return known if etag_matches(request.header("If-None-Match"), known.etag) else None

    async def _body(self, rendering: Rendering, revision: str, render: Callable[[Rendering], Awaitable[Body]]) -> Body:
        body = self._bodies.get(rendering) or self._being_sent.get(rendering)
        if body is not None and body.revision == revision:
            return body

        async def rendered() -> Body:
            body = await render(rendering)
            self._keep(rendering, body)
            return body

        # Shielded: what was begun for a client that is gone is of use to the next one.
        return await shield(self._flights.join((rendering, revision), rendered))

    def _keep(self, rendering: Rendering, body: Body) -> None:
        self._etags[rendering] = replace(body, content=b"")
        self._being_sent[rendering] = body
        # Also where the new one is not kept: nobody asks for the old one again.
        self._bodies.pop(rendering, None)
        if self._bodies.getsizeof(body) * LARGEST_SHARE <= self._bodies.maxsize:
            self._bodies[rendering] = body


def _make_body(rendering: Rendering, revision: str, render: Callable[[], Pieces]) -> Body:
    content = _COMPRESS[rendering.coding](render())
    # The two HTML forms are the same bytes under another type.
    return Body(content, strong_etag(rendering.format.value.encode(), b"\0", content), revision)


def _content_type(page_format: Format) -> str:
    return f"{page_format.value}; charset=utf-8" if page_format is Format.HTML else page_format.value


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
