"""How often somebody may guess."""

from __future__ import annotations

from hashlib import sha256
from ipaddress import IPv6Network, ip_address

from cachetools import LRUCache

GUESSES = 10
"""Wrong passwords for one user from one place before it has to wait: nobody mistypes more often."""

REFILL = 30.0
"""Seconds after which one more is free: ten in five minutes, three thousand a day, too few to find a password."""

PLACES = 10_000
"""Entries that are remembered, of some 200 bytes. One that is pushed out has all its guesses again."""

IPV6_PLACE = 64
"""Bits of an IPv6 address that tell one network from another: a host in it can have any of the rest."""

Place = str


def place_of(address: str) -> Place:
    """Return what is taken for one place: an IPv4 address, the network of an IPv6 one, anything else as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed.packed, IPV6_PLACE), strict=False))


class Throttle:
    """
    Counts wrong passwords by place and user.

    By both: a stranger elsewhere locks nobody out, and behind one address
    (NAT) the job with the wrong password only itself. Who has signed in before
    is not asked here at all.
    """

    def __init__(self) -> None:
        self._buckets: LRUCache[tuple[Place, bytes], tuple[float, float]] = LRUCache(PLACES)

    def wait(self, place: Place, user: str, now: float) -> float:
        """Return the seconds until another guess is free; 0: it is now."""
        used = self._used(place, user, now)
        return 0.0 if used <= GUESSES - 1 else (used - (GUESSES - 1)) * REFILL

    def wrong(self, place: Place, user: str, now: float) -> None:
        """Count a wrong guess."""
        self._buckets[self._key(place, user)] = (self._used(place, user, now) + 1, now)

    def take_back(self, place: Place, user: str, now: float) -> None:
        """Uncount a guess: it was right, or not made at all."""
        self._buckets[self._key(place, user)] = (max(0.0, self._used(place, user, now) - 1), now)

    def _used(self, place: Place, user: str, now: float) -> float:
        used, at = self._buckets.get(self._key(place, user), (0.0, now))
        return max(0.0, used - max(0.0, now - at) / REFILL)

    def _key(self, place: Place, user: str) -> tuple[Place, bytes]:
        # A user is what a stranger says, of any length.
        return place, sha256(user.encode("utf-8", "replace")).digest()
