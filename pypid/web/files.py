"""Distribution files and the metadata beside them."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from pypid.domain.ranges import (
    ByteRange,
    UnsatisfiableRange,
    etag_matches,
    if_range_matches,
    is_resumption,
    parse_range,
)
from pypid.indexes.index import FileBody
from pypid.web.errors import answer
from pypid.web.flow import flow_to
from pypid.web.request import Request

IMMUTABLE = b"max-age=365000000, immutable, public"
"""A file's URL holds its digest: what is behind it never changes (PyPI's file host says the same)."""

NO_STORE = b"no-store"
"""For what no digest vouches for: a cache would go on sending it when the right bytes are known."""


class Files:
    """Sends files, whole or one range of them, as fast as the client reads."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock

    async def send(self, request: Request, body: FileBody, *, cache_control: bytes = IMMUTABLE) -> bytes:
        """Answer with ``body``, and close it. A part that may be wrong is `NO_STORE` whatever the ``cache_control``."""
        try:
            return await self._send(request, body, cache_control)
        finally:
            body.close()

    async def _send(self, request: Request, body: FileBody, cache_control: bytes) -> bytes:
        etag = f'"sha256:{body.sha256}"'
        if etag_matches(request.header("If-None-Match"), etag):
            request.setHeader(b"ETag", etag.encode())
            request.setHeader(b"Cache-Control", cache_control)
            request.setResponseCode(304)
            return b""
        if request.method == b"HEAD":
            _describe(request, etag, await body.announced_size(), cache_control)
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
        _describe(request, etag, sent.stop - sent.start, cache_control if part is None or body.verified else NO_STORE)
        await self._stream(request, body, sent, first)
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


def _describe(request: Request, etag: str, length: int | None, cache_control: bytes) -> None:
    request.setHeader(b"ETag", etag.encode())
    request.setHeader(b"Content-Type", b"application/octet-stream")
    if length is not None:
        request.setHeader(b"Content-Length", str(length).encode())
    request.setHeader(b"Accept-Ranges", b"bytes")
    request.setHeader(b"Cache-Control", cache_control)
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
