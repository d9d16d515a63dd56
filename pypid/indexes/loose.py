"""Files that are served from where somebody has put them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twisted.logger import Logger

from pypid.domain.cache_status import HIT
from pypid.domain.loose_files import LooseFile
from pypid.domain.names import IndexName, shorten
from pypid.domain.ranges import ByteRange
from pypid.flight import SingleFlight, acquired
from pypid.indexes.looks import Looks
from pypid.offload import Offload
from pypid.storage.blobs import CHUNK
from pypid.storage.loose_reading import (
    CheckedFile,
    FileChanged,
    FileDamaged,
    compare_file,
    open_file,
    read_core_metadata,
)


class LooseFiles:
    """
    Opens the files that ``looks`` has found.

    Everything raises `UpstreamUnavailable` where a file is not there any more
    as it was found: the next look will tell what is.
    """

    _log = Logger()

    def __init__(self, looks: Looks, disk: Offload) -> None:
        self._looks = looks
        self._disk = disk
        self._comparisons: SingleFlight[str, None] = SingleFlight()

    async def open(self, file: LooseFile) -> LooseBody:
        with self._in_words(file):
            opening = self._disk(open_file, self._looks.roots, file)
            return LooseBody(self, self._looks.index, file, await acquired(opening, CheckedFile.close))

    async def core_metadata(self, file: LooseFile) -> bytes:
        """Return a wheel's METADATA."""
        with self._in_words(file):
            return await self._disk(read_core_metadata, self._looks.roots, file)

    async def read_on(self, file: LooseFile, checked: CheckedFile, size: int) -> bytes:
        with self._in_words(file):
            return await self._disk(checked.read_on, size)

    async def read_part(self, file: LooseFile, checked: CheckedFile, size: int, offset: int) -> bytes:
        """Read from anywhere in the file; if it was not read yet by this process, all of it is, first."""
        with self._in_words(file):
            if not self.is_compared(file):
                await self._comparisons.join(file.path, lambda: self._compare(file))
            return await self._disk(checked.read_part, size, offset)

    def is_compared(self, file: LooseFile) -> bool:
        return self._looks.compared.get(file.path) == file.state

    async def _compare(self, file: LooseFile) -> None:
        # On its own descriptor: others wait for this, and stay when the reader who began it goes.
        await self._disk(compare_file, self._looks.roots, file)
        self._looks.compared[file.path] = file.state

    @contextmanager
    def _in_words(self, file: LooseFile) -> Iterator[None]:
        try:
            yield
        except FileDamaged as e:
            self._log.critical("{path} has other bytes than were read of it", path=shorten(file.path, 300))
            self._looks.distrust(file)
            raise self._looks.unavailable(f"has {file.filename} damaged") from e
        except FileChanged as e:
            raise self._looks.unavailable(f"has no longer the {file.filename} that was listed") from e
        except OSError as e:
            self._log.error("{path} cannot be read: {why}", path=shorten(file.path, 300), why=e.strerror)
            raise self._looks.unavailable(f"has {file.filename}, but it cannot be read") from e


class LooseBody:
    """
    A `FileBody` over a file that others may change while it is read.

    Who reads it from the start gets its last bytes when all have its digest.
    Who reads a part of it waits until all of it was compared once.
    """

    cache_status = HIT

    def __init__(self, files: LooseFiles, index: IndexName, file: LooseFile, checked: CheckedFile) -> None:
        self.index = index
        self.sha256 = file.sha256
        self._files = files
        self._file = file
        self._checked = checked
        self._narrowed = False

    @property
    def verified(self) -> bool:
        return self._files.is_compared(self._file)

    async def size(self) -> int:
        return self._file.state.size

    announced_size = size

    def narrow(self, part: ByteRange) -> None:  # noqa: ARG002 (any part is like another)
        self._narrowed = True

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        if self._checked.is_next(offset) and not self._narrowed:
            return await self._files.read_on(self._file, self._checked, size)
        return await self._files.read_part(self._file, self._checked, size, offset)

    def close(self) -> None:
        self._checked.close()


class MemoryBody:
    """A `FileBody` over bytes that are here, and right."""

    cache_status = HIT
    verified = True

    def __init__(self, index: IndexName, sha256: str, content: bytes) -> None:
        self.index = index
        self.sha256 = sha256
        self._content = content

    async def size(self) -> int:
        return len(self._content)

    announced_size = size

    def narrow(self, part: ByteRange) -> None: ...

    async def read(self, offset: int, size: int = CHUNK) -> bytes:
        return self._content[offset : offset + size]

    def close(self) -> None: ...
