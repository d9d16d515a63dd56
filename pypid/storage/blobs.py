"""Immutable bytes, each file named by its sha256."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from pypid.flight import acquired
from pypid.offload import Offload
from pypid.storage.descriptor import SharedDescriptor
from pypid.storage.staging import StagedFile

CHUNK = 256 * 1024
"""Bytes per read: four times what a Twisted transport buffers before it asks for a pause."""


class BlobMissing(Exception):
    """No blob of that digest is in the store."""


class Blob(Protocol):
    """An open blob; reads go on after the store has forgotten it. `close` it."""

    size: int

    async def read(self, offset: int, size: int = CHUNK) -> bytes: ...

    def close(self) -> None: ...


class BlobStore(Protocol):
    """Bytes by sha256. What `add` was given is durable when it returns."""

    async def has(self, sha256: str) -> bool: ...

    async def add(self, staged: StagedFile) -> str:
        """Take the file's bytes over under their sha256, and return that. The caller still closes it."""
        ...

    async def open(self, sha256: str) -> Blob:
        """Raises `BlobMissing`."""
        ...


class DirectoryBlobs:
    """
    Blobs as files: ``<root>/<first two hex digits>/<sha256>``, mode 0440.

    A file appears under its name only when it is whole and on the disk: synced,
    then linked (never renamed over another), then its directory synced.
    """

    def __init__(self, root: Path, offload: Offload) -> None:
        self._root = root
        self._offload = offload

    def prepare(self) -> None:
        """Make the root directory if it is not there."""
        self._root.mkdir(mode=0o750, exist_ok=True)

    def _path(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    async def has(self, sha256: str) -> bool:
        return await self._offload(self._path(sha256).is_file)

    async def add(self, staged: StagedFile) -> str:
        await staged.sync()
        sha256 = staged.sha256
        await self._offload(self._link, staged, self._path(sha256))
        return sha256

    def _link(self, staged: StagedFile, target: Path) -> None:
        new_directory = not target.parent.exists()
        target.parent.mkdir(mode=0o750, exist_ok=True)
        try:
            os.link(staged.path, target)
        except FileExistsError:
            # The same digest is the same bytes, unless the disk lost some: then these replace them.
            if target.stat().st_size != staged.size:
                staged.path.replace(target)
        sync_directory(target.parent)
        if new_directory:
            sync_directory(self._root)

    async def open(self, sha256: str) -> Blob:
        return await acquired(self._offload(self._open, sha256), _BlobFile.close)

    def _open(self, sha256: str) -> _BlobFile:
        try:
            descriptor = os.open(self._path(sha256), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as e:
            raise BlobMissing(sha256) from e
        return _BlobFile(descriptor, os.fstat(descriptor).st_size, self._offload)


class _BlobFile:
    def __init__(self, descriptor: int, size: int, offload: Offload) -> None:
        self.size = size
        self._descriptor = SharedDescriptor(descriptor)
        self._offload = offload

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        """Return up to ``size`` bytes from ``offset``; ``b""`` at the end."""
        return await self._offload(self._descriptor.pread, size, offset)

    def close(self) -> None:
        self._descriptor.close()


def sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
