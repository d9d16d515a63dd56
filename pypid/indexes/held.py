"""What upstreams said, in memory, ready to be answered from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

from pypid.domain.cache_status import CacheStatus
from pypid.domain.names import IndexName, NormalizedName

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Held(Generic[T]):
    """A document in memory, with what is needed to have it confirmed."""

    value: T
    weight: int
    """About how many bytes it takes."""
    etag: str | None
    last_modified: str | None
    serial: int | None
    fetched_at: float
    """When upstream sent it, or last confirmed it."""
    foreign: bool = False
    """It is of an upstream that the index had before: for when the one that it has now cannot be asked."""
    failed_at: float = -math.inf
    """When upstream last gave nothing that can be used."""
    trouble: str | None = None
    """What that was, in one word."""


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """A document as it is told to a client."""

    value: T
    cache_status: CacheStatus

    @property
    def max_age(self) -> int:
        """Whole seconds for which it may be used unasked."""
        return max(0, self.cache_status.ttl or 0)


PageMemory = LRUCache[tuple[IndexName, str, NormalizedName, str], Held[Any]]
"""By index, `Mirroring.reading` (which a reload may change), project and kind of document."""


def page_memory(size: int) -> PageMemory:
    """Return a memory for parsed documents that takes about ``size`` bytes."""
    return LRUCache(size, getsizeof=lambda held: held.weight)
