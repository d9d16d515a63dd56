"""A file of which only some parts are known."""

from __future__ import annotations

import io

from pypid.domain.ranges import ByteRange


class MissingPart(Exception):
    """
    Bytes were to be read that are not known.

    No OSError and no ValueError: those who read archives take these for damage.
    """

    def __init__(self, part: ByteRange) -> None:
        super().__init__(f"bytes {part.start} to {part.stop} are not known")
        self.part = part


class PartialFile:
    """
    A file of ``size`` bytes to be read as if it were open.

    `read` raises `MissingPart` where bytes are not known.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.parts: list[ByteRange] = []
        """What is known, in the order in which it was learned."""
        self._contents: list[bytes] = []
        self._position = 0

    @property
    def learned(self) -> int:
        """How many bytes are known."""
        return sum(len(content) for content in self._contents)

    def learn(self, start: int, content: bytes) -> None:
        self.parts.append(ByteRange(start, start + len(content)))
        self._contents.append(content)

    def unknown_around(self, part: ByteRange, length: int) -> ByteRange:
        """Return ``part``, which is unknown, or up to ``length`` bytes with it in them that are unknown too."""
        first = max((each.stop for each in self.parts if each.stop <= part.start), default=0)
        last = min((each.start for each in self.parts if each.start >= part.stop), default=self.size)
        stop = min(max(part.stop, part.start + length), last)
        return ByteRange(max(min(part.start, stop - length), first), stop)

    # What a reader of an open file calls.

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if position < 0:
            raise OSError("nothing is before the beginning of a file")
        self._position = position
        return position

    def read(self, size: int = -1, /) -> bytes:
        stop = self.size if size < 0 else min(self._position + size, self.size)
        read = []
        while self._position < stop:
            content = self._known_at(self._position, stop)
            read.append(content)
            self._position += len(content)
        return b"".join(read)

    def _known_at(self, offset: int, stop: int) -> bytes:
        """Return what is known from ``offset`` on, at most to ``stop``."""
        for part, content in zip(self.parts, self._contents, strict=True):
            if part.start <= offset < part.stop:
                return content[offset - part.start : stop - part.start]
        after = [part.start for part in self.parts if offset < part.start < stop]
        raise MissingPart(ByteRange(offset, min(after, default=stop)))
