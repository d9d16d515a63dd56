"""What is on the disk, whatever the records say."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pypid.domain.eviction import BlobUse
from pypid.storage.blobs import DAMAGED


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobFile:
    """The file of one blob."""

    size: int
    arrived_at: float
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All blobs by sha256."""

    blobs: Mapping[str, BlobFile]
    damaged: Mapping[str, BlobFile]
    """Kept for an operator to look at, and used by nobody."""
    free: int
    """Bytes that a user other than root can still write."""


def take_inventory(root: Path) -> Inventory:
    """Look at every blob below ``root``: about a second for 100,000."""
    blobs: dict[str, BlobFile] = {}
    for directory in root.glob("[0-9a-f][0-9a-f]"):
        blobs.update(_files(directory))
    return Inventory(blobs=blobs, damaged=dict(_files(root / DAMAGED)), free=free_bytes(root))


def free_bytes(path: Path) -> int:
    """Return how many bytes can still be written where ``path`` is."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize


def _files(directory: Path) -> Iterator[tuple[str, BlobFile]]:
    try:
        entries = os.scandir(directory)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            try:
                stat = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed meanwhile
            # The later one: linking a blob into place changes st_ctime.
            yield entry.name, BlobFile(size=stat.st_size, arrived_at=max(stat.st_mtime, stat.st_ctime))


def mirrored_blobs(
    inventory: Inventory, *, hosted: Container[str], cached: Container[str], uses: Mapping[str, float]
) -> list[BlobUse]:
    """
    Return the blobs that may go, by what names them; take the inventory last.

    Then a blob that arrives meanwhile is at worst a young orphan.
    """
    return [
        _described(sha256, file, uses.get(sha256), recorded=sha256 in cached)
        for sha256, file in inventory.blobs.items()
        if sha256 not in hosted
    ]


def _described(sha256: str, file: BlobFile, used_at: float | None, *, recorded: bool) -> BlobUse:
    if used_at is None or not recorded:
        # The use of an orphan may be that of an earlier blob of the same bytes.
        used_at = max(used_at or 0.0, file.arrived_at)
    return BlobUse(sha256=sha256, size=file.size, used_at=used_at, recorded=recorded)
