"""Which of its changes an upstream has shown us already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cachetools import LRUCache

from pypid.domain.names import NormalizedName

SERIAL_TRUST = 86400.0
"""
Seconds for which a serial counts more than an older one that comes later.

Caches between upstream and us are not a day behind; an upstream that still says
the older one then has begun to count anew.
"""

ANNOUNCED = 10_000
"""Projects of which it is remembered what the change feed said: hours of PyPI's."""


class Announced:
    """The serials that pages must show, as upstream's change feed said."""

    def __init__(self) -> None:
        self._serials: LRUCache[NormalizedName, tuple[int, float]] = LRUCache(ANNOUNCED)

    def note(self, changes: Mapping[NormalizedName, int], now: float) -> None:
        for project, serial in changes.items():
            self._serials[project] = serial, now

    def get(self, project: NormalizedName) -> tuple[int | None, float]:
        """Return the serial, None where the feed said none, and when it did."""
        return self._serials.get(project, (None, 0.0))


def newest(seen: Iterable[tuple[int | None, float]], now: float) -> int | None:
    """Return the greatest of the serials that were ``seen``, each with a time, as far as they still count."""
    serials = [serial for serial, since in seen if serial is not None and since >= now - SERIAL_TRUST]
    return max(serials, default=None)
