"""An archive that is unpacked as it is read, forwards only."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import BinaryIO


class PackedStream(ABC):
    """Reads what is in ``archive`` from its start. All reads raise `NotAccepted`."""

    def __init__(self, archive: BinaryIO) -> None:
        self._packed = archive.seek(0, 2)
        """Bytes of the archive as it is."""
        archive.seek(0)
        self._archive = archive
        self._ready = b""
        """What is unpacked, and not read yet."""
        self.position = 0
        """Bytes read so far."""

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        parts: list[bytes] = []
        missing = size
        while missing and self._fill():
            part, self._ready = self._ready[:missing], self._ready[missing:]
            parts.append(part)
            missing -= len(part)
        self.position += size - missing
        return b"".join(parts)

    def skip(self, size: int) -> bool:
        """Pass over ``size`` bytes; False if there are not so many."""
        while size and self._fill():
            passed = min(size, len(self._ready))
            self._ready = self._ready[passed:]
            self.position += passed
            size -= passed
        return not size

    @abstractmethod
    def _fill(self) -> bool:
        """Have something ready, if nothing is; False at the end."""
