"""The legacy JSON of a project or of one of its releases."""

from __future__ import annotations

import hashlib

from pypid.domain import legacy_json
from pypid.domain.names import NormalizedName
from pypid.domain.ranges import etag_matches
from pypid.indexes.index import FileBody, Index
from pypid.offload import Offload
from pypid.web.request import Request


class LegacyJson:
    """
    Answers from the project page, and from the METADATA of a file that was uploaded.

    For a mirrored project there is what its page says: upstream is asked for no more than that.
    """

    def __init__(self, render: Offload) -> None:
        self._render = render

    async def send(self, request: Request, index: Index, project: NormalizedName, wanted: str | None) -> bytes:
        """Answer with the version ``wanted`` of ``project``; without one with the latest, and with all its files."""
        page = await index.project_page(project)
        releases = await self._render(legacy_json.releases_of, page)
        version = legacy_json.choose_release(releases, wanted)
        described = None if version is None else legacy_json.file_with_metadata(releases[version])
        metadata = b""
        if described is not None:
            metadata = await _whole(
                await index.open_core_metadata(project, described.filename, described.digest_prefix)
            )
        body = await self._render(
            lambda: legacy_json.render(
                page, releases, version, metadata=metadata, base=request.site_url, whole=wanted is None
            )
        )
        return _answer(request, body)


async def _whole(file: FileBody) -> bytes:
    """Read the METADATA, which an upload may not have longer than 10 MiB, and close it."""
    parts: list[bytes] = []
    offset = 0
    try:
        while part := await file.read(offset):
            parts.append(part)
            offset += len(part)
    finally:
        file.close()
    return b"".join(parts)


def _answer(request: Request, body: bytes) -> bytes:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    request.setHeader(b"ETag", etag.encode())
    request.setHeader(b"Cache-Control", b"no-cache")
    if etag_matches(request.header("If-None-Match"), etag):
        request.setResponseCode(304)
        return b""
    request.setHeader(b"Content-Type", b"application/json")
    request.setHeader(b"X-Content-Type-Options", b"nosniff")
    request.setHeader(b"Content-Length", str(len(body)).encode())
    return body
