"""What is known of the servers that are asked: which of them is down, and how many requests each is answering."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum

from cachetools import LRUCache
from twisted.internet.defer import DeferredSemaphore
from twisted.internet.defer import TimeoutError as NoTurn
from twisted.internet.interfaces import IReactorTime

from pypid.domain.breaker import Attempt, Breaker
from pypid.domain.errors import UpstreamUnavailable
from pypid.domain.reach import Origin, origin_of

HOSTS = 1000
"""Servers that are remembered: an upstream has one or two."""


class Kind(Enum):
    """How long a request may keep a connection. Each kind has turns of its own: pages do not wait behind files."""

    BRIEF = "brief"
    """Pages, and parts of files."""
    LONG = "long"
    """Files, and lists of all projects."""


LEFT_ALONE = "breaker"
"""Why a server is not asked that failed before."""

PATIENCE = {Kind.BRIEF: 4.0, Kind.LONG: 60.0}
"""
Seconds for which a request waits for its turn.

With the time-out of the answer, a page stays below pip's 15 s. A file may wait
longer: its transfer belongs to nobody, and a client that gave up finds it again.
"""


class Host:
    """One server: scheme, host and port."""

    def __init__(self, origin: Origin, clock: IReactorTime) -> None:
        self._shown = "{}://{}:{}".format(*origin)
        self._clock = clock
        self.breaker = Breaker()
        self._turns: dict[Kind, DeferredSemaphore] = {}

    @asynccontextmanager
    async def turn(self, kind: Kind, limit: int) -> AsyncIterator[None]:
        """
        Wait until fewer than ``limit`` requests of ``kind`` are under way: first come, first served (A53).

        Raises `UpstreamUnavailable` where that takes too long. What is inside
        is under way until its end.
        """
        turns = self._turns.get(kind)
        if turns is None or turns.limit != limit:  # which a reload may change
            turns = self._turns[kind] = DeferredSemaphore(limit)
        patience = PATIENCE[kind]
        try:
            await turns.acquire().addTimeout(patience, self._clock)
        except NoTurn as e:
            raise UpstreamUnavailable(
                f"{self._shown} is busy with {limit} other requests, and has been for {patience:g} s", detail="queue"
            ) from e
        try:
            yield
        finally:
            turns.release()

    def attempt(self) -> Attempt:
        """Begin to ask, or raise `UpstreamUnavailable` at once while the server is left alone."""
        wait = math.ceil(self.breaker.wait(self._clock.seconds()))
        if wait:
            raise UpstreamUnavailable(
                f"{self._shown} failed and is left alone for {wait} s", retry_after=wait, detail=LEFT_ALONE
            )
        return self.breaker.attempt()


class Hosts:
    """The servers, by origin. They outlive a reload."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._hosts: LRUCache[Origin, Host] = LRUCache(HOSTS)

    def of(self, url: str) -> Host:
        """Return the server of ``url``. Raises ValueError where it has none."""
        origin = origin_of(url)
        host = self._hosts.get(origin)
        if host is None:
            host = self._hosts[origin] = Host(origin, self._clock)
        return host
