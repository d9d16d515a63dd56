"""Short documents in JSON, such as the keys of an issuer of identity tokens."""

from __future__ import annotations

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.upstream.exchange import Exchange, retry_after
from pypid.upstream.hosts import Kind
from pypid.upstream.urls import shown

HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}


class DocumentClient:
    """Fetches documents, from any URL."""

    def __init__(self, exchange: Exchange, clock: IReactorTime, *, timeout: float, limit: int) -> None:
        """``timeout``: seconds for one; ``limit``: its bytes."""
        self._exchange = exchange
        self._clock = clock
        self._timeout = timeout
        self._limit = limit

    async def fetch(self, url: str) -> bytes:
        """Return what is at ``url``, whatever type it says it has. Raises `UpstreamUnavailable`."""
        fetching = Deferred.fromCoroutine(self._fetch(url))
        try:
            return await fetching.addTimeout(self._timeout, self._clock)
        except defer.TimeoutError as e:
            raise UpstreamUnavailable(f"{shown(url)} was not done after {self._timeout:g} s", detail="timeout") from e

    async def _fetch(self, url: str) -> bytes:
        chunks: list[bytes] = []

        async def collect(data: bytes) -> None:
            chunks.append(data)

        async with self._exchange.answer(b"GET", url, HEADERS, Kind.BRIEF) as (response, found_at):
            if response.code != 200:
                await self._exchange.discard(response)
                raise UpstreamBroken(f"{shown(found_at)} answers {response.code}", retry_after=retry_after(response))
            await self._exchange.read(response, collect, limit=self._limit)
        return b"".join(chunks)
