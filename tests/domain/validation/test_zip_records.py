"""B60, T12: the shapes of zip archives that have one reading, and those that have two."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from pypid.domain.validation import zip_records
from pypid.domain.validation.findings import NotAccepted
from pypid.domain.validation.zip_records import looks_like_zip, read_entries
from tests.kit.zips import ABSENT, DEFLATED, Member, descriptor, extra, raw_zip, zip64_extra

TEXT = b"hello, hello, hello, hello"
A, B = Member("a.txt", TEXT), Member("dir/b.txt", TEXT, DEFLATED)
STREAMED = {"crc": 0, "compressed": 0, "size": 0}
BIG = zip64_extra(len(TEXT), len(TEXT))
UNICODE_NAME = extra(0x7075, b"\1" + struct.pack("<L", zlib.crc32(b"a.txt")) + b"a.txt")

ACCEPTED = {
    "stored": raw_zip([A]),
    "deflated": raw_zip([B]),
    "several": raw_zip([A, B, Member("dir/")]),
    "empty": raw_zip([]),
    "directory only": raw_zip([Member("dir/")]),
    "comment of the archive": raw_zip([A], comment=b"made by hand"),
    "another extra field": raw_zip(
        [Member("a", TEXT, local_extra=extra(0x5455, b"12345"), central_extra=extra(9, b""))]
    ),
    "utf-8 name": raw_zip([Member("gr\u00fc\u00df.txt", TEXT, flags=1 << 11)]),
    "unicode path of the same name": raw_zip([Member("a.txt", TEXT, local_extra=UNICODE_NAME)]),
    "end of zip64": raw_zip([A], zip64={}),
    "end of zip64 alone has the numbers": raw_zip(
        [A], zip64={}, end={"here": 0xFFFF, "entries": 0xFFFF, "size": ABSENT, "start": ABSENT}
    ),
    "zip64 sizes": raw_zip([Member("a", TEXT, local={"size": ABSENT, "compressed": ABSENT}, local_extra=BIG)]),
    "zip64 sizes in the directory": raw_zip(
        [Member("a", TEXT, central={"size": ABSENT, "compressed": ABSENT}, central_extra=BIG)]
    ),
    "descriptor": raw_zip([Member("a", TEXT, flags=8, local=STREAMED, descriptor=descriptor(TEXT)), A]),
    "descriptor without a mark": raw_zip(
        [Member("a", TEXT, flags=8, local=STREAMED, descriptor=descriptor(TEXT, mark=b""))]
    ),
    "descriptor of zip64": raw_zip(
        [Member("a", TEXT, flags=8, local=STREAMED, descriptor=descriptor(TEXT, form="<LQQ"))]
    ),
}

REFUSED = {
    "not a zip": (b"not a zip", "File is not a zipfile"),
    "nothing": (b"", "File is not a zipfile"),
    "prefix": (raw_zip([A], prefix=b"#!/bin/sh\n"), "Unknown record signature"),
    "prefix that offsets do not count": (b"prefix" + raw_zip([A]), "Unknown record signature"),
    "prefix that is an archive": (raw_zip([A]) + raw_zip([B]), "Mismatched central directory offset"),
    "suffix": (raw_zip([A], suffix=b"x"), "Trailing data"),
    "zeros behind": (raw_zip([A], suffix=bytes(1000)), "Trailing data"),
    "two ends": (raw_zip([A], suffix=raw_zip([])), "Mismatched central directory"),
    "end inside the comment": (raw_zip([A], comment=raw_zip([])), "Unknown record|Mismatched|Malformed"),
    "comment longer than the file": (raw_zip([A], end={"comment": 3}), "Trailing data"),
    "gap": (raw_zip([A], gap=b"hidden"), "Unknown record signature|Malformed"),
    "hidden entry": (raw_zip([A, Member("b", TEXT, is_central=False)]), "Filename not in central directory"),
    "entry without data": (raw_zip([A, Member("b", is_local=False)]), "Missing filename in local headers"),
    "twice in the directory": (raw_zip([A, A]), "Duplicate filename in central directory"),
    "twice locally": (
        raw_zip([A, Member("b", TEXT, local_name=b"a.txt")]),
        "Filename not in central directory",
    ),
    "two entries for one file": (raw_zip([A, Member("b", is_local=False, central={"offset": 0})]), "Filename not in"),
    "other name locally": (raw_zip([Member("a", local_name=b"b")]), "Filename not in central directory"),
    "comment of an entry": (raw_zip([Member("a", comment=b"c")]), "Comment in central directory"),
    "control character": (raw_zip([Member("a\x1fb")]), "Invalid character in filename"),
    "null": (raw_zip([Member("a.txt\0.exe")]), "Invalid character in filename"),
    "no name": (raw_zip([Member("")]), "Invalid character in filename"),
    "other encoding": (raw_zip([Member(b"gr\xfc\xdf")]), "Filename not unicode"),
    "no utf-8": (raw_zip([Member(b"gr\xfc\xdf", flags=1 << 11)]), "Filename not unicode"),
    "other unicode path": (raw_zip([Member("b", local_extra=UNICODE_NAME)]), "Invalid character in filename"),
    "two unicode paths": (
        raw_zip([Member("a.txt", central_extra=UNICODE_NAME * 2)]),
        "Invalid duplicate extra in local file",
    ),
    "cut extra": (raw_zip([Member("a", local_extra=b"abc")]), "Malformed zip file"),
    "extra longer than it is": (raw_zip([Member("a", local_extra=b"\1\0\xff\0")]), "Malformed zip file"),
    "other size": (raw_zip([Member("a", TEXT, local={"size": 1})]), "Mis-matched file size"),
    "other length": (raw_zip([Member("a", TEXT, local={"compressed": 1})]), "Mis-matched data size"),
    "length beyond the end": (
        raw_zip([Member("a", TEXT, local={"compressed": 999}, central={"compressed": 999})]),
        "Mismatched central directory offset",
    ),
    "other checksum": (raw_zip([Member("a", TEXT, local={"crc": 1})]), "Mis-matched local headers"),
    "other method": (raw_zip([Member("a", TEXT, local={"method": 8})]), "Mis-matched local headers"),
    "encrypted": (raw_zip([Member("a", TEXT, flags=1)]), "Encrypted"),
    "encrypted locally": (raw_zip([Member("a", TEXT, local={"flags": 1})]), "Mis-matched local headers"),
    "in parts": (raw_zip([Member("a", TEXT, central={"disk": 1})]), "Encrypted, or in several parts"),
    "one part of several": (raw_zip([A], end={"disk": 1}), "Malformed zip file"),
    "more entries than there are": (raw_zip([A], end={"here": 2, "entries": 2}), "Mismatched central dir"),
    "fewer entries than there are": (raw_zip([A, B], end={"here": 1, "entries": 1}), "Mismatched central dir"),
    "two counts": (raw_zip([A], end={"here": 2}), "Malformed zip file"),
    "other size of the directory": (raw_zip([A], end={"size": 10}), "Mismatched central directory offset"),
    "other start of the directory": (raw_zip([A], end={"start": 1}), "Mismatched central directory offset"),
    "numbers that only zip64 has, without it": (raw_zip([A], end={"start": ABSENT}), "Malformed zip file"),
    "zip64 that disagrees": (raw_zip([A], zip64={"entries": 2, "here": 2}), "Mismatched central directory records"),
    "zip64 with something added": (raw_zip([A], zip64={}, extensible=b"1234"), "ZIP64 extensible data not allowed"),
    "zip64 elsewhere": (raw_zip([A], zip64={"locator": 0}), "ZIP64 extensible data not allowed"),
    "zip64 of another length": (raw_zip([A], zip64={"length": 45}), "Malformed zip file"),
    "two zip64 fields": (
        raw_zip([Member("a", TEXT, local={"size": ABSENT, "compressed": ABSENT}, local_extra=BIG * 2)]),
        "Invalid duplicate extra in local file",
    ),
    "zip64 size that is another": (
        raw_zip([Member("a", TEXT, local={"size": ABSENT, "compressed": ABSENT}, local_extra=zip64_extra(5, 26))]),
        "Mis-matched file size",
    ),
    "zip64 length that is another": (
        raw_zip([Member("a", TEXT, local={"size": ABSENT, "compressed": ABSENT}, local_extra=zip64_extra(26, 5))]),
        "Mis-matched data size",
    ),
    "zip64 length beside one": (
        raw_zip([Member("a", TEXT, local_extra=zip64_extra(26, 5))]),
        "Mis-matched data size",
    ),
    "zip64 of one size, deflated": (
        raw_zip([Member("a", TEXT, DEFLATED, local_extra=zip64_extra(26))]),
        "Malformed zip file",
    ),
    "zip64 of an odd length": (raw_zip([Member("a", TEXT, local_extra=extra(1, b"1234"))]), "Malformed zip file"),
    "zip64 that has too little": (
        raw_zip([Member("a", TEXT, central={"size": ABSENT, "compressed": ABSENT}, central_extra=zip64_extra(26))]),
        "Malformed zip file",
    ),
    "sizes that are nowhere": (raw_zip([Member("a", TEXT, local={"size": ABSENT})]), "Malformed zip file"),
    "descriptor that is missing": (raw_zip([Member("a", TEXT, flags=8, local=STREAMED)]), "Mis-matched data desc"),
    "descriptor of another length": (
        raw_zip([Member("a", TEXT, flags=8, local=STREAMED, descriptor=descriptor(TEXT, 5))]),
        "Mis-matched data descriptor",
    ),
    "descriptor of other content": (
        raw_zip([Member("a", TEXT, flags=8, local=STREAMED, descriptor=descriptor(b"x" * len(TEXT)))]),
        "Mis-matched data descriptor",
    ),
    "descriptor only in the directory": (
        raw_zip([Member("a", TEXT, central={"flags": 8})]),
        "Mis-matched local headers and central directory",
    ),
}  # fmt: skip


@pytest.mark.parametrize("content", ACCEPTED.values(), ids=ACCEPTED)
def test_one_reading(content: bytes) -> None:
    entries = read_entries(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        theirs = [(info.filename, info.file_size, info.compress_type, info.CRC) for info in archive.infolist()]
    assert [(entry.name, entry.size, entry.method, entry.crc) for entry in entries] == theirs
    assert looks_like_zip(io.BytesIO(content))


@pytest.mark.parametrize(("content", "why"), REFUSED.values(), ids=REFUSED)
def test_two_readings_or_none(content: bytes, why: str) -> None:
    with pytest.raises(NotAccepted, match=why):
        read_entries(io.BytesIO(content))


def test_descriptors_are_told() -> None:
    streamed = Member("a", TEXT, local={**STREAMED, "flags": 8}, descriptor=descriptor(TEXT))
    first, second = read_entries(io.BytesIO(raw_zip([streamed, A])))
    assert (first.has_descriptor, second.has_descriptor) == (True, False)


def test_cut_off_anywhere() -> None:
    content = ACCEPTED["several"]
    for length in range(len(content)):
        with pytest.raises(NotAccepted):
            read_entries(io.BytesIO(content[:length]))


def test_every_byte_of_a_header_counts() -> None:
    """Whatever one byte is changed to, what is accepted has the same files of the same sizes."""
    content = ACCEPTED["stored"]
    (expected,) = read_entries(io.BytesIO(content))
    for position in range(len(content)):
        for value in (0, 1, 0x80, 0xFF, content[position] ^ 1):
            changed = content[:position] + bytes([value]) + content[position + 1 :]
            try:
                (entry,) = read_entries(io.BytesIO(changed))
            except NotAccepted:
                continue
            assert (entry.compressed, entry.size, entry.crc) == (expected.compressed, expected.size, expected.crc)


class _Counting(io.BytesIO):
    largest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.largest = max(self.largest, 2**63 if size is None or size < 0 else size)
        return super().read(size)


def test_directory_that_is_too_long_is_not_read() -> None:
    """B61: the number of entries is bounded before the directory is in memory."""
    for end in ({"here": 0xFFFE, "entries": 0xFFFE, "size": 2**31}, {"here": 1, "entries": 1, "size": 2**31}):
        archive = _Counting(raw_zip([A], end=end))
        with pytest.raises(NotAccepted, match="More than 100000 files"):
            read_entries(archive)
        assert archive.largest < zip_records.MAX_DIRECTORY
    archive = _Counting(
        raw_zip([A], zip64={"here": 100_001, "entries": 100_001}, end={"here": 65535, "entries": 65535})
    )
    with pytest.raises(NotAccepted, match="More than 100000 files"):
        read_entries(archive)
