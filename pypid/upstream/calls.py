"""XML-RPC calls to an upstream."""

from __future__ import annotations

from typing import Any

from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from pypid.domain.errors import UpstreamBroken, UpstreamUnavailable
from pypid.domain.xml_rpc import render_call
from pypid.upstream.exchange import Exchange, header
from pypid.upstream.hosts import Kind

HEADERS = {"Content-Type": "text/xml", "Accept": "text/xml", "Accept-Encoding": "identity"}
TYPES = frozenset({"text/xml", "application/xml"})


class CallClient:
    """Calls the methods at one URL. All of them must be such that calling them twice does no harm."""

    def __init__(self, exchange: Exchange, clock: IReactorTime, url: str, *, timeout: float, limit: int) -> None:
        """``timeout``: seconds for one call; ``limit``: bytes of its answer."""
        self.url = url
        self._exchange = exchange
        self._clock = clock
        self._timeout = timeout
        self._limit = limit

    async def call(self, method: str, *parameters: Any) -> bytes:
        """Return the answer, which may be a fault. Raises `UpstreamUnavailable`."""
        asking = Deferred.fromCoroutine(self._call(render_call(method, parameters)))
        try:
            return await asking.addTimeout(self._timeout, self._clock)
        except defer.TimeoutError as e:
            raise UpstreamUnavailable(f"no answer after {self._timeout:g} s", detail="timeout") from e

    async def _call(self, body: bytes) -> bytes:
        chunks: list[bytes] = []

        async def collect(data: bytes) -> None:
            chunks.append(data)

        async with self._exchange.answer(b"POST", self.url, HEADERS, Kind.BRIEF, body=body) as (response, _):
            content_type = (header(response, "Content-Type") or "").partition(";")[0].strip().lower()
            if response.code != 200 or content_type not in TYPES:
                await self._exchange.discard(response)
                raise UpstreamBroken(f"the answer has the status {response.code} and the type {content_type!r}")
            await self._exchange.read(response, collect, limit=self._limit)
        return b"".join(chunks)
