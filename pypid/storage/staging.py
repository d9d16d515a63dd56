"""Files on their way in: written once and hashed as they come, on the blobs' own file system."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from pypid.failpoints import Failpoint, reached
from pypid.flight import acquired
from pypid.offload import Offload
from pypid.storage.descriptor import SharedDescriptor


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


ALGORITHMS: Mapping[str, Callable[[], _Digest]] = {
    "sha256": hashlib.sha256,
    "blake2_256": lambda: hashlib.blake2b(digest_size=32),
    "md5": lambda: hashlib.md5(usedforsecurity=False),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha224": hashlib.sha224,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
    "blake2b": hashlib.blake2b,
}
"""The digests that a file can be given as it comes, by the names of the upload API and of the Simple API."""


FLUSH = 64 * 1024 * 1024
"""
Bytes after which what has come goes to the disk, where somebody waits for the end.

At 200 MB/s the last of 3 GB would else take 15 s to get there, which is when poetry gives up.
"""


class Staging:
    """
    The directory of unfinished files.

    Nothing in it survives a start: what was unfinished was never acknowledged.
    """

    def __init__(self, directory: Path, offload: Offload) -> None:
        self._directory = directory
        self._offload = offload

    def prepare(self) -> None:
        """Make the directory, or empty it. Call it while holding the data directory's lock."""
        self._directory.mkdir(mode=0o750, exist_ok=True)
        for leftover in self._directory.iterdir():
            leftover.unlink()

    async def create(self, *algorithms: str, reserve: int = 0, flush: int | None = None) -> StagedFile:
        """
        Return a new empty file that will know its sha256 and ``algorithms``.

        ``reserve`` bytes of disk are set aside for it, and what comes is sent
        to the disk every ``flush`` bytes. Raises `OSError` (ENOSPC, EDQUOT)
        when there is no room for them.
        """
        path = self._directory / f"{secrets.token_hex(16)}.part"
        descriptor = await acquired(self._offload(_create, path, reserve), lambda unused: _discard(path, unused))
        return StagedFile(path, descriptor, {"sha256", *algorithms}, self._offload, flush=flush)


def _create(path: Path, reserve: int) -> SharedDescriptor:
    number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o440)
    try:
        reached(Failpoint.STAGING_CREATED)
        if reserve:
            os.posix_fallocate(number, 0, reserve)
    except OSError:
        os.close(number)
        path.unlink()
        raise
    return SharedDescriptor(number)


def _discard(path: Path, descriptor: SharedDescriptor) -> None:
    path.unlink()
    descriptor.close()


def _hashes(algorithms: set[str]) -> dict[str, _Digest]:
    return {name: ALGORITHMS[name]() for name in algorithms}


class StagedFile:
    """
    One unfinished file.

    `write` calls must not overlap: await each. `close` must be called in the
    end, whatever happened: it discards what no blob store took over.
    """

    def __init__(
        self,
        path: Path,
        descriptor: SharedDescriptor,
        algorithms: set[str],
        offload: Offload,
        *,
        flush: int | None = None,
    ) -> None:
        """``flush``: bytes after which what has come is sent to the disk; None: only `sync` does."""
        self._flush = flush
        self._flushed = 0
        self.path = path
        self.size = 0
        self._descriptor = descriptor
        self._offload = offload
        self._algorithms = algorithms
        self._hashes = _hashes(algorithms)

    @property
    def sha256(self) -> str:
        """The digest of what is written so far."""
        return self._hashes["sha256"].hexdigest()

    def digests(self) -> dict[str, str]:
        """Return each digest, of what is written so far, in lower-case hex."""
        return {name: digest.hexdigest() for name, digest in self._hashes.items()}

    def restart(self) -> None:
        """Forget what is written: the next `write` is the first."""
        self.size = 0
        self._hashes = _hashes(self._algorithms)

    async def write(self, data: bytes) -> None:
        """Append ``data``, all of it or, with an `OSError` when the disk refuses it, nothing."""
        await self._offload(self._write, data)

    def _write(self, data: bytes) -> None:
        self._descriptor.pwrite(data, self.size)
        reached(Failpoint.STAGING_WRITTEN)
        for digest in self._hashes.values():
            digest.update(data)
        self.size += len(data)
        if self._flush is not None and self.size - self._flushed >= self._flush:
            self._descriptor.flush()
            self._flushed = self.size

    async def read(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``, of those that are written."""
        return await self._offload(self._descriptor.pread, size, offset)

    async def cut(self) -> None:
        """Let the file at `path` end where the bytes that came do: more may have been reserved for it."""
        await self._offload(self._descriptor.cut, self.size)

    async def sync(self) -> None:
        """
        Return when the bytes are on the disk.

        After an `OSError` the file is worth nothing, and must not be synced
        again: the kernel may have dropped the pages that it could not write.
        """
        await self._offload(self._sync)

    def _sync(self) -> None:
        # The size is cut back to what came: more may have been reserved.
        self._descriptor.sync(self.size)
        reached(Failpoint.STAGING_SYNCED)

    def unlink(self) -> None:
        """Take the file out of staging; what is open stays readable. May be called more than once."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let the file go. May be called more than once."""
        self.unlink()
        self._descriptor.close()
