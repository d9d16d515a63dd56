"""The names of an index's projects, compact, since there may be a million."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from io import BytesIO

from pypid.domain.cache_status import HIT, CacheStatus
from pypid.domain.names import NormalizedName


@dataclass(frozen=True, slots=True)
class ProjectList:
    """
    Which projects there are.

    A million names take 16 MiB so, as texts they would take 70.
    """

    parts: tuple[bytes, ...]
    """Each is sorted names without a double, a line each; two parts may have the same name."""
    revision: str
    """Equal revisions hold equal names."""
    cache_status: CacheStatus = HIT
    """How this answer came about."""

    def __iter__(self) -> Iterator[NormalizedName]:
        """Go through the names, sorted, each once. Of a long list only elsewhere than on the reactor's thread."""
        return (NormalizedName(line[:-1].decode("ascii")) for line in merged(self.parts))


def listed(names: Iterable[NormalizedName]) -> ProjectList:
    """Return the list of ``names``, which must be sorted and distinct."""
    return list_of(b"".join(f"{name}\n".encode("ascii") for name in names))


def list_of(part: bytes) -> ProjectList:
    """Return the list whose only part is ``part``."""
    return ProjectList((part,), hashlib.sha256(part).hexdigest()[:32])


def united(lists: Iterable[ProjectList]) -> ProjectList:
    """Return the list of the projects that are in any of ``lists``; costs nothing until it is gone through."""
    parts: list[bytes] = []
    revisions: list[str] = []
    cache_status = HIT
    for each in lists:
        parts += each.parts
        revisions.append(each.revision)
        cache_status = cache_status if each.cache_status == HIT else each.cache_status
    return ProjectList(tuple(parts), " ".join(revisions), cache_status)


def merged(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Go through the lines of sorted ``parts``, sorted, each line once."""
    last = b""
    # Line by line, in Python, for the sake of other threads: one call for all of it would keep them waiting.
    for line in merge(*map(BytesIO, parts)):
        if line != last:
            yield line
            last = line
