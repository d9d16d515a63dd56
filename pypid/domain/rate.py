"""How fast something arrives."""

from __future__ import annotations

WINDOW = 5.0
"""Seconds: what came longer than twice as long ago says nothing about now."""


class Rate:
    """Bytes per second, over the last `WINDOW` seconds up to twice as many."""

    def __init__(self, now: float) -> None:
        self._total = 0
        self._since = self._mark = (now, 0)

    def count(self, now: float, size: int) -> None:
        self._advance(now)
        self._total += size

    def per_second(self, now: float) -> float:
        self._advance(now)
        since, before = self._since
        return (self._total - before) / (now - since) if now > since else 0.0

    def _advance(self, now: float) -> None:
        if now - self._mark[0] >= WINDOW:
            self._since, self._mark = self._mark, (now, self._total)
