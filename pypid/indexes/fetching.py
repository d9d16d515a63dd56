"""The tries that it takes to have all of a file, and the right one, in a spool."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from pypid.domain.errors import DigestMismatch, UpstreamBroken, UpstreamUnavailable
from pypid.indexes.refusals import Refusals
from pypid.indexes.source import Source
from pypid.storage.spool import Spool
from pypid.upstream.client import Resumption


class Fetching:
    """
    Brings one file from upstream.

    Each of its sources is asked once more for what is missing when the answer
    breaks off, and once more for all of it, past every cache, when the bytes
    are wrong; then it is the next one's turn. What would begin at the first
    byte again is done only while no reader has got a byte.
    """

    _log = Logger()

    def __init__(self, source: Source, spool: Spool, refusals: Refusals, *, arrived: Callable[[int], None]) -> None:
        """``arrived`` is told how many bytes have come, each time that some do."""
        self._sources = [source]
        self._spool = spool
        self._refusals = refusals
        self._arrived = arrived
        self._begun = False
        self._told_size: int | None = None
        self._validator: str | None = None

    def add(self, source: Source) -> None:
        """Take it that ``source`` has the same file, whatever other size its page claims."""
        known = [(each.url, each.size, each.fetcher) for each in self._sources]
        if (source.url, source.size, source.fetcher) not in known:
            self._sources.append(source)
            if self._begun:
                self._spool.announce(self.size)

    @property
    def size(self) -> int | None:
        """The file's length as upstream says it, else as all pages agree."""
        if self._told_size is not None:
            return self._told_size
        claimed = {source.size for source in self._sources}
        return claimed.pop() if len(claimed) == 1 else None

    async def run(self) -> None:
        """Return when all is there and right. Raises `UpstreamUnavailable`, and `OSError` for the disk's faults."""
        # More may be added while one is asked.
        for number, source in enumerate(self._sources, start=1):
            try:
                await self._fetch(source)
            except UpstreamUnavailable as e:
                if number == len(self._sources) or self._spool.tapped:
                    raise
                self._log.warn("{url} is left for another source: {why}", url=source.url, why=e)
            else:
                return

    async def _fetch(self, source: Source) -> None:
        no_cache = self._refusals.is_suspected(source)
        while True:
            try:
                await self._fetch_whole(source, no_cache=no_cache)
            except DigestMismatch as e:
                self._refusals.mismatched(source, e)
                if no_cache or self._spool.tapped:
                    raise
                self._log.warn("{url} is asked for again, past every cache: {why}", url=source.url, why=e)
                no_cache = True
            else:
                return

    async def _fetch_whole(self, source: Source, *, no_cache: bool) -> None:
        """Ask for the file and, if the answer breaks off, for its rest."""
        self._begun = False
        try:
            await self._ask(source, None, no_cache=no_cache)
        except UpstreamBroken:
            raise
        except UpstreamUnavailable as e:
            rest = self._rest()
            if not self._begun or (rest is None and self._spool.tapped):
                raise
            first = 0 if rest is None else rest.start
            self._log.info("{url} is asked for again, from byte {first} on: {why}", url=source.url, first=first, why=e)
            await self._ask(source, rest, no_cache=no_cache)

    def _rest(self) -> Resumption | None:
        came = self._spool.arrived
        return Resumption(start=came, validator=self._validator) if came and self._validator is not None else None

    async def _ask(self, source: Source, rest: Resumption | None, *, no_cache: bool) -> None:
        """Ask once. Raises `DigestMismatch` for wrong bytes, another `UpstreamUnavailable` for too few."""
        try:
            await source.fetcher.file(source.url, self, resumption=rest, no_cache=no_cache)
        except UpstreamUnavailable as e:
            await self._spool.settled()
            if isinstance(e, UpstreamBroken) or not self._is_right(source):
                raise
        size, came = self._spool.size, self._spool.arrived
        if size is not None and came < size:
            raise UpstreamUnavailable(f"{source.url} ended after {came} of {size} bytes", detail="cut-off")
        self._spool.verify(source.digests)

    def _is_right(self, source: Source) -> bool:
        """Return whether all that is wanted came before the answer broke."""
        try:
            self._spool.verify(source.digests)
        except DigestMismatch:
            return False
        return True

    # The `FileSink`.

    def begin(self, size: int | None, validator: str | None) -> None:
        if self._spool.tapped:
            raise UpstreamBroken("upstream begins anew with a file of which a client has the first bytes")
        if size is not None and all(source.size not in {None, size} for source in self._sources):
            raise UpstreamBroken(f"upstream announces {size} bytes for a file of {self._sources[0].size}")
        self._spool.restart()
        self._begun, self._told_size, self._validator = True, size, validator
        self._spool.announce(self.size)

    async def write(self, data: bytes) -> None:
        self._arrived(len(data))
        await self._spool.write(data)
