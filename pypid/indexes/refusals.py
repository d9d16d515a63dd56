"""What upstream has just sent wrong, or did not have: it is not asked for again at once."""

from __future__ import annotations

from collections.abc import Callable

from cachetools import TTLCache

from pypid.domain.errors import UpstreamBroken
from pypid.indexes.source import Source

REFUSED = 30
"""Seconds: an installer's tries for one file fall into them, a person's next attempt does not (A14, A26)."""

REMEMBERED = 10_000
"""Files for which it is remembered."""

_Asked = tuple[str, str, int | None]


class Refusals:
    """
    The files that upstream is not asked for again within `REFUSED` seconds.

    Each by its URL and by what its page says of it: another index may know better.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._refused: TTLCache[_Asked, tuple[str, str]] = TTLCache(REMEMBERED, REFUSED, timer=seconds)
        self._suspected: TTLCache[_Asked, None] = TTLCache(REMEMBERED, REFUSED, timer=seconds)

    def check(self, source: Source) -> None:
        """Raise `UpstreamBroken` while the file is refused."""
        refused = self._refused.get(_asked(source))
        if refused is not None:
            why, detail = refused
            raise UpstreamBroken(f"{why} (upstream is not asked again so soon)", retry_after=REFUSED, detail=detail)

    def refuse(self, source: Source, why: UpstreamBroken) -> None:
        self._refused[_asked(source)] = str(why), why.detail

    def is_suspected(self, source: Source) -> bool:
        """Return whether the bytes were wrong the last time."""
        return _asked(source) in self._suspected

    def mismatched(self, source: Source, why: UpstreamBroken) -> None:
        """Learn that the bytes were wrong: the first time may have been a cache's fault, the second time was not."""
        if self.is_suspected(source):
            self.refuse(source, why)
        self._suspected[_asked(source)] = None


def _asked(source: Source) -> _Asked:
    return source.key, source.url, source.size
