"""Upstream's legacy JSON, for those upstreams that have it."""

from __future__ import annotations

from dataclasses import replace

from packaging.version import Version
from twisted.logger import Logger

from pypid.domain.coding import decoded
from pypid.domain.errors import ProjectNotFound, UpstreamBroken
from pypid.domain.headline import one_line
from pypid.domain.names import NormalizedName
from pypid.domain.release_facts import ReleaseFacts
from pypid.domain.upstream_json import parse_release
from pypid.indexes.mirrored import Mirrored
from pypid.indexes.mirroring import Asked, Mirroring, Read
from pypid.storage.cached import JSON, StoredPage
from pypid.upstream.client import JSON_TYPES

SIMPLE_ENDINGS = ("/simple/", "/+simple/")
"""How the URL of an index ends that has ``pypi/NAME/json`` beside its pages."""


class UpstreamJson:
    """One upstream's legacy JSON, asked for, kept and believed as its pages are."""

    _log = Logger()

    types = JSON_TYPES

    def __init__(self, mirroring: Mirroring) -> None:
        self._mirroring = mirroring
        self._documents = Mirrored(mirroring, self)
        upstream = mirroring.upstream
        self._root = next((upstream.removesuffix(end[1:]) for end in SIMPLE_ENDINGS if upstream.endswith(end)), None)

    async def get(self, project: NormalizedName, version: Version | None) -> ReleaseFacts:
        """
        Return what upstream says of that version, None being the latest; nothing where it has no such JSON.

        Raises `UpstreamUnavailable` where that cannot be known: nobody is told
        that a release has no dependencies, or no vulnerabilities, because upstream
        was down for a moment. poetry keeps such an answer for good.
        """
        if self._root is None:
            return ReleaseFacts()
        asked = Asked(project, JSON if version is None else f"{JSON}/{version}")
        try:
            told = await self._documents.get(asked)
            return replace(told.value, cache_status=told.cache_status)
        except ProjectNotFound:
            return ReleaseFacts()
        except UpstreamBroken as e:
            # A page of HTML, a refusal: an upstream that does not have this kind of document.
            self._log.info(
                "{index}: {asked} is answered from the page: {why}", index=self._mirroring.index, asked=asked, why=e
            )
            self._documents.ignore(asked)
            return ReleaseFacts()

    # The particulars of this kind of document.

    def url(self, asked: Asked) -> str:
        _, _, version = asked.kind.partition("/")
        return f"{self._root}pypi/{asked.project}/{f'{version}/' if version else ''}json"

    async def read(self, asked: Asked, stored: StoredPage) -> Read[ReleaseFacts]:
        return await self._mirroring.parse(self._parsed, asked, stored)

    async def settle(
        self,
        asked: Asked,  # noqa: ARG002
        stored: StoredPage,  # noqa: ARG002
        read: Read[ReleaseFacts],
        before: ReleaseFacts | None,  # noqa: ARG002
    ) -> Read[ReleaseFacts]:
        return read

    def _parsed(self, asked: Asked, stored: StoredPage) -> Read[ReleaseFacts]:
        _, _, version = asked.kind.partition("/")
        body = decoded(stored.body, stored.encoding, limit=self._mirroring.rules.max_page)
        facts = parse_release(body, project=asked.project, version=Version(version) if version else None)
        return Read(
            value=facts,
            weight=1024 + len(body),
            version=str(facts.version),
            summary=one_line(facts.info.get("summary")),
        )
