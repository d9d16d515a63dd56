"""Learning from upstream what has changed, instead of asking for each page again."""

from __future__ import annotations

from twisted.logger import Logger

from pypid.domain.changelog import Changes, InvalidChangelog, read_changes, read_last_serial
from pypid.domain.errors import UpstreamUnavailable
from pypid.indexes.mirroring import Mirroring
from pypid.indexes.pages import MirroredPages
from pypid.upstream.calls import CallClient


class ChangeFeed:
    """
    One upstream's change feed: the pages that it names are asked for when they are next wanted.

    It never fails: without it pages are believed for their time to live.
    """

    _log = Logger()

    def __init__(self, mirroring: Mirroring, client: CallClient, pages: MirroredPages) -> None:
        self._mirroring = mirroring
        self._client = client
        self._pages = pages
        self._polling = False
        self._failed = False

    async def poll(self) -> None:
        """Ask what has changed since the last time, unless somebody is just doing that."""
        if self._polling:
            return
        self._polling = True
        try:
            await self._poll()
        except (UpstreamUnavailable, InvalidChangelog, OSError) as e:
            if not self._failed:
                self._log.warn(
                    "{index}: the change feed {url} cannot be used, pages are believed for their ttl: {why}",
                    index=self._mirroring.index,
                    url=self._client.url,
                    why=e,
                )
            self._failed = True
        else:
            if self._failed:
                self._log.info("{index}: the change feed works again", index=self._mirroring.index)
            self._failed = False
        finally:
            self._polling = False

    async def _poll(self) -> None:
        mirroring = self._mirroring
        since = await mirroring.records.feed_serial(mirroring.index, self._client.url)
        if since is None:
            await self._begin()
            return
        try:
            body = await self._client.call("changelog_since_serial", since)
        except UpstreamUnavailable as e:
            if e.detail != "too-large":
                raise
            await self._begin()
            return
        changes = await mirroring.parse(read_changes, body)
        if changes:
            await self._doubt(changes)
            await mirroring.records.keep_feed_serial(mirroring.index, self._client.url, max(changes.values()))

    async def _begin(self) -> None:
        """Doubt every page: what has changed until now nobody knows."""
        serial = read_last_serial(await self._client.call("changelog_last_serial"))
        await self._doubt(None)
        await self._mirroring.records.keep_feed_serial(self._mirroring.index, self._client.url, serial)
        self._log.info(
            "{index}: the change feed {url} is followed from {serial} on",
            index=self._mirroring.index,
            url=self._client.url,
            serial=serial,
        )

    async def _doubt(self, changes: Changes | None) -> None:
        mirroring = self._mirroring
        until = mirroring.rules.expired_at(mirroring.now())
        await mirroring.records.doubt_pages(mirroring.index, changes, until)
        self._pages.doubt(changes, until)
