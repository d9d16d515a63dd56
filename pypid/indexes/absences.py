"""What an upstream was found not to have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K")

ABSENT_TTL = 60
"""Seconds for which upstream's "no such project" is believed: a new release is seen soon, a loop of typos is not."""

GONE_TTL = 3600
"""Seconds for which it is when upstream says that this is meant to last, with 410 or 451 (A25)."""

NAMES = 10_000
"""Names for which it is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Upstream's word that it has no such thing."""

    since: float
    ttl: float
    reason: str
    """In upstream's words, for people; "" where it gives none."""
    serial: int | None = None
    """Of the document that was there before."""

    def left(self, now: float) -> float:
        """Return for how many seconds it still counts, a clock that is set back ends it."""
        return max(0.0, self.since + self.ttl - now) if now >= self.since else 0.0


class Absences(Generic[K]):
    """The absences that still count."""

    def __init__(self) -> None:
        self._absences: LRUCache[K, Absence] = LRUCache(NAMES)

    def get(self, key: K) -> Absence | None:
        """Return the last absence of ``key``, whether or not it still counts."""
        return self._absences.get(key)

    def note(self, key: K, absence: Absence) -> None:
        self._absences[key] = absence

    def forget(self, key: K) -> None:
        """Note that it is there."""
        self._absences.pop(key, None)
