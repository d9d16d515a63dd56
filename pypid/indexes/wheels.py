"""Reading the METADATA in a mirrored wheel, with as little of the wheel as it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.logger import Logger

from pypid.domain.errors import RangesRefused, UpstreamBroken
from pypid.domain.filenames import ParsedFilename, parse_filename
from pypid.domain.metadata import PART, NoMetadata, metadata_or_part
from pypid.domain.names import NormalizedName
from pypid.domain.partial import PartialFile
from pypid.domain.ranges import ByteRange
from pypid.indexes.fetched import FetchedFiles
from pypid.indexes.index import FileBody
from pypid.indexes.source import Source
from pypid.indexes.stored import StoredFile
from pypid.offload import Offload
from pypid.storage.blobs import BlobMissing, BlobStore

ReadPart = Callable[[ByteRange], Awaitable[bytes]]


class Wheels:
    """Looks into one mirror's wheels, be they here or not."""

    _log = Logger()

    def __init__(self, files: FetchedFiles, *, blobs: BlobStore, inspect: Offload) -> None:
        """``inspect``: where archives are read."""
        self._files = files
        self._blobs = blobs
        self._inspect = inspect

    async def read(self, project: NormalizedName, filename: str, wheel: Source) -> tuple[bytes | None, bool]:
        """
        Return the METADATA in ``wheel``, None if it has none, and whether that was read from the right bytes.

        If the wheel is not here, its last part is asked for, and then what is
        missing. All of it is fetched, and kept, where that does not do or is no
        less. Only the right bytes can show that there is none.
        """
        expected = parse_filename(filename)
        try:
            blob = await self._blobs.open(wheel.sha256) if wheel.sha256 is not None else None
        except BlobMissing:
            blob = None
        if blob is None or wheel.sha256 is None:
            content = await self._read_parts(wheel, expected)
            if content is not None:
                return content, False
            return await self._read_whole(await self._files.open(project, filename, wheel), wheel.size or 0, expected)
        return await self._read_whole(StoredFile(wheel.index, wheel.sha256, blob), blob.size, expected)

    async def _read_parts(self, wheel: Source, expected: ParsedFilename) -> bytes | None:
        """Return the METADATA as upstream's answers for parts of the wheel have it, None if they do not do."""

        async def fetch(part: ByteRange) -> bytes:
            arrived = bytearray()

            async def take(data: bytes) -> None:
                arrived.extend(data)

            await wheel.fetcher.part(wheel.url, part, take)
            return bytes(arrived)

        size = await _size(wheel)
        if size is None or size <= PART:
            return None
        try:
            return await self._assemble(size, fetch, expected)
        except (RangesRefused, NoMetadata) as e:
            self._log.info("{url} is fetched for its core metadata: {why}", url=wheel.url, why=e)
            return None

    async def _read_whole(self, body: FileBody, size: int, expected: ParsedFilename) -> tuple[bytes | None, bool]:
        """Return the same from all of a wheel, of at least ``size`` bytes, and True."""

        async def read(part: ByteRange) -> bytes:
            content = b""
            while data := await body.read(part.start + len(content), part.stop - part.start - len(content)):
                content += data
            return content

        try:
            # To the end, which comes when everything is here and right.
            while data := await body.read(size):
                size += len(data)
            return await self._assemble(size, read, expected), True
        except NoMetadata as e:
            self._log.warn("a wheel of {project} has no core metadata: {why}", project=expected.project, why=e)
            return None, True
        finally:
            body.close()

    async def _assemble(self, size: int, read: ReadPart, expected: ParsedFilename) -> bytes:
        known = PartialFile(size)
        while isinstance(step := await self._inspect(metadata_or_part, known, expected), ByteRange):
            known.learn(step.start, await read(step))
        return step


async def _size(wheel: Source) -> int | None:
    """Return the wheel's length where anybody says it."""
    if wheel.size is not None:
        return wheel.size
    try:
        return await wheel.fetcher.file_size(wheel.url)
    except UpstreamBroken:
        return None  # storage behind signed URLs refuses HEAD
