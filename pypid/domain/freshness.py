"""How far a cached page can be believed, by its age."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from enum import Enum

JITTER = 0.1
"""Share by which a page is believed longer or shorter: what was fetched together is not refreshed together (F12)."""


class Freshness(Enum):
    FRESH = "fresh"
    """Answer from the cache."""
    STALE = "stale"
    """Answer from the cache now, fetch a newer page behind the client's back."""
    EXPIRED = "expired"
    """Fetch first; the cached page is for when that fails, or takes long."""
    TOO_OLD = "too old"
    """Fetch first; the cached page is not to be answered any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long a page is good for what, in seconds of its age."""

    ttl: float
    """It is taken at its word."""
    grace: float
    """So much longer a client is spared the wait for a newer one (RFC 5861, stale-while-revalidate)."""
    max_stale: float = math.inf
    """Until then it is answered while there is no newer one (stale-if-error)."""

    def judge(self, age: float) -> Freshness:
        """Classify a page that upstream sent, or confirmed, ``age`` seconds ago."""
        if age <= self.ttl:
            return Freshness.FRESH
        if age > self.max_stale:
            return Freshness.TOO_OLD
        return Freshness.STALE if age <= self.ttl + self.grace else Freshness.EXPIRED


def jittered(ttl: float, *, share: float, seed: str) -> float:
    """Return ``ttl``, up to ``share`` of it longer or shorter: always the same for one ``seed``."""
    return ttl * (1 + share * (zlib.crc32(seed.encode()) / 2**31 - 1))
