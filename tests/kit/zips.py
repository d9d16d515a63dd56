"""
Zip archives record by record, so that each record can lie.

    raw_zip([Member("a.txt", b"hello", local={"size": 9})])  # its local header says another size
    raw_zip([Member("a.txt", b"hello")], end={"entries": 2})  # the end record counts one too many

Without a lie the archive is what any writer makes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

LOCAL = struct.Struct("<4sHHHHHLLLHH")
CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
END = struct.Struct("<4sHHHHLLH")
END64 = struct.Struct("<4sQHHLLQQQQ")
LOCATOR = struct.Struct("<4sLQL")

STORED, DEFLATED = 0, 8
ABSENT = 0xFFFFFFFF

Lies = Mapping[str, int]
NO_LIES: Lies = MappingProxyType({})


@dataclass(frozen=True)
class Member:
    """One file: its two headers say the truth but for ``local`` and ``central``, numbers by their names."""

    name: str | bytes
    content: bytes = b""
    method: int = STORED
    flags: int = 0
    local: Lies = field(default_factory=dict)
    central: Lies = field(default_factory=dict)
    local_name: bytes | None = None
    local_extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    descriptor: bytes = b""
    """What follows the data."""
    is_local: bool = True
    is_central: bool = True

    @property
    def raw_name(self) -> bytes:
        return self.name if isinstance(self.name, bytes) else self.name.encode()

    @property
    def packed(self) -> bytes:
        if self.method != DEFLATED:
            return self.content
        deflate = zlib.compressobj(wbits=-15)
        return deflate.compress(self.content) + deflate.flush()

    def _numbers(self, lies: Lies) -> dict[str, int]:
        return {
            "flags": self.flags,
            "method": self.method,
            "crc": zlib.crc32(self.content),
            "compressed": len(self.packed),
            "size": len(self.content),
            **lies,
        }

    def local_record(self) -> bytes:
        n = self._numbers(self.local)
        name = self.raw_name if self.local_name is None else self.local_name
        head = LOCAL.pack(
            b"PK\3\4", 20, n["flags"], n["method"], 0, 33, n["crc"], n["compressed"], n["size"],
            len(name), len(self.local_extra),
        )  # fmt: skip
        return head + name + self.local_extra + self.packed + self.descriptor

    def central_record(self, offset: int) -> bytes:
        n = self._numbers({"offset": offset, "disk": 0, **self.central})
        head = CENTRAL.pack(
            b"PK\1\2", 20, 20, n["flags"], n["method"], 0, 33, n["crc"], n["compressed"], n["size"],
            len(self.raw_name), len(self.central_extra), len(self.comment), n["disk"], 0, 0, n["offset"],
        )  # fmt: skip
        return head + self.raw_name + self.central_extra + self.comment


def raw_zip(
    members: Sequence[Member],
    *,
    prefix: bytes = b"",
    gap: bytes = b"",
    behind: bytes = b"",
    end: Lies = NO_LIES,
    comment: bytes = b"",
    suffix: bytes = b"",
    zip64: Lies | None = None,
    extensible: bytes = b"",
) -> bytes:
    """
    Return the archive of ``members``.

    ``gap`` is between them and the directory, ``behind`` between that and
    the records of the end; ``zip64`` adds the records of that kind, with its
    lies.
    """
    body, offsets = prefix, []
    for member in members:
        offsets.append(len(body))
        body += member.local_record() if member.is_local else b""
    body += gap
    start = len(body)
    listed = [(member, offset) for member, offset in zip(members, offsets, strict=True) if member.is_central]
    directory = b"".join(member.central_record(offset) for member, offset in listed)
    told = {"here": len(listed), "entries": len(listed), "size": len(directory), "start": start}
    tail = b"" if zip64 is None else _end64(told, start + len(directory + behind), zip64, extensible)
    n = {"disk": 0, "comment": len(comment), **told, **end}
    record = END.pack(b"PK\5\6", n["disk"], 0, n["here"], n["entries"], n["size"], n["start"], n["comment"])
    return body + directory + behind + tail + record + comment + suffix


def zip64_extra(*numbers: int, kind: int = 1) -> bytes:
    """Return an extra field of 64-bit ``numbers``."""
    return extra(kind, struct.pack(f"<{len(numbers)}Q", *numbers))


def extra(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def descriptor(content: bytes, packed: int | None = None, *, mark: bytes = b"PK\7\x08", form: str = "<LLL") -> bytes:
    """Return a data descriptor for stored ``content``."""
    return mark + struct.pack(form, zlib.crc32(content), len(content) if packed is None else packed, len(content))


def _end64(told: Lies, position: int, lies: Lies, extensible: bytes) -> bytes:
    n = {"length": 44 + len(extensible), "locator": position, **told, **lies}
    record = END64.pack(
        b"PK\6\6", n["length"], 45, 45, 0, 0, n["here"], n["entries"], n["size"], n["start"]
    )  # fmt: skip
    return record + extensible + LOCATOR.pack(b"PK\6\7", 0, n["locator"], 1)
