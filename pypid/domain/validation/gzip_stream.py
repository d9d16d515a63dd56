"""One gzip stream, unpacked as it is read, and never further than a bound."""

from __future__ import annotations

import zlib
from typing import BinaryIO

from pypid.domain.validation.findings import NotAccepted
from pypid.domain.validation.packed_stream import PackedStream

MAX_RATIO = 50
"""Times that a file may grow, as at PyPI: the most that real packages do, which hold tables and descriptions."""

FREE_SIZE = 64 * 1024 * 1024
"""Bytes that any file may grow to, as at PyPI."""

_MAGIC = b"\x1f\x8b"
_CHUNK = 64 * 1024
_UNPACKED = 256 * 1024
"""Bytes unpacked at a time."""


def is_bomb(packed: int, unpacked: int) -> bool:
    """Say whether a file of ``packed`` bytes unpacks to too much."""
    return unpacked > FREE_SIZE and unpacked > MAX_RATIO * packed


BOMB = f"File exceeds compression ratio of {MAX_RATIO}"


class GzipStream(PackedStream):
    """
    What is in ``archive``, a gzip stream.

    It must be one and nothing else: some readers stop after the first of
    several, some go on.
    """

    def __init__(self, archive: BinaryIO) -> None:
        super().__init__(archive)
        if archive.read(len(_MAGIC)) != _MAGIC:
            raise NotAccepted("File is not a tarfile")
        archive.seek(0)
        self._inflate = zlib.decompressobj(wbits=31)

    def _fill(self) -> bool:
        while not self._ready:
            if self._inflate.eof:
                return False
            packed = self._inflate.unconsumed_tail or self._archive.read(_CHUNK)
            if not packed:
                raise NotAccepted("File is cut off")
            try:
                self._ready = self._inflate.decompress(packed, _UNPACKED)
            except zlib.error as e:
                raise NotAccepted("File is damaged") from e
            if is_bomb(self._packed, self.position + len(self._ready)):
                raise NotAccepted(BOMB)
            if self._inflate.eof and (self._inflate.unused_data or self._archive.read(1)):
                raise NotAccepted("There is data behind the end of the gzip stream")
        return True
