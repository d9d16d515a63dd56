"""How far a cached page can be believed, by its age."""

from __future__ import annotations

from enum import Enum


class Freshness(Enum):
    FRESH = "fresh"
    """Answer from the cache."""
    STALE = "stale"
    """Answer from the cache now, fetch a newer page behind the client's back."""
    EXPIRED = "expired"
    """Fetch first; the cached page is for when that fails."""


def judge(age: float, *, ttl: float, grace: float) -> Freshness:
    """
    Classify a page fetched ``age`` seconds ago.

    ``ttl`` is how long a page is taken at its word; ``grace`` how much longer
    a client is spared the wait for a newer one (RFC 5861
    stale-while-revalidate). A negative age (the clock stepped back) counts as
    fresh, so a bad clock costs accuracy rather than an upstream stampede.
    """
    if age < 0 or age <= ttl:
        return Freshness.FRESH
    if age <= ttl + grace:
        return Freshness.STALE
    return Freshness.EXPIRED
