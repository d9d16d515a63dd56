"""The legacy JSON of a project or of one of its releases."""

from __future__ import annotations

from pypid.domain import legacy_json
from pypid.domain.names import NormalizedName
from pypid.indexes.index import FileBody, Index
from pypid.offload import Offload
from pypid.web.conditional import send_unless_held, strong_etag
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
        return send_unless_held(
            request, body, strong_etag(body), content_type="application/json", cache_control="no-cache"
        )


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
