"""Distribution files and the metadata beside them."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from pypid.domain.ranges import (
    ByteRange,
    UnsatisfiableRange,
    completes_file,
    etag_matches,
    if_range_matches,
    is_resumption,
    parse_range,
)
from pypid.indexes.index import FileBody
from pypid.web.conditional import tell
from pypid.web.errors import answer
from pypid.web.flow import flow_to
from pypid.web.request import Request

IMMUTABLE = b"max-age=365000000, immutable, public"
"""A file's URL holds its digest: what is behind it never changes (PyPI's file host says the same)."""

NO_STORE = b"no-store"
"""For what no digest vouches for: a cache would go on sending it when the right bytes are known."""

REVALIDATED = b"no-cache"
"""What an upstream says no sha256 of may be other bytes one day, under the URL that it had."""


class Files:
    """Sends files, whole or one range of them, as fast as the client reads."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    async def send(
        self,
        request: Request,
        body: FileBody,
        digest: str = "",
        *,
        kept: bool = True,
        downloaded: Callable[[], None] = lambda: None,
    ) -> bytes:
        """
        Answer with ``body``, and close it.

        ``digest``: the sha256's first digits, where the URL should hold them.
        ``kept``: caches may keep it, unless it is a part that may be wrong.
        ``downloaded``: called when all of it has been sent, or the end that the client had still to get.
        """
        try:
            return await self._send(request, body, digest, kept=kept, downloaded=downloaded)
        finally:
            body.close()

    async def _send(
        self, request: Request, body: FileBody, digest: str, *, kept: bool, downloaded: Callable[[], None]
    ) -> bytes:
        etag = _etag(body)
        if etag and etag_matches(request.header("If-None-Match"), etag):
            _set_validators(request, body, digest, kept=kept)
            tell(request, body.cache_status)
            request.setResponseCode(304)
            return b""
        if request.method == b"HEAD":
            _describe(request, body, digest, await body.announced_size(), kept=kept)
            return b""
        wanted = request.header("Range") if if_range_matches(request.header("If-Range"), etag) else None
        # Read before anything is said of the file, its ETag included: a transfer that fails now can still
        # become a clean error, and one that has begun knows the size, which then nobody need be asked for.
        first = await body.read(0) if wanted is None else b""
        size = await body.size()
        try:
            part = parse_range(wanted, size)
        except UnsatisfiableRange as e:
            request.setHeader(b"Content-Range", f"bytes */{size}".encode())
            return answer(request, 416, (str(e),))
        if part is not None:
            if not is_resumption(wanted, request.header("If-Range")):
                body.narrow(part)
            first = await body.read(part.start)
            request.setResponseCode(206)
            request.setHeader(b"Content-Range", f"bytes {part.start}-{part.stop - 1}/{size}".encode())
        elif wanted is not None:  # a range that is to be ignored
            first = await body.read(0)
        sent = part or ByteRange(0, size)
        # A part of what is still arriving is whole in itself, and perhaps wrong; the whole is cut off if it is wrong.
        _describe(request, body, digest, sent.stop - sent.start, kept=kept and (part is None or body.verified))
        await self._stream(request, body, sent, first)
        if part is None or completes_file(part, size, wanted, request.header("If-Range")):
            downloaded()
        return b""

    async def _stream(self, request: Request, body: FileBody, part: ByteRange, first: bytes) -> None:
        """Write ``part``, of which ``first`` are the first bytes, or raise when it cannot be had to the end."""
        offset, data = part.start, first
        with flow_to(request, stall=request.snapshot.stall_timeout, clock=self._clock) as flow:
            while data := data[: part.stop - offset]:
                request.write(data)
                offset += len(data)
                await flow.open()
                data = await body.read(offset) if offset < part.stop else b""
        if offset < part.stop:
            raise EOFError(f"the file ended {part.stop - offset} bytes too soon")


def _etag(body: FileBody) -> str:
    """Return the file's ETag; nothing while its sha256 is not known."""
    return "" if body.sha256 is None else f'"sha256:{body.sha256}"'


def _set_validators(request: Request, body: FileBody, digest: str, *, kept: bool) -> None:
    if etag := _etag(body):
        request.setHeader(b"ETag", etag.encode())
    lasting = body.sha256 is not None and body.sha256.startswith(digest)
    request.setHeader(b"Cache-Control", (IMMUTABLE if lasting else REVALIDATED) if kept else NO_STORE)


def _describe(request: Request, body: FileBody, digest: str, length: int | None, *, kept: bool) -> None:
    _set_validators(request, body, digest, kept=kept)
    tell(request, body.cache_status)
    request.setHeader(b"Content-Type", b"application/octet-stream")
    if length is not None:
        request.setHeader(b"Content-Length", str(length).encode())
    request.setHeader(b"Accept-Ranges", b"bytes")
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
