"""
The members of a tar archive, one after the other, as a stream.

The standard library's reader holds a member's extended header in memory
whatever its length, follows sizes that point backwards, and stops silently at
a header that it does not understand. This one refuses all of these; what it
accepts, both read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pypid.domain.validation.findings import NotAccepted

MAX_MEMBERS = 100_000
"""Members of one archive: several times what the biggest hold."""

MAX_HEADER = 1024 * 1024
"""Bytes of one extended header. It holds a path or two, of which 4 KiB is the longest that systems take."""

BLOCK = 512

_EXTENSIONS = frozenset({b"x", b"X", b"g", b"L", b"K"})
"""Types of what is no member, but is about the next one, or about all."""
_NUMBERS = (slice(100, 108), slice(108, 116), slice(116, 124), slice(136, 148), slice(329, 337), slice(337, 345))
"""Fields of a header whose values do not matter here: mode, user, group, time, and two of a device."""
_BINARY = frozenset({0x80, 0xFF})
"""First bytes of a number that is not in octal digits."""
_GLOBAL_FORBIDDEN = frozenset({"path", "linkpath", "size"})
_OCTAL = re.compile(rb"[0-7]*")
_RECORD = re.compile(rb"([1-9][0-9]{0,9}) ")


class MemberKind(Enum):
    FILE = "file"
    DIRECTORY = "directory"
    HARD_LINK = "hard link"
    SYMBOLIC_LINK = "symbolic link"
    DEVICE = "device"


_KINDS = {
    b"0": MemberKind.FILE,
    b"\0": MemberKind.FILE,
    b"7": MemberKind.FILE,
    b"1": MemberKind.HARD_LINK,
    b"2": MemberKind.SYMBOLIC_LINK,
    b"3": MemberKind.DEVICE,
    b"4": MemberKind.DEVICE,
    b"5": MemberKind.DIRECTORY,
    b"6": MemberKind.DEVICE,
}


def _refused(why: str) -> NotAccepted:
    return NotAccepted(f"tar archive not accepted: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TarMember:
    path: str
    kind: MemberKind
    target: str
    """Of a link."""
    size: int
    """Bytes of content."""


class TarStream(Protocol):
    """A tar archive, unpacked as it is read; all reads raise `NotAccepted`."""

    position: int
    """Bytes read so far."""

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        ...

    def skip(self, size: int) -> bool:
        """Pass over ``size`` bytes; False if there are not so many."""
        ...


class TarReader:
    """
    Reads the members of ``stream``.

    Iterate, and `read` the content of the latest member where it is wanted.
    Everything raises `NotAccepted`.
    """

    def __init__(self, stream: TarStream) -> None:
        self._stream = stream
        self._end = 0
        """Where the content of the latest member ends."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, from its start, of the member that iteration came to last."""
        return self._stream.read(min(size, self._end - self._stream.position))

    def __iter__(self) -> Iterator[TarMember]:
        count = 0
        extended: dict[str, str] = {}
        while (header := self._header()) is not None:
            kind, size = header[156:157], _number(header[124:136])
            count += 1
            if count > MAX_MEMBERS:
                raise _refused(f"More than {MAX_MEMBERS} members")
            if kind in _EXTENSIONS:
                for key, value in self._extension(kind, size).items():
                    if extended.setdefault(key, value) != value:
                        raise _refused("Headers that readers understand differently")
                continue
            member = _member(header, size, extended)
            extended = {}
            self._end = self._stream.position + member.size
            yield member
            self._pass(self._end + -member.size % BLOCK)
        if extended or not count:
            raise _refused("Its last header has no member") if extended else NotAccepted("File is not a tarfile")

    def _header(self) -> bytes | None:
        """Return the next header, None at the end, behind which only zeros may be."""
        header = self._stream.read(BLOCK)
        if len(header) == BLOCK and any(header):
            for field in _NUMBERS:
                # Where one is none, readers stop as if this were the end.
                if header[field.start] not in _BINARY:
                    _number(header[field])
            return _checked(header)
        while header:
            if any(header):
                raise _refused("Trailing data")
            header = self._stream.read(64 * BLOCK)
        return None

    def _extension(self, kind: bytes, size: int) -> dict[str, str]:
        if size > MAX_HEADER:
            raise _refused(f"An extended header of more than {MAX_HEADER} bytes")
        content = self._stream.read(size)
        self._pass(self._stream.position + -size % BLOCK)
        if len(content) != size:
            raise _refused("File is cut off")
        if kind in {b"L", b"K"}:
            return {"path" if kind == b"L" else "linkpath": _text(content.partition(b"\0")[0])}
        records = dict(_records(content))
        if any(key.startswith("GNU.sparse") for key in records):
            raise _refused("Sparse members are not allowed")
        if kind == b"g":
            if records.keys() & _GLOBAL_FORBIDDEN:
                raise _refused("A header names or measures all members at once")
            return {}
        return records

    def _pass(self, position: int) -> None:
        if not self._stream.skip(position - self._stream.position):
            raise _refused("File is cut off")


def _member(header: bytes, size: int, extended: dict[str, str]) -> TarMember:
    kind, magic, prefix = header[156:157], header[257:265], header[345:500]
    if kind == b"S":
        raise _refused("Sparse members are not allowed")
    if kind not in _KINDS:
        raise _refused(f"A member of the unknown type {kind!r}")
    path = _text(header[:100].partition(b"\0")[0])
    if magic[:6] == b"ustar\0" and prefix[0]:
        path = f"{_text(prefix.partition(bytes(1))[0])}/{path}"
    elif any(prefix) and magic[:6] != b"ustar\0":
        # Some readers take it for a part of the path, others for something else.
        raise _refused("Headers that readers understand differently")
    if "size" in extended:
        size = _decimal(extended["size"])
    path = extended.get("path", path)
    chosen = _KINDS[kind]
    if chosen is MemberKind.FILE and path.endswith("/"):
        if kind != b"\0" or "path" in extended:
            raise _refused("Headers that readers understand differently")
        chosen = MemberKind.DIRECTORY  # as archives had it before there was a type for it
    if chosen is not MemberKind.FILE and size:
        raise _refused("Content where there can be none")
    target = extended.get("linkpath", _text(header[157:257].partition(b"\0")[0]))
    return TarMember(path=path.rstrip("/"), kind=chosen, target=target, size=size)


def _checked(header: bytes) -> bytes:
    stated = _number(header[148:156])
    counted = sum(header[:148]) + 8 * 0x20 + sum(header[156:])
    if stated != counted:
        raise _refused("A damaged header")
    return header


def is_header(block: bytes) -> bool:
    """Say whether ``block`` is the header of a tar archive's member."""
    try:
        return len(block) == BLOCK and _checked(block) is block
    except NotAccepted:
        return False


def _number(field: bytes) -> int:
    """Return an octal number, or one in base 256 as GNU tar writes those of more than 8 GiB."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.partition(b"\0")[0].strip(b" ")
    if not _OCTAL.fullmatch(text):
        raise _refused("A number that is none in a header")
    return int(text or b"0", 8)


def _decimal(text: str) -> int:
    if len(text) > 19 or not text.isascii() or not text.isdigit():
        raise _refused("A number that is none in a header")
    return int(text)


def _records(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the records of a pax header, ``LENGTH KEY=VALUE`` and a line's end each."""
    position = 0
    while position < len(content):
        length = _RECORD.match(content, position)
        if length is None:
            raise _refused("A damaged extended header")
        end = position + int(length[1])
        key, equals, value = content[length.end() : end - 1].partition(b"=")
        if end > len(content) or content[end - 1 : end] != b"\n" or not equals:
            raise _refused("A damaged extended header")
        if key == b"hdrcharset":
            raise _refused("Headers that readers understand differently")
        yield _text(key), _text(value)
        position = end


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
