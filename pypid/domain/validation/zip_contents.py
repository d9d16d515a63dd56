"""The files in a zip archive, unpacked in memory and no further than a limit."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from pypid.domain.names import shorten
from pypid.domain.validation.findings import Findings, NotAccepted, Weight
from pypid.domain.validation.gzip_stream import BOMB, is_bomb
from pypid.domain.validation.zip_records import ZipEntry, read_entries

_SUPPORTED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""What installers know, and PyPI takes."""

_CHUNK = 256 * 1024


class Damaged(ValueError):
    """A file is not what the records of the archive say, or is no data of its compression."""


def open_zip(archive: BinaryIO) -> ZipContents:
    """Return what is in ``archive``. Raises `NotAccepted` for a bomb, and unless every reader would find the same."""
    entries = read_entries(archive)
    if is_bomb(archive.seek(0, 2), sum(entry.size for entry in entries)):
        raise NotAccepted(BOMB)
    try:
        with zipfile.ZipFile(archive) as theirs:
            names = theirs.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as e:
        raise NotAccepted(f"It cannot be read: {shorten(str(e), 200)}") from e
    if sorted(names) != sorted(entry.name for entry in entries):
        raise NotAccepted("ZIP archive not accepted: Mis-matched local headers and central directory")
    return ZipContents(archive, entries)


class ZipContents:
    """
    What is in ``archive``, whose records are ``entries``.

    The standard library's reader stops at the length that the records have,
    though there may be more for others to find: what is unpacked here is all
    that is there, or `Damaged`.
    """

    def __init__(self, archive: BinaryIO, entries: Sequence[ZipEntry]) -> None:
        self._archive = archive
        self.entries = entries
        self.files = {entry.name: entry for entry in entries if not entry.name.endswith("/")}
        """By path."""

    def check_compression(self, findings: Findings) -> None:
        if not all(map(self.can_unpack, self.files.values())):
            findings.add(Weight.FORM, "Invalid distribution file. File does not use a supported compression type.")

    @staticmethod
    def can_unpack(entry: ZipEntry) -> bool:
        return entry.method in _SUPPORTED

    def content(self, path: str, limit: int) -> bytes | None:
        """Return a file's content, None if there is none of that path. Raises `NotAccepted` past ``limit`` bytes."""
        entry = self.files.get(path)
        if entry is None:
            return None
        if not self.can_unpack(entry):
            raise NotAccepted(f"{shorten(path)} does not use a supported compression type")
        if entry.size > limit:
            raise NotAccepted(f"{shorten(path)} is longer than {limit} bytes")
        try:
            return b"".join(self.unpack(entry))
        except Damaged as e:
            raise NotAccepted(f"{shorten(path)} cannot be unpacked") from e

    def unpack(self, entry: ZipEntry) -> Iterator[bytes]:
        """Yield the content in pieces. Raises `Damaged`, at the end at the latest."""
        size, crc = 0, 0
        # Of an empty file some writers have no stream, whatever the method.
        is_plain = entry.method == zipfile.ZIP_STORED or not entry.compressed
        for chunk in self._packed(entry) if is_plain else _inflated(self._packed(entry)):
            size, crc = size + len(chunk), zlib.crc32(chunk, crc)
            if size > entry.size:
                break
            yield chunk
        if (size, crc) != (entry.size, entry.crc):
            raise Damaged

    def _packed(self, entry: ZipEntry) -> Iterator[bytes]:
        position, end = entry.start, entry.start + entry.compressed
        while position < end:
            # Sought each time: others may read while this waits to be asked on.
            self._archive.seek(position)
            chunk = self._archive.read(min(_CHUNK, end - position))
            if not chunk:
                raise Damaged
            position += len(chunk)
            yield chunk


def _inflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    for chunk in chunks:
        if inflate.eof:
            raise Damaged
        packed, is_full = chunk, True
        while (packed or is_full) and not inflate.eof:
            try:
                unpacked = inflate.decompress(packed, _CHUNK)
            except zlib.error as e:
                raise Damaged from e
            # What filled its room may have more to come from no input at all.
            packed, is_full = inflate.unconsumed_tail, len(unpacked) == _CHUNK
            yield unpacked
    if not inflate.eof or inflate.unused_data:
        raise Damaged
