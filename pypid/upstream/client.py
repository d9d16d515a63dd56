"""Asking one upstream index for pages and files, over HTTP, within limits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IResponse

from pypid import __version__
from pypid.domain.errors import RangesRefused, UpstreamBroken, UpstreamUnavailable
from pypid.domain.provenance import PROVENANCE_TYPE
from pypid.domain.ranges import ByteRange, is_content_range_of
from pypid.upstream.body import BodyTooLarge, Write, read_body
from pypid.upstream.network import NETWORK_ERRORS, cancellable, reason
from pypid.upstream.urls import encoded, redirected, shown

T = TypeVar("T")

MAX_REDIRECTS = 5
"""Hops. PyPI needs one (to the normalized name); a loop is seen soon (A30, A31)."""

RETRY_AFTER_LIMITS = (1, 600)
"""Seconds between which an upstream's Retry-After is believed (A12)."""


@dataclass(frozen=True, slots=True)
class PageTypes:
    """What a page may be."""

    accept: str
    types: frozenset[str]


SIMPLE_TYPES = PageTypes(
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1",
    frozenset({"application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html", "text/html"}),
)
JSON_TYPES = PageTypes("application/json", frozenset({"application/json"}))
PROVENANCE_TYPES = PageTypes(PROVENANCE_TYPE, frozenset({PROVENANCE_TYPE, "application/json"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamLimits:
    """Seconds and bytes; `pypid.config` has the defaults and their reasons."""

    header_timeout: float
    """From the request, connecting included, to the end of the response's header section."""
    idle_timeout: float
    page_timeout: float
    file_timeout: float
    max_page: int
    max_file: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """A page as it was sent; ``body`` is still in the content coding ``encoding``."""

    url: str
    content_type: str
    encoding: str
    body: bytes
    etag: str | None
    last_modified: str | None


class Unchanged:
    """Upstream confirms the page that is held."""


class Absent:
    """Upstream says that there is no such thing."""


TakePage = Callable[[str, str], Write]
"""Given a page's content type and content coding, returns what takes its bytes."""


class FileSink(Protocol):
    """Who takes a file's bytes."""

    def begin(self, size: int | None) -> None:
        """
        Be told, before the first byte, how many will come, where upstream says so.

        Raises `UpstreamBroken` when that cannot be right; the transfer then ends.
        """
        ...

    async def write(self, data: bytes) -> None: ...


class UpstreamClient:
    """
    One upstream's pages and files.

    Everything that goes wrong on the way is raised as `UpstreamUnavailable`,
    or as `UpstreamBroken` when upstream did answer, with nonsense. Cancelling
    any call closes its connection.
    """

    _log = Logger()

    def __init__(self, agent: IAgent, clock: IReactorTime, limits: UpstreamLimits) -> None:
        self._agent = agent
        self._clock = clock
        self._limits = limits

    async def page(
        self, url: str, types: PageTypes = SIMPLE_TYPES, *, etag: str | None, last_modified: str | None
    ) -> FetchedPage | Unchanged | Absent:
        """Fetch the page at ``url``, only if it has changed since the validators given were sent with it."""
        headers = _page_headers(types, etag, last_modified)
        chunks: list[bytes] = []

        async def collect(data: bytes) -> None:
            chunks.append(data)

        asking = self._page(url, types, headers, lambda _type, _encoding: collect, limit=self._limits.max_page)
        answer = await self._within(self._limits.page_timeout, asking)
        return replace(answer, body=b"".join(chunks)) if isinstance(answer, FetchedPage) else answer

    async def long_page(
        self, url: str, take: TakePage, *, etag: str | None, last_modified: str | None, limit: int
    ) -> FetchedPage | Unchanged | Absent:
        """
        Pass the page at ``url`` on as it comes and as fast as it is taken, else be like `page`.

        It may have ``limit`` bytes, and take the time of a file. The `FetchedPage` has no body.
        """
        asking = self._page(url, SIMPLE_TYPES, _page_headers(SIMPLE_TYPES, etag, last_modified), take, limit=limit)
        return await self._within(self._limits.file_timeout, asking)

    async def _page(
        self, url: str, types: PageTypes, headers: dict[str, str], take: TakePage, *, limit: int
    ) -> FetchedPage | Unchanged | Absent:
        response, url = await self._ask(b"GET", url, headers)
        if response.code == 304 and headers.keys() & {"If-None-Match", "If-Modified-Since"}:
            await self._discard(response)
            return Unchanged()
        if response.code in {404, 410}:
            await self._discard(response)
            return Absent()
        await self._expect_success(response, url)
        content_type = (_header(response, "Content-Type") or "").partition(";")[0].strip().lower()
        if content_type not in types.types:
            await self._discard(response)
            raise UpstreamBroken(f"{shown(url)} is no index page: its type is {content_type!r}")
        encoding = (_header(response, "Content-Encoding") or "identity").strip().lower()
        try:
            write = take(content_type, encoding)
        except Exception:
            await self._discard(response)
            raise
        await self._read(response, write, limit=limit)
        return FetchedPage(
            url=url,
            content_type=content_type,
            encoding=encoding,
            body=b"",
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
        )

    async def file(self, url: str, sink: FileSink) -> None:
        """Pass the bytes of the file at ``url`` to ``sink``, as they come and as fast as it takes them."""
        await self._within(self._limits.file_timeout, self._file(url, sink))

    async def _file(self, url: str, sink: FileSink) -> None:
        response, url = await self._ask(b"GET", url, {"Accept-Encoding": "identity"})
        await self._expect_success(response, url)
        try:
            sink.begin(None if response.length is UNKNOWN_LENGTH else response.length)
        except UpstreamBroken:
            await self._discard(response)
            raise
        await self._read(response, sink.write, limit=self._limits.max_file, close_ends=True)

    async def part(self, url: str, part: ByteRange, sink: FileSink) -> None:
        """
        Pass ``part`` of the file at ``url`` to ``sink``, as they come and as fast as it takes them.

        Raises `RangesRefused` when anything else than exactly that part comes;
        the sink may have taken some of it by then. Nothing vouches for the
        bytes: the digest that the index knows is that of the whole file.
        """
        await self._within(self._limits.file_timeout, self._part(url, part, sink))

    async def _part(self, url: str, part: ByteRange, sink: FileSink) -> None:
        asked = f"bytes={part.start}-{part.stop - 1}"
        response, url = await self._ask(b"GET", url, {"Accept-Encoding": "identity", "Range": asked})
        if response.code not in {200, 206, 416}:
            await self._expect_success(response, url)
        if not _is_part(response, part):
            await self._discard(response)
            raise RangesRefused(f"{shown(url)} does not answer with {asked}, which it was asked for")
        left = part.stop - part.start
        sink.begin(left)

        async def write(data: bytes) -> None:
            nonlocal left
            left -= len(data)
            if left < 0:
                raise RangesRefused(f"{shown(url)} sends more than {asked}, which it was asked for")
            await sink.write(data)

        await self._read(response, write, limit=self._limits.max_file, close_ends=True)
        if left > 0:
            raise RangesRefused(f"{shown(url)} sends {left} bytes too few for {asked}")

    async def file_size(self, url: str) -> int | None:
        """Return the length of the file at ``url`` without fetching it; None where upstream does not say."""
        response, url = await self._ask(b"HEAD", url, {"Accept-Encoding": "identity"})
        await self._expect_success(response, url)
        length = _header(response, "Content-Length")
        await self._discard(response)
        return int(length) if length is not None and length.isascii() and length.isdigit() else None

    async def _ask(self, method: bytes, url: str, headers: dict[str, str]) -> tuple[IResponse, str]:
        """Return the answer, after redirections, and the URL that gave it."""
        for _ in range(MAX_REDIRECTS + 1):
            try:
                request = self._agent.request(method, encoded(url), Headers(_with_agent(headers)))
                response = await cancellable(request).addTimeout(self._limits.header_timeout, self._clock)
            except defer.TimeoutError as e:
                seconds = self._limits.header_timeout
                raise UpstreamUnavailable(f"{shown(url)} does not answer within {seconds:g} s") from e
            except ValueError as e:
                raise UpstreamBroken(f"{shown(url)} is no URL that can be asked: {e}") from e
            except NETWORK_ERRORS as e:
                raise UpstreamUnavailable(f"{shown(url)} does not answer: {reason(e)}") from e
            location = _header(response, "Location")
            if response.code not in {301, 302, 303, 307, 308} or location is None:
                return response, url
            await self._discard(response)
            url = redirected(url, location)
        raise UpstreamBroken(f"{shown(url)} redirects more than {MAX_REDIRECTS} times")

    async def _expect_success(self, response: IResponse, url: str) -> None:
        if response.code == 200:
            return
        await self._discard(response)
        if response.code == 429 or response.code >= 500:
            raise UpstreamUnavailable(
                f"{shown(url)} answers {response.code}", retry_after=_retry_after(_header(response, "Retry-After"))
            )
        raise UpstreamBroken(f"{shown(url)} answers {response.code}")

    async def _read(self, response: IResponse, write: Any, *, limit: int, close_ends: bool = False) -> None:
        try:
            await read_body(
                response, write, limit=limit, idle=self._limits.idle_timeout, clock=self._clock, close_ends=close_ends
            )
        except BodyTooLarge as e:
            raise UpstreamBroken(f"upstream sends more than {limit} bytes") from e
        except NETWORK_ERRORS as e:
            raise UpstreamUnavailable(f"upstream broke off: {reason(e)}") from e

    async def _discard(self, response: IResponse) -> None:
        """Read what little is left of an answer whose body says nothing, or close its connection."""

        async def drop(data: bytes) -> None:
            pass

        try:
            await read_body(response, drop, limit=64 * 1024, idle=self._limits.idle_timeout, clock=self._clock)
        except (BodyTooLarge, *NETWORK_ERRORS):
            self._log.debug("an answer of status {status} was not read to its end", status=response.code)

    async def _within(self, seconds: float, work: Coroutine[Deferred[Any], Any, T]) -> T:
        try:
            return await Deferred.fromCoroutine(work).addTimeout(seconds, self._clock)
        except defer.TimeoutError as e:
            raise UpstreamUnavailable(f"upstream was not done after {seconds:g} s") from e


def _page_headers(types: PageTypes, etag: str | None, last_modified: str | None) -> dict[str, str]:
    headers = {"Accept": types.accept, "Accept-Encoding": "gzip"}
    if etag is not None:
        headers["If-None-Match"] = etag
    elif last_modified is not None:
        headers["If-Modified-Since"] = last_modified
    return headers


def _with_agent(headers: dict[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in {**headers, "User-Agent": f"pypid/{__version__}"}.items()}


def _is_part(response: IResponse, part: ByteRange) -> bool:
    """Return whether ``response`` holds those bytes of the file, and nothing else."""
    said = [value.decode("latin-1") for value in response.headers.getRawHeaders(b"Content-Range") or ()]
    return (
        response.code == 206
        and is_content_range_of(part, ", ".join(said))
        and response.length in {part.stop - part.start, UNKNOWN_LENGTH}
        and _header(response, "Content-Encoding") in {None, "identity"}
    )


def _header(response: IResponse, name: str) -> str | None:
    # As bytes: Twisted would decode UTF-8 strictly, and strangers send anything.
    values = response.headers.getRawHeaders(name.encode("ascii"))
    return values[0].decode("latin-1") if values else None


def _retry_after(text: str | None) -> int:
    low, high = RETRY_AFTER_LIMITS
    if text is None or not (text.isascii() and text.isdigit()):
        return 5
    return min(max(int(text[:9]), low), high)
