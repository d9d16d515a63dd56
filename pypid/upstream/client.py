"""The pages and files of one upstream index, over HTTP, within limits."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.iweb import UNKNOWN_LENGTH, IResponse

from pypid.domain.errors import MirrorLoop, RangesRefused, UpstreamBroken, UpstreamLacksFile, UpstreamUnavailable
from pypid.domain.provenance import PROVENANCE_TYPE
from pypid.domain.ranges import ByteRange, is_content_range_from, is_content_range_of
from pypid.domain.validators import strong_validator
from pypid.upstream.body import Write
from pypid.upstream.exchange import Exchange, header, retry_after
from pypid.upstream.hosts import Kind
from pypid.upstream.urls import shown

T = TypeVar("T")

_WANTS_CREDENTIALS = frozenset({401, 403, 407})


MAX_REASON = 200
"""Characters of a reason phrase that is handed on: those of RFC 9110 have 30."""

MAX_SERIAL = 18
"""Digits: as many as a database holds. PyPI has eight."""

_ABSENT = frozenset({404, 410, 451})
_LASTING = frozenset({410, 451})


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
    serial: int | None = None
    """Which of upstream's changes it shows, where its header says so."""


class Unchanged:
    """Upstream confirms the page that is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """Upstream says that there is no such thing."""

    lasting: bool
    """And that there will not be."""
    reason: str
    """In words for people, where it is lasting."""


TakePage = Callable[[str, str], Write]
"""Given a page's content type and content coding, returns what takes its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """What to ask for to have the rest of a file whose first bytes came before."""

    start: int
    """How many came; at least one."""
    validator: str
    """What they came with."""


class FileSink(Protocol):
    """Who takes a file's bytes."""

    def begin(self, size: int | None, validator: str | None) -> None:
        """
        Be told, before the file's first byte, how many will come, and by what to ask for the rest if not all do.

        Each may be None: upstream does not say. Raises `UpstreamBroken` when
        the size cannot be right; the transfer then ends.
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

    def __init__(
        self,
        exchange: Exchange,
        clock: IReactorTime,
        limits: UpstreamLimits,
        *,
        missing_status: Iterable[int] = (),
    ) -> None:
        """``missing_status``: what beside 404, 410 and 451 this upstream answers where it has no such page."""
        self._absent = _ABSENT.union(missing_status)
        self._exchange = exchange
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

        asking = self._page(
            url, types, headers, lambda _type, _encoding: collect, kind=Kind.BRIEF, limit=self._limits.max_page
        )
        answer = await self._within(self._limits.page_timeout, asking)
        return replace(answer, body=b"".join(chunks)) if isinstance(answer, FetchedPage) else answer

    async def long_page(
        self, url: str, take: TakePage, *, etag: str | None, last_modified: str | None, limit: int
    ) -> FetchedPage | Unchanged | Absent:
        """
        Pass the page at ``url`` on as it comes and as fast as it is taken, else be like `page`.

        It may have ``limit`` bytes, and take the time of a file. The `FetchedPage` has no body.
        """
        headers = _page_headers(SIMPLE_TYPES, etag, last_modified)
        asking = self._page(url, SIMPLE_TYPES, headers, take, kind=Kind.LONG, limit=limit)
        return await self._within(self._limits.file_timeout, asking)

    async def _page(
        self, url: str, types: PageTypes, headers: dict[str, str], take: TakePage, *, kind: Kind, limit: int
    ) -> FetchedPage | Unchanged | Absent:
        async with self._exchange.answer(b"GET", url, headers, kind) as (response, found_at):
            if response.code == 304 and headers.keys() & {"If-None-Match", "If-Modified-Since"}:
                await self._exchange.discard(response)
                return Unchanged()
            if response.code in self._absent:
                await self._exchange.discard(response)
                lasting = response.code in _LASTING
                return Absent(lasting=lasting, reason=_reason(response) if lasting else "")
            await self._expect_success(response, found_at)
            content_type = (header(response, "Content-Type") or "").partition(";")[0].strip().lower()
            if content_type not in types.types:
                await self._exchange.discard(response)
                raise UpstreamBroken(f"{shown(found_at)} is no index page: its type is {content_type!r}")
            encoding = (header(response, "Content-Encoding") or "identity").strip().lower()
            try:
                write = take(content_type, encoding)
            except Exception:
                await self._exchange.discard(response)
                raise
            await self._exchange.read(response, write, limit=limit)
            return FetchedPage(
                url=found_at,
                content_type=content_type,
                encoding=encoding,
                body=b"",
                etag=header(response, "ETag"),
                last_modified=header(response, "Last-Modified"),
                serial=_serial(response),
            )

    async def file(
        self, url: str, sink: FileSink, *, resumption: Resumption | None = None, no_cache: bool = False
    ) -> None:
        """
        Pass the bytes of the file at ``url`` to ``sink``, as they come and as fast as it takes them.

        With ``resumption`` only the rest is asked for. Where that comes,
        ``begin`` is not called; where it is, all of the file comes again.
        With ``no_cache`` no cache on the way may answer. Raises
        `UpstreamLacksFile` where there is no such file.
        """
        headers = {"Accept-Encoding": "identity"}
        if resumption is not None:
            headers |= {"Range": f"bytes={resumption.start}-", "If-Range": resumption.validator}
        if no_cache:
            headers["Cache-Control"] = "no-cache"
        await self._within(self._limits.file_timeout, self._file(url, headers, sink, resumption))

    async def _file(self, url: str, headers: dict[str, str], sink: FileSink, resumption: Resumption | None) -> None:
        async with self._exchange.answer(b"GET", url, headers, Kind.LONG) as (response, found_at):
            start = 0
            if resumption is None or response.code != 206:
                await self._expect_file(response, found_at)
                await self._begin(response, sink)
            else:
                start = resumption.start
                if not is_content_range_from(start, _content_range(response)):
                    await self._exchange.discard(response)
                    raise RangesRefused(f"{shown(found_at)} does not go on at byte {start}, as it was asked to")
            await self._exchange.read(response, sink.write, limit=self._limits.max_file - start, close_ends=True)

    async def _begin(self, response: IResponse, sink: FileSink) -> None:
        validator = strong_validator(*(header(response, name) for name in ("ETag", "Last-Modified", "Date")))
        try:
            sink.begin(None if response.length is UNKNOWN_LENGTH else response.length, validator)
        except UpstreamBroken:
            await self._exchange.discard(response)
            raise

    async def part(self, url: str, part: ByteRange, take: Write) -> None:
        """
        Pass ``part`` of the file at ``url`` to ``take``, as it comes and as fast as it is taken.

        Raises `RangesRefused` when anything else than exactly that part comes;
        some of it may have been taken by then; `UpstreamLacksFile`. Nothing
        vouches for the bytes: the digest that the index knows is that of the
        whole file.
        """
        await self._within(self._limits.file_timeout, self._part(url, part, take))

    async def _part(self, url: str, part: ByteRange, take: Write) -> None:
        asked = f"bytes={part.start}-{part.stop - 1}"
        headers = {"Accept-Encoding": "identity", "Range": asked}
        async with self._exchange.answer(b"GET", url, headers, Kind.BRIEF) as (response, found_at):
            if response.code not in {200, 206, 416}:
                await self._expect_file(response, found_at)
            if not _is_part(response, part):
                await self._exchange.discard(response)
                raise RangesRefused(f"{shown(found_at)} does not answer with {asked}, which it was asked for")
            left = part.stop - part.start

            async def write(data: bytes) -> None:
                nonlocal left
                left -= len(data)
                if left < 0:
                    raise RangesRefused(f"{shown(found_at)} sends more than {asked}, which it was asked for")
                await take(data)

            await self._exchange.read(response, write, limit=self._limits.max_file, close_ends=True)
            if left > 0:
                raise RangesRefused(f"{shown(found_at)} sends {left} bytes too few for {asked}")

    async def file_size(self, url: str) -> int | None:
        """Return the length of the file at ``url`` without fetching it; None where upstream does not say."""
        headers = {"Accept-Encoding": "identity"}
        async with self._exchange.answer(b"HEAD", url, headers, Kind.BRIEF) as (response, found_at):
            await self._expect_success(response, found_at)
            length = header(response, "Content-Length")
            await self._exchange.discard(response)
        return int(length) if length is not None and length.isascii() and length.isdigit() else None

    async def _expect_file(self, response: IResponse, url: str) -> None:
        if response.code in {404, 410}:
            await self._exchange.discard(response)
            raise UpstreamLacksFile(f"{shown(url)} answers {response.code}", detail=f"status-{response.code}")
        await self._expect_success(response, url)

    async def _expect_success(self, response: IResponse, url: str) -> None:
        code = response.code
        if code == 200:
            return
        await self._exchange.discard(response)
        if code == 508:
            raise MirrorLoop(f"{shown(url)} answers 508: mirrors ask each other in a circle, or too many in a row")
        if code == 429 or code >= 500:
            raise UpstreamUnavailable(
                f"{shown(url)} answers {code}", retry_after=retry_after(response), detail=f"status-{code}"
            )
        raise UpstreamBroken(
            f"{shown(url)} answers {code}", detail="auth" if code in _WANTS_CREDENTIALS else f"status-{code}"
        )

    async def _within(self, seconds: float, work: Coroutine[Deferred[Any], Any, T]) -> T:
        try:
            return await Deferred.fromCoroutine(work).addTimeout(seconds, self._clock)
        except defer.TimeoutError as e:
            raise UpstreamUnavailable(f"upstream was not done after {seconds:g} s", detail="timeout") from e


def _page_headers(types: PageTypes, etag: str | None, last_modified: str | None) -> dict[str, str]:
    headers = {"Accept": types.accept, "Accept-Encoding": "gzip"}
    if etag is not None:
        headers["If-None-Match"] = etag
    elif last_modified is not None:
        headers["If-Modified-Since"] = last_modified
    return headers


def _is_part(response: IResponse, part: ByteRange) -> bool:
    """Return whether ``response`` holds those bytes of the file, and nothing else."""
    return (
        response.code == 206
        and is_content_range_of(part, _content_range(response))
        and response.length in {part.stop - part.start, UNKNOWN_LENGTH}
        and header(response, "Content-Encoding") in {None, "identity"}
    )


def _content_range(response: IResponse) -> str:
    said = response.headers.getRawHeaders(b"Content-Range") or ()
    return ", ".join(value.decode("latin-1") for value in said)


def _reason(response: IResponse) -> str:
    phrase = response.phrase.decode("latin-1")[:MAX_REASON]
    return f"{response.code} {phrase}".rstrip()


def _serial(response: IResponse) -> int | None:
    text = header(response, "X-PyPI-Last-Serial") or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_SERIAL else None
