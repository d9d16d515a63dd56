"""Which blobs have to go when room is short, and which must stay."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

HIGH = 0.9
"""The share of the limit at which eviction begins: before the limit is reached, so that no transfer waits for it."""

LOW = 0.8
"""The share at which it ends: each time a tenth of the limit goes, so that it is not begun for every file."""

RESERVE_SLACK = 0.1
"""The share of the free-space reserve that is won on top of it, for the same reason."""

ORPHAN_DELAY = 3600.0
"""Seconds for which a blob that no record names is left alone: its record may be about to be written."""

ORPHAN_LIFE = 7 * 86400.0
"""
Seconds after which such a blob goes even if there is room.

Until then it is good for whoever asks for the file: after the loss of cache.db
every mirrored blob is one, and those in use are recorded again as they are asked for.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes; `pypid.config` has the defaults and their reasons."""

    cache_size: int | None
    """Of what is mirrored. None: as much as the disk takes."""
    keep_free: int
    """Of the disk, left for uploads and for everybody else."""

    def fits(self, size: int) -> bool:
        """Return whether a mirrored file of ``size`` bytes could stay, if need be as the only one (F20)."""
        return self.cache_size is None or size <= LOW * self.cache_size

    def is_full(self, mirrored: int) -> bool:
        """Return whether it is time to evict, with so many bytes mirrored."""
        return self.cache_size is not None and mirrored > HIGH * self.cache_size

    def excess(self, mirrored: int, free: int) -> int:
        """Return how many bytes have to go, with so many mirrored and so many left on the disk."""
        over = mirrored - int(LOW * self.cache_size) if self.cache_size is not None and self.is_full(mirrored) else 0
        short = int(self.keep_free * (1 + RESERVE_SLACK)) - free if free < self.keep_free else 0
        return max(over, short, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobUse:
    """A blob that is no upload's."""

    sha256: str
    size: int
    used_at: float
    """When it was last read, else when it came: seconds since 1970."""
    recorded: bool
    """Whether any record names it."""

    def is_spent(self, now: float) -> bool:
        """Return whether nobody can be about to record it any more."""
        return not self.recorded and now - self.used_at >= ORPHAN_DELAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Eviction:
    """What has to go."""

    blobs: Sequence[BlobUse]
    """In the order in which they go."""
    short: int
    """Bytes that should go as well and cannot: what they belong to is in use."""

    @property
    def size(self) -> int:
        return sum(blob.size for blob in self.blobs)


def plan_eviction(blobs: Iterable[BlobUse], *, excess: int, busy: Container[str], now: float) -> Eviction:
    """
    Return which of ``blobs`` go, so that ``excess`` bytes are won: orphans, then the least recently used.

    ``busy`` ones stay whatever happens, and so do young orphans; orphans that
    have been here for long go in any case.
    """
    idle = [blob for blob in blobs if blob.sha256 not in busy and (blob.recorded or blob.is_spent(now))]
    idle.sort(key=lambda blob: (blob.recorded, blob.used_at, blob.sha256))
    going: list[BlobUse] = []
    won = 0
    for blob in idle:
        if won >= excess and (blob.recorded or now - blob.used_at < ORPHAN_LIFE):
            break
        going.append(blob)
        won += blob.size
    return Eviction(blobs=going, short=max(0, excess - won))
