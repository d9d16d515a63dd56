"""Answers that a client may have already."""

from __future__ import annotations

import hashlib

from pypid.domain.cache_status import CacheStatus
from pypid.domain.ranges import etag_matches
from pypid.web.request import Request


def tell(request: Request, cache_status: CacheStatus) -> None:
    """Say how the answer came about."""
    request.setHeader(b"Cache-Status", cache_status.render().encode())


def strong_etag(*parts: bytes) -> str:
    """Return an ETag for what consists of ``parts``: other bytes have another one."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return f'"{digest.hexdigest()[:32]}"'


def send_unless_held(
    request: Request, content: bytes, etag: str, *, content_type: str, cache_control: str, coding: str | None = None
) -> bytes:
    """
    Answer with ``content``, or with 304 when the client has it.

    ``coding``: the content coding that ``content`` is in. What says how long
    the answer holds is said with 304 as well; uv needs the ETag there.
    """
    request.setHeader(b"ETag", etag.encode())
    request.setHeader(b"Cache-Control", cache_control.encode())
    if etag_matches(request.header("If-None-Match"), etag):
        request.setResponseCode(304)
        return b""
    request.setHeader(b"Content-Type", content_type.encode())
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
    request.setHeader(b"Content-Length", str(len(content)).encode())
    if coding is not None:
        request.setHeader(b"Content-Encoding", coding.encode())
    return content
