"""Source distributions in the formats of before PEP 527: nobody may upload one, and some are still installed."""

from __future__ import annotations

import bz2
import lzma
from typing import BinaryIO, Protocol

from pypid.domain.filenames import OLD_SDISTS
from pypid.domain.validation.findings import NotAccepted
from pypid.domain.validation.gzip_stream import BOMB, is_bomb
from pypid.domain.validation.packed_stream import PackedStream
from pypid.domain.validation.tar_members import BLOCK, TarReader

MAX_DICTIONARY = 128 * 1024 * 1024
"""Bytes of memory for unpacking: ``xz -9`` makes files that take half of it, and others could ask for gigabytes."""

_CHUNK = 64 * 1024
_UNPACKED = 256 * 1024
"""Bytes unpacked at a time."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class OldStream(PackedStream):
    """What is in ``archive``, in one of these formats."""

    def __init__(self, archive: BinaryIO, filename: str) -> None:
        """``filename`` has one of `OLD_SDISTS`, but for that of gzip, at its end."""
        super().__init__(archive)
        self._unpacker = _unpacker(filename, self._packed)

    def _fill(self) -> bool:
        while not self._ready and not self._unpacker.eof:
            packed = self._archive.read(_CHUNK) if self._unpacker.needs_input else b""
            if self._unpacker.needs_input and not packed:
                raise NotAccepted("File is cut off")
            try:
                self._ready = self._unpacker.decompress(packed, _UNPACKED)
            except (OSError, lzma.LZMAError) as e:
                raise NotAccepted("File is damaged") from e
            if is_bomb(self._packed, self.position + len(self._ready)):
                raise NotAccepted(BOMB)
            if self._unpacker.eof and (self._unpacker.unused_data or self._archive.read(1)):
                raise NotAccepted("There is data behind its end")
        return bool(self._ready)


class _Bare:
    """The unpacker of what is not packed: a tar file ends with a block of zeros."""

    needs_input = True
    unused_data = b""

    def __init__(self, length: int) -> None:
        self.eof = False
        self._left = length

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:  # noqa: ARG002 (`_CHUNK` is less)
        self._left -= len(data)
        self.eof = not self._left and not any(data[-BLOCK:])
        return data


def old_sdist_problem(archive: BinaryIO, filename: str) -> str:
    """Return why ``archive`` is not a whole tar file that all readers take for the same; nothing if it is."""
    try:
        for _ in TarReader(OldStream(archive, filename)):
            pass
    except NotAccepted as e:
        return f"Invalid distribution file. {e}."
    return ""


def is_old(filename: str) -> bool:
    """Say whether it ends as one of these formats; ``.tgz`` is the same as ``.tar.gz``."""
    return filename.endswith(OLD_SDISTS) and not filename.endswith(".tgz")


def _unpacker(filename: str, length: int) -> _Unpacker:
    if filename.endswith((".tar.bz2", ".tbz")):
        return bz2.BZ2Decompressor()
    if filename.endswith((".tar.xz", ".txz")):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_DICTIONARY)
    return _Bare(length)
