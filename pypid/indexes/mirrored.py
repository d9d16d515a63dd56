"""What an upstream says of its projects: fetched once for everybody, kept over restarts, used while it lasts."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Generic, TypeVar

from cachetools import LRUCache
from twisted.internet.defer import TimeoutError as NotYet
from twisted.logger import Logger

from pypid.domain.cache_status import CacheStatus, Forwarded
from pypid.domain.changelog import Changes
from pypid.domain.circle import check_circle
from pypid.domain.errors import PackageIndexError, ProjectNotFound, UpstreamBroken, UpstreamUnavailable
from pypid.domain.freshness import Freshness, jittered
from pypid.flight import SingleFlight, shield
from pypid.indexes.documents import Documents
from pypid.indexes.held import Held, Told
from pypid.indexes.mirroring import Asked, Kind, Mirroring

T = TypeVar("T")

RETRY_AFTER_FAILURE = 5.0
"""Seconds after a refresh that failed in which the old document is answered without another try: the breaker's too."""

PATIENCE = 2.0
"""Seconds for which a client waits for a newer document where there is an old one (A56)."""

FORCED_PATIENCE = 10.0
"""The same, for who asks for the newest: below pip's own 15 s."""

FORCED_INTERVAL = 5.0
"""Seconds between two times that clients have upstream asked for a document that is fresh (A57)."""

SLOW = "slow"
"""Why nobody waits for upstream, where it was waited for in vain and may yet answer."""

AUTH = "auth"
"""Why upstream gives nothing to who has not the right credentials."""

TROUBLES = 1000
"""Documents of which it is remembered what was logged."""


class Mirrored(Generic[T]):
    """
    One upstream's documents of one kind.

    A document is believed for its time to live. For the grace after that it is
    answered at once and refreshed behind the answer; later, clients wait for
    the refresh, for a moment, and then get the old one. While upstream fails
    nobody waits (A54). A document that is too old is answered no more.
    """

    _log = Logger()

    def __init__(self, mirroring: Mirroring, kind: Kind[T]) -> None:
        self._index = mirroring.index
        self._rules = mirroring.rules
        self._now = mirroring.now
        self._clock = mirroring.clock
        self._offline = mirroring.offline
        self._mark = mirroring.mark
        self._documents = Documents(mirroring, kind)
        self._loads: SingleFlight[Asked, tuple[Held[T], bool]] = SingleFlight()
        self._refreshes: SingleFlight[Asked, Held[T] | PackageIndexError] = SingleFlight()
        self._failing: str | None = None
        """Why upstream could not be asked the last time."""
        self._logged: LRUCache[Asked, str] = LRUCache(TROUBLES)

    async def get(self, asked: Asked, *, newest: bool = False) -> Told[T]:
        """
        Return the document. Raises `ProjectNotFound` where upstream has none, `UpstreamUnavailable`.

        ``newest``: a fresh one will not do, unless it is of the last few seconds.
        """
        check_circle(self._mark)  # before waiting for what waits for this
        held = self._documents.held(asked)
        if held is not None:
            return await self._current(asked, held, newest=newest)
        collapsed = asked in self._loads
        held, fetched = await self._loads.join(asked, lambda: self._load(asked, newest=newest))
        if not fetched:
            return await self._current(asked, held, newest=newest)
        return self._told(asked, held, CacheStatus(forwarded=Forwarded.URI_MISS, stored=True, collapsed=collapsed))

    def held(self, asked: Asked) -> Held[T] | None:
        """Return the document if it is in memory."""
        return self._documents.held(asked)

    def doubt(self, changes: Changes | None, until: float) -> None:
        """As `Documents.doubt`."""
        self._documents.doubt(changes, until)

    def ignore(self, asked: Asked) -> None:
        """Take it that upstream has none, for as long as if it had said so."""
        self._documents.ignore(asked)

    async def _load(self, asked: Asked, *, newest: bool) -> tuple[Held[T], bool]:
        """Return the document from an earlier run, else from upstream, and whether it is from there."""
        self._documents.check_absence(asked, unless_older_than=FORCED_INTERVAL if newest else None)
        held = await self._documents.kept(asked)
        if held is not None:
            return held, False
        outcome = await self._ask(asked, None)
        if isinstance(outcome, PackageIndexError):
            raise outcome
        return outcome, True

    async def _current(self, asked: Asked, held: Held[T], *, newest: bool) -> Told[T]:
        """Return what is to be told where ``held`` is here."""
        now = self._now()
        held.fetched_at = min(held.fetched_at, now)  # a clock that was set back must not make it fresh for years
        freshness = self._freshness(asked, held)
        forced = newest and now - held.fetched_at >= FORCED_INTERVAL
        if self._offline:
            return self._told(asked, held, CacheStatus(detail="offline"))
        if freshness is Freshness.FRESH and not forced:
            return self._told(asked, held, CacheStatus())
        if 0 <= now - held.failed_at < RETRY_AFTER_FAILURE:  # a clock that was set back must not make it years, either
            if freshness is Freshness.TOO_OLD:
                raise self._too_old(asked, held)
            return self._told(asked, held, CacheStatus(detail=held.trouble))
        return await self._refreshed(asked, held, freshness, forced=forced)

    async def _refreshed(self, asked: Asked, held: Held[T], freshness: Freshness, *, forced: bool) -> Told[T]:
        """Have ``held`` refreshed, wait for that as long as it is worth it, and return what is to be told then."""
        collapsed = asked in self._refreshes
        patience = self._patience(freshness, forced=forced)
        at_once = self._told(asked, held, CacheStatus(detail=self._failing))
        # Shielded: a refresh is of use to the next client as well.
        refresh = shield(self._refreshes.join(asked, lambda: self._ask(asked, held)))
        if patience == 0:
            return at_once
        try:
            outcome = await (refresh if patience is None else refresh.addTimeout(patience, self._clock))
        except NotYet:
            self._failing = self._failing or SLOW
            outcome = UpstreamUnavailable("upstream takes its time", detail=SLOW)
        forwarded = Forwarded.REQUEST if freshness is Freshness.FRESH else Forwarded.STALE
        if isinstance(outcome, Held):
            return self._told(asked, outcome, CacheStatus(forwarded=forwarded, stored=True, collapsed=collapsed))
        if not isinstance(outcome, UpstreamUnavailable) or freshness is Freshness.TOO_OLD:
            raise outcome
        if outcome.detail == "breaker":  # nobody was asked
            return self._told(asked, held, CacheStatus(detail=outcome.detail))
        return self._told(asked, held, CacheStatus(forwarded=forwarded, collapsed=collapsed, detail=outcome.detail))

    def _patience(self, freshness: Freshness, *, forced: bool) -> float | None:
        """Return for how many seconds a client waits; None: for as long as it takes."""
        if freshness is Freshness.TOO_OLD:
            return None
        if self._failing is not None:
            return 0
        if forced:
            return FORCED_PATIENCE
        return 0 if freshness is Freshness.STALE else PATIENCE

    async def _ask(self, asked: Asked, held: Held[T] | None) -> Held[T] | PackageIndexError:
        """Ask upstream; return the document, or why there is none."""
        try:
            held = await self._documents.fetch(asked, held)
        except ProjectNotFound as e:
            self._answered(asked)
            return e
        except UpstreamUnavailable as e:
            self._failed(asked, held, e)
            return e
        held.trouble = None
        self._answered(asked)
        return held

    def _answered(self, asked: Asked) -> None:
        self._logged.pop(asked, None)
        if self._failing not in {None, SLOW}:
            self._log.info("{index}: upstream answers again", index=self._index)
        self._failing = None

    def _failed(self, asked: Asked, held: Held[T] | None, why: UpstreamUnavailable) -> None:
        """Note it, and log it once: for upstream as a whole where that could not be asked, else for the document."""
        if held is not None:
            held.failed_at = self._now()
            held.trouble = why.detail
        if not isinstance(why, UpstreamBroken):
            said = self._failing not in {None, SLOW}
            self._failing = why.detail
        else:
            # The credentials are those of all documents.
            said = self._logged.get(asked) == why.detail or (why.detail == AUTH and AUTH in self._logged.values())
            self._logged[asked] = why.detail
        if not said:
            self._log.warn(
                "{index}: {asked} cannot be had{still}: {why}",
                index=self._index,
                asked=asked,
                still="" if held is None else ", and the old one goes on being served",
                why=why,
            )

    def _freshness(self, asked: Asked, held: Held[T]) -> Freshness:
        age = self._now() - held.fetched_at
        lifetime = replace(self._rules.lifetime, ttl=self._ttl(asked, held))
        freshness = lifetime.judge(age)
        return Freshness.EXPIRED if held.foreign and freshness is not Freshness.TOO_OLD else freshness

    def _ttl(self, asked: Asked, held: Held[T]) -> float:
        seed = f"{self._index} {asked} {held.fetched_at}"
        return jittered(self._rules.lifetime.ttl, share=self._rules.jitter, seed=seed)

    def _told(self, asked: Asked, held: Held[T], cache_status: CacheStatus) -> Told[T]:
        ttl = 0.0 if held.foreign or self._offline else self._ttl(asked, held)
        left = math.floor(ttl - (self._now() - held.fetched_at))
        return Told(held.value, replace(cache_status, ttl=left))

    def _too_old(self, asked: Asked, held: Held[T]) -> UpstreamUnavailable:
        return UpstreamUnavailable(
            f"{self._index}: what is kept of {asked} is older than max_stale, and upstream cannot be asked",
            retry_after=math.ceil(RETRY_AFTER_FAILURE),
            detail=held.trouble,
        )
