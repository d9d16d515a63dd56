"""What upstreams said, in memory, ready to be answered from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from cachetools import LRUCache

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
    fetched_at: float
    not_before: float = 0.0
    """When upstream may be asked again, after it could not be."""


PageMemory = LRUCache[tuple[IndexName, str, NormalizedName, str], Held[Any]]
"""By index, its upstream (which a reload may change), project and kind of document."""


def page_memory(size: int) -> PageMemory:
    """Return a memory for parsed documents that takes about ``size`` bytes."""
    return LRUCache(size, getsizeof=lambda held: held.weight)
