"""
Shapes of zip archives, by name: those that have one reading, and those that have two or none.

    REFUSED["gap"].archive()  # the smallest archive of that shape
    REFUSED["gap"].archive(*members)  # the same with more members, so that it can be a wheel, right but for its shape
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.kit.zips import ABSENT, DEFLATED, Lies, Member, descriptor, extra, raw_zip, zip64_extra

REASONS = (
    "Malformed zip file",
    "Unknown record signature",
    "Invalid character in filename",
    "Filename not unicode",
    "Filename not in central directory",
    "Invalid duplicate extra in local file",
    "Mis-matched data size",
    "Mis-matched file size",
    "Duplicate filename in central directory",
    "Missing filename in local headers",
    "Comment in central directory",
    "Mismatched central directory records",
    "Mismatched central directory offset",
    "Mismatched central directory size",
    "ZIP64 extensible data not allowed",
    "Mis-matched local headers and central directory",
    "Trailing data",
)
"""
Why PyPI refuses an archive of two readings, in its words.

Three of its texts have no shape here: a name that is no UTF-8 is "not
unicode" alike; a name that is twice in the local headers cannot be in the
directory at both places; descriptors that are right have one reading, and
are a matter of the level.
"""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An archive of some ``members``; the other fields are those of `raw_zip`, and what stands around it."""

    why: str = ""
    """Why it is refused; empty if it is not."""
    members: Sequence[Member] = ()
    prefix: bytes = b""
    gap: bytes = b""
    behind: bytes = b""
    end: Lies | None = None
    comment: bytes = b""
    suffix: bytes = b""
    zip64: Lies | None = None
    extensible: bytes = b""
    before: bytes = b""
    """What stands before the archive, without its offsets counting that."""
    length: int | None = None
    """Bytes of it that are left."""

    def archive(self, *more: Member) -> bytes:
        """Return the archive, with ``more`` members before its own."""
        content = raw_zip(
            [*more, *self.members],
            prefix=self.prefix,
            gap=self.gap,
            behind=self.behind,
            end=self.end or {},
            comment=self.comment,
            suffix=self.suffix,
            zip64=self.zip64,
            extensible=self.extensible,
        )
        return (self.before + content)[: self.length]

    @property
    def problem(self) -> str:
        """What is said of it."""
        return self.why if self.why in {"", NO_ZIP} else f"ZIP archive not accepted: {self.why}"

    @property
    def listed(self) -> list[Member]:
        """Its members that RECORD of a wheel has to have."""
        return [member for member in self.members if member.is_central]


NO_ZIP = "File is not a zipfile"
TEXT = b"hello, hello, hello, hello"
A, B = Member("a.txt", TEXT), Member("dir/b.txt", TEXT, DEFLATED)
STREAMED = {"crc": 0, "compressed": 0, "size": 0}
"""What a header says of a file whose end is not known yet."""
ELSEWHERE = {"size": ABSENT, "compressed": ABSENT}
"""What a header says of a file whose lengths are in the extra field of zip64."""
BIG = zip64_extra(len(TEXT), len(TEXT))
UNICODE_NAME = extra(0x7075, b"\1" + struct.pack("<L", zlib.crc32(b"a.txt")) + b"a.txt")
END_RECORD = raw_zip([])
END64_RECORDS = raw_zip([], zip64={})[: -len(END_RECORD)]


def _streamed(descriptor: bytes) -> Member:
    return Member("a", TEXT, flags=8, local=STREAMED, descriptor=descriptor)


ACCEPTED: Mapping[str, Shape] = {
    "stored": Shape(members=[A]),
    "deflated": Shape(members=[B]),
    "several": Shape(members=[A, B, Member("dir/")]),
    "empty": Shape(),
    "directory only": Shape(members=[Member("dir/")]),
    "empty file, deflated": Shape(members=[Member("a", b"", DEFLATED)]),
    "archive inside": Shape(members=[Member("inner.zip", raw_zip([A, B]))]),
    "comment of the archive": Shape(members=[A], comment=b"made by hand"),
    "another extra field": Shape(
        members=[Member("a", TEXT, local_extra=extra(0x5455, b"12345"), central_extra=extra(9, b""))]
    ),
    "utf-8 name": Shape(members=[Member("gr\u00fc\u00df.txt", TEXT, flags=1 << 11)]),
    "unicode path of the same name": Shape(members=[Member("a.txt", TEXT, local_extra=UNICODE_NAME)]),
    "end of zip64": Shape(members=[A], zip64={}),
    "end of zip64 alone has the numbers": Shape(
        members=[A], zip64={}, end={"here": 0xFFFF, "entries": 0xFFFF, "size": ABSENT, "start": ABSENT}
    ),
    "zip64 sizes": Shape(members=[Member("a", TEXT, local=ELSEWHERE, local_extra=BIG)]),
    "zip64 sizes in the directory": Shape(members=[Member("a", TEXT, central=ELSEWHERE, central_extra=BIG)]),
    "descriptor": Shape(members=[_streamed(descriptor(TEXT)), A]),
    "descriptor without a mark": Shape(members=[_streamed(descriptor(TEXT, mark=b""))]),
    "descriptor of zip64": Shape(members=[_streamed(descriptor(TEXT, form="<LQQ"))]),
}

REFUSED: Mapping[str, Shape] = {
    # What is around the archive.
    "not a zip": Shape(why=NO_ZIP, before=b"not a zip", length=9),
    "nothing": Shape(why=NO_ZIP, length=0),
    "end of zip64 without an end": Shape(why=NO_ZIP, members=[A], before=END64_RECORDS, length=len(END64_RECORDS)),
    "prefix": Shape(why="Unknown record signature", members=[A], prefix=b"#!/bin/sh\n"),
    "prefix that offsets do not count": Shape(why="Unknown record signature", members=[A], before=b"prefix"),
    "prefix that is an archive": Shape(why="Mismatched central directory offset", members=[B], before=raw_zip([A])),
    "suffix": Shape(why="Trailing data", members=[A], suffix=b"x"),
    "zeros behind": Shape(why="Trailing data", members=[A], suffix=bytes(1000)),
    "comment longer than the file": Shape(why="Trailing data", members=[A], end={"comment": 3}),
    "two ends": Shape(why="Mismatched central directory offset", members=[A], suffix=END_RECORD),
    "two ends and a directory": Shape(why="Mismatched central directory offset", members=[A], behind=END_RECORD),
    "end inside the comment": Shape(why="Mismatched central directory offset", members=[A], comment=END_RECORD),
    "archive inside the comment": Shape(why="Mismatched central directory offset", members=[A], comment=raw_zip([B])),
    "gap": Shape(why="Unknown record signature", members=[A], gap=b"hidden" * 8),
    "gap behind the directory": Shape(why="Mismatched central directory offset", members=[A], behind=b"hidden"),
    # Names.
    "hidden entry": Shape(why="Filename not in central directory", members=[A, Member("b", TEXT, is_central=False)]),
    "entry without data": Shape(why="Missing filename in local headers", members=[A, Member("b", is_local=False)]),
    "twice in the directory": Shape(why="Duplicate filename in central directory", members=[A, A]),
    "twice locally": Shape(
        why="Filename not in central directory", members=[A, Member("b", TEXT, local_name=b"a.txt")]
    ),
    "two entries for one file": Shape(
        why="Filename not in central directory", members=[A, Member("b", is_local=False, central={"offset": 0})]
    ),
    "other name locally": Shape(why="Filename not in central directory", members=[Member("a", local_name=b"b")]),
    "other case locally": Shape(why="Filename not in central directory", members=[Member("a", local_name=b"A")]),
    "comment of an entry": Shape(why="Comment in central directory", members=[Member("a", comment=b"c")]),
    "control character": Shape(why="Invalid character in filename", members=[Member("a\x1fb")]),
    "delete character": Shape(why="Invalid character in filename", members=[Member("a\x7fb")]),
    "null": Shape(why="Invalid character in filename", members=[Member("a.txt\0.exe")]),
    "no name": Shape(why="Invalid character in filename", members=[Member("")]),
    "other encoding": Shape(why="Filename not unicode", members=[Member(b"gr\xfc\xdf")]),
    "utf-8 that is not said": Shape(why="Filename not unicode", members=[Member("gr\u00fc\u00df")]),
    "no utf-8": Shape(why="Filename not unicode", members=[Member(b"gr\xfc\xdf", flags=1 << 11)]),
    "other unicode path": Shape(why="Invalid character in filename", members=[Member("b", local_extra=UNICODE_NAME)]),
    "other unicode path in the directory": Shape(
        why="Invalid character in filename", members=[Member("b", central_extra=UNICODE_NAME)]
    ),
    "two unicode paths": Shape(
        why="Invalid duplicate extra in local file", members=[Member("a.txt", central_extra=UNICODE_NAME * 2)]
    ),
    # Extra fields.
    "cut extra": Shape(why="Malformed zip file", members=[Member("a", local_extra=b"abc")]),
    "extra longer than it is": Shape(why="Malformed zip file", members=[Member("a", local_extra=b"\1\0\xff\0")]),
    # Sizes and the like, of which the two headers say different things.
    "other size": Shape(why="Mis-matched file size", members=[Member("a", TEXT, local={"size": 1})]),
    "other length": Shape(why="Mis-matched data size", members=[Member("a", TEXT, local={"compressed": 1})]),
    "stored, with a size that is not its length": Shape(
        why="Mis-matched file size", members=[Member("a", TEXT, local={"size": 5}, central={"size": 5})]
    ),
    "length beyond the end": Shape(
        why="Mismatched central directory offset",
        members=[Member("a", TEXT, DEFLATED, local={"compressed": 999}, central={"compressed": 999})],
    ),
    "other checksum": Shape(
        why="Mis-matched local headers and central directory", members=[Member("a", TEXT, local={"crc": 1})]
    ),
    "other method": Shape(
        why="Mis-matched local headers and central directory", members=[Member("a", TEXT, local={"method": 8})]
    ),
    "encrypted": Shape(why="Encrypted, or in several parts", members=[Member("a", TEXT, flags=1)]),
    "encrypted locally": Shape(
        why="Mis-matched local headers and central directory", members=[Member("a", TEXT, local={"flags": 1})]
    ),
    "in parts": Shape(why="Encrypted, or in several parts", members=[Member("a", TEXT, central={"disk": 1})]),
    # The end.
    "one part of several": Shape(why="Malformed zip file", members=[A], end={"disk": 1}),
    "more entries than there are": Shape(
        why="Mismatched central directory records", members=[A], end={"here": 99, "entries": 99}
    ),
    "fewer entries than there are": Shape(
        why="Mismatched central directory size", members=[A, B], end={"here": 1, "entries": 1}
    ),
    "two counts": Shape(why="Malformed zip file", members=[A], end={"here": 99}),
    "other size of the directory": Shape(why="Mismatched central directory offset", members=[A], end={"size": 10}),
    "other start of the directory": Shape(why="Mismatched central directory offset", members=[A], end={"start": 1}),
    # Zip64.
    "numbers that only zip64 has, without it": Shape(why="Malformed zip file", members=[A], end={"start": ABSENT}),
    "zip64 without a locator": Shape(why="Mismatched central directory offset", members=[A], behind=END64_RECORDS[:56]),
    "locator without zip64": Shape(why="ZIP64 extensible data not allowed", members=[A], behind=END64_RECORDS[56:]),
    "zip64 that disagrees": Shape(
        why="Mismatched central directory records", members=[A], zip64={"entries": 99, "here": 99}
    ),
    "zip64 with something added": Shape(
        why="ZIP64 extensible data not allowed", members=[A], zip64={}, extensible=b"1234"
    ),
    "zip64 elsewhere": Shape(why="ZIP64 extensible data not allowed", members=[A], zip64={"locator": 0}),
    "zip64 of another length": Shape(why="Malformed zip file", members=[A], zip64={"length": 45}),
    "two zip64 fields": Shape(
        why="Invalid duplicate extra in local file",
        members=[Member("a", TEXT, local=ELSEWHERE, local_extra=BIG * 2)],
    ),
    "zip64 size that is another": Shape(
        why="Mis-matched file size",
        members=[Member("a", TEXT, local=ELSEWHERE, local_extra=zip64_extra(5, 26))],
    ),
    "zip64 length that is another": Shape(
        why="Mis-matched data size",
        members=[Member("a", TEXT, local=ELSEWHERE, local_extra=zip64_extra(26, 5))],
    ),
    "zip64 length beside one": Shape(
        why="Mis-matched data size", members=[Member("a", TEXT, local_extra=zip64_extra(26, 5))]
    ),
    "zip64 of one size, deflated": Shape(
        why="Malformed zip file", members=[Member("a", TEXT, DEFLATED, local_extra=zip64_extra(26))]
    ),
    "zip64 of an odd length": Shape(
        why="Malformed zip file", members=[Member("a", TEXT, local_extra=extra(1, b"1234"))]
    ),
    "zip64 that has too much": Shape(
        why="Malformed zip file", members=[Member("a", TEXT, local_extra=zip64_extra(26, 26, 0, 0, 0))]
    ),
    "zip64 that has too little": Shape(
        why="Malformed zip file",
        members=[Member("a", TEXT, central=ELSEWHERE, central_extra=zip64_extra(26))],
    ),
    "sizes that are nowhere": Shape(why="Malformed zip file", members=[Member("a", TEXT, local={"size": ABSENT})]),
    # Data descriptors.
    "descriptor that is missing": Shape(why="Mis-matched data descriptor", members=[_streamed(b"")]),
    "descriptor of another length": Shape(why="Mis-matched data descriptor", members=[_streamed(descriptor(TEXT, 5))]),
    "descriptor of another length, zip64": Shape(
        why="Mis-matched data descriptor", members=[_streamed(descriptor(TEXT, 5, form="<LQQ"))]
    ),
    "descriptor of another size": Shape(
        why="Mis-matched data descriptor", members=[_streamed(descriptor(TEXT)[:-4] + bytes(4))]
    ),
    "descriptor of another size without a mark": Shape(
        why="Mis-matched data descriptor", members=[_streamed(descriptor(TEXT, mark=b"")[:-4] + bytes(4))]
    ),
    "descriptor of other content": Shape(
        why="Mis-matched data descriptor", members=[_streamed(descriptor(b"x" * len(TEXT)))]
    ),
    "descriptor only in the directory": Shape(
        why="Mis-matched local headers and central directory", members=[Member("a", TEXT, central={"flags": 8})]
    ),
}
