"""The legacy JSON of a project or of one of its releases."""

from __future__ import annotations

from pypid.domain import legacy_json
from pypid.domain.cache_status import HIT
from pypid.domain.names import NormalizedName
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.releases import choose_release, releases_of
from pypid.indexes.index import Index
from pypid.offload import Offload
from pypid.web.conditional import send_unless_held, strong_etag, tell
from pypid.web.request import Request


class LegacyJson:
    """Answers from the project page, and from what the index knows of a release beyond it."""

    def __init__(self, render: Offload) -> None:
        self._render = render

    async def send(self, request: Request, index: Index, project: NormalizedName, wanted: str | None) -> bytes:
        """Answer with the version ``wanted`` of ``project``; without one with the latest, and with all its files."""
        page = await index.project_page(project)
        releases = await self._render(releases_of, page)
        version = choose_release(releases, wanted)
        facts = (
            ReleaseFacts() if version is None else await index.release_facts(project, version, latest=wanted is None)
        )
        body = await self._render(
            lambda: legacy_json.render(page, releases, version, facts, base=request.site_url, whole=wanted is None)
        )
        tell(request, page.cache_status if facts.cache_status == HIT else facts.cache_status)
        if page.serial:
            request.setHeader(b"X-PyPI-Last-Serial", str(page.serial).encode())
        return send_unless_held(
            request, body, strong_etag(body), content_type="application/json", cache_control="no-cache"
        )
