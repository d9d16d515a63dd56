"""Immutable bytes, each file named by its sha256."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from twisted.logger import Logger

from pypid.failpoints import Failpoint, reached
from pypid.flight import SingleFlight, acquired
from pypid.offload import Offload
from pypid.storage.descriptor import SharedDescriptor
from pypid.storage.staging import StagedFile
from pypid.storage.uses import Hold, Uses

CHUNK = 256 * 1024
"""Bytes per read: four times what a Twisted transport buffers before it asks for a pause."""


DAMAGED = "damaged"
"""Where blobs are kept, for an operator to look at, that are not what their names say."""


class BlobMissing(Exception):
    """No blob of that digest is in the store."""


class Blob(Protocol):
    """An open blob; reads go on after the store has forgotten it. `close` it."""

    size: int

    async def read(self, offset: int, size: int = CHUNK) -> bytes: ...

    def close(self) -> None: ...


class BlobStore(Protocol):
    """Bytes by sha256. What `add` was given is durable when it returns."""

    async def has(self, sha256: str) -> bool:
        """Say whether the blob is there and whole."""
        ...

    async def add(self, staged: StagedFile) -> str:
        """Take the file's bytes over under their sha256, and return that. The caller still closes it."""
        ...

    async def open(self, sha256: str) -> Blob:
        """
        Return the blob, whose bytes are those of its name.

        Raises `BlobMissing`, also for one that the disk has damaged.
        """
        ...

    async def hold(self, sha256: str) -> Hold:
        """Keep the blob from being removed, whether or not it is there yet."""
        ...


class DirectoryBlobs:
    """
    Blobs as files: ``<root>/<first two hex digits>/<sha256>``, mode 0440.

    A file appears under its name only when it is whole and on the disk: synced,
    then linked (never renamed over another), then its directory synced.

    The first time that a process opens a blob which it has not written itself,
    it compares the bytes with the name: about a second for each gigabyte. What
    is damaged is moved to ``<root>/damaged/``, and is missing from then on.
    """

    _log = Logger()

    def __init__(self, root: Path, offload: Offload, uses: Uses | None = None) -> None:
        self.root = root
        self.uses = Uses(time.time) if uses is None else uses
        self._offload = offload
        self._durable: set[Path] = set()  # directories whose names this process has synced
        self._verified: set[str] = set()
        self._verifications: SingleFlight[str, None] = SingleFlight()

    def prepare(self) -> None:
        """Make the root directory, durably, if it is not there."""
        self.root.mkdir(mode=0o750, exist_ok=True)
        sync_directory(self.root.parent)

    def _path(self, sha256: str) -> Path:
        return blob_path(self.root, sha256)

    async def hold(self, sha256: str) -> Hold:
        return await self.uses.hold(sha256)

    async def has(self, sha256: str) -> bool:
        hold = await self.hold(sha256)
        try:
            await self._verify(sha256)
            return await self._offload(self._path(sha256).is_file)
        except BlobMissing:
            return False
        finally:
            hold.release()

    async def add(self, staged: StagedFile) -> str:
        await staged.sync()
        sha256 = staged.sha256
        hold = await self.hold(sha256)
        try:
            # One that is there already must still be whole, or make way for this one.
            self._verified.discard(sha256)
            await self.has(sha256)
            await self._offload(self._link, staged, self._path(sha256))
            self._verified.add(sha256)
        finally:
            hold.release()
        return sha256

    def _link(self, staged: StagedFile, target: Path) -> None:
        self._make_directory(target.parent)
        with suppress(FileExistsError):  # the same digest is the same bytes
            os.link(staged.path, target)
        reached(Failpoint.BLOB_LINKED)
        sync_directory(target.parent)
        reached(Failpoint.BLOB_DIRECTORY_SYNCED)

    def _make_directory(self, directory: Path) -> None:
        if directory in self._durable and directory.is_dir():
            return
        directory.mkdir(mode=0o750, exist_ok=True)
        reached(Failpoint.BLOB_DIRECTORY_MADE)
        # Even if it was there: the thread or process that made it may not have come to its sync.
        sync_directory(self.root)
        self._durable.add(directory)

    async def _verify(self, sha256: str) -> None:
        if sha256 not in self._verified:
            await self._verifications.join(sha256, lambda: self._compare(sha256))

    async def _compare(self, sha256: str) -> None:
        """Read the blob through. Raises `BlobMissing`."""
        found = await self._offload(_digest, self._path(sha256))
        if found != sha256:
            await self._offload(self._set_aside, sha256)
            self._log.critical(
                "the blob {sha256} is damaged, its digest is {found}: it is in {directory} now",
                sha256=sha256,
                found=found,
                directory=str(self.root / DAMAGED),
            )
            raise BlobMissing(sha256)
        self._verified.add(sha256)

    def _set_aside(self, sha256: str) -> None:
        directory = self.root / DAMAGED
        directory.mkdir(mode=0o750, exist_ok=True)
        self._path(sha256).replace(directory / sha256)

    async def open(self, sha256: str) -> Blob:
        hold = await self.hold(sha256)
        try:
            await self._verify(sha256)
            return await acquired(self._offload(self._open, sha256, hold), _BlobFile.close)
        except BaseException:
            hold.release()
            raise

    async def remove(self, blobs: Collection[str]) -> None:
        """Remove ``blobs``, which nobody may hold; who has one open can read it to its end."""
        self._verified.difference_update(blobs)
        await self._offload(_unlink, [self._path(sha256) for sha256 in blobs])

    def _open(self, sha256: str, hold: Hold) -> _BlobFile:
        try:
            descriptor = os.open(self._path(sha256), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as e:
            raise BlobMissing(sha256) from e
        return _BlobFile(descriptor, os.fstat(descriptor).st_size, self._offload, hold)


class _BlobFile:
    def __init__(self, descriptor: int, size: int, offload: Offload, hold: Hold) -> None:
        self.size = size
        self._hold = hold
        self._descriptor = SharedDescriptor(descriptor)
        self._offload = offload

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        """Return up to ``size`` bytes from ``offset``; ``b""`` at the end."""
        return await self._offload(self._descriptor.pread, size, offset)

    def close(self) -> None:
        self._descriptor.close()
        self._hold.release()


def blob_path(root: Path, sha256: str) -> Path:
    """Return where a blob is below the store's ``root``."""
    return root / sha256[:2] / sha256


def _unlink(paths: Collection[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _digest(path: Path) -> str:
    """Return the sha256 of the file. Raises `BlobMissing`, also for what is no regular file."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as e:
        raise BlobMissing(path.name) from e


def sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
