"""
The records of a zip archive, read from its first byte to its last.

Most readers believe the central directory at the end; some read the local
headers as they come. Where the two can differ, two installers get two
different packages from one file. What passes here has one reading: local
headers one after the other from byte 0, each with its entry in the directory,
then the directory, then the records of its end, and nothing before, between
or behind them (APPNOTE.TXT 4.3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from pypid.domain.validation.findings import NotAccepted
from pypid.domain.validation.zip_extra import ABSENT16, ABSENT32, MALFORMED, Confusing, widened

MAX_ENTRIES = 100_000
"""Files in one archive: several times what the biggest hold."""

MAX_DIRECTORY = 32 * 1024 * 1024
"""Bytes of a central directory: what `MAX_ENTRIES` files take, with names of 250 characters."""

_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")
_END = struct.Struct("<4sHHHHLLH")
_END64 = struct.Struct("<4sQHHLLQQQQ")
_LOCATOR = struct.Struct("<4sLQL")

_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_END64_MARK, _LOCATOR_MARK, _DESCRIPTOR_MARK = b"PK\6\6", b"PK\6\7", b"PK\7\x08"

_ENCRYPTED = 1 | 1 << 6 | 1 << 13
"""Flags of traditional and strong encryption, and of masked headers."""
_DESCRIPTOR, _UTF8 = 1 << 3, 1 << 11
_NEWEST = 63
"""The version of the format, times ten, that the standard library's reader and APPNOTE.TXT know."""
_MAX_COMMENT = 0xFFFF


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One file or directory, as the central directory has it and its local header agrees."""

    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int
    start: int = 0
    """Where its data begins, by its local header."""

    @property
    def has_descriptor(self) -> bool:
        """Its sizes stand behind its data as well: a reader from the start must guess where that ends."""
        return bool(self.flags & _DESCRIPTOR)


def read_entries(archive: BinaryIO) -> list[ZipEntry]:
    """
    Return the entries of ``archive`` in the order of its directory.

    Time and memory grow as the directory, of which no more is read than
    `MAX_DIRECTORY`. Raises `NotAccepted` unless every reader would find these.
    """
    try:
        _find_end(archive)
    except Confusing as e:
        raise NotAccepted("File is not a zipfile") from e
    try:
        return _read_entries(archive)
    except Confusing as e:
        raise NotAccepted(f"ZIP archive not accepted: {e}") from e


def _read_entries(archive: BinaryIO) -> list[ZipEntry]:
    if _at(archive, 0, 4) not in {_LOCAL_MARK, _CENTRAL_MARK, _END_MARK, _END64_MARK}:
        raise Confusing("Unknown record signature")
    directory = _find_directory(archive)
    entries = list(_central_entries(archive, directory))
    by_offset = {entry.offset: entry for entry in entries}
    if len({entry.name for entry in entries}) != len(entries):
        raise Confusing("Duplicate filename in central directory")
    position = 0
    local: dict[str, ZipEntry] = {}
    while position < directory.start:
        entry, position = _local_entry(archive, position, by_offset)
        local[entry.name] = entry
    if position != directory.start:
        raise Confusing("Mismatched central directory offset")
    if len(local) != len(entries):
        raise Confusing("Missing filename in local headers")
    return [local[entry.name] for entry in entries]


def looks_like_zip(archive: BinaryIO) -> bool:
    """Say whether a reader of zip archives, which begins at the end, would find a directory."""
    try:
        end, _ = _find_end(archive)
    except Confusing:
        return False
    size: int = _END.unpack(_at(archive, end, _END.size))[5]
    if end >= _LOCATOR.size and _at(archive, end - _LOCATOR.size, 4) == _LOCATOR_MARK:
        return True
    return size <= end and (not size or _at(archive, end - size, 4) == _CENTRAL_MARK)


@dataclass(frozen=True, slots=True)
class _Directory:
    start: int
    size: int
    entries: int


def _find_directory(archive: BinaryIO) -> _Directory:
    end, length = _find_end(archive)
    fields = _END.unpack(_at(archive, end, _END.size))
    _, disk, first_disk, here, entries, size, start, comment = fields
    if end + _END.size + comment != length:
        raise Confusing("Trailing data")
    told: tuple[int, ...] = (disk, first_disk, here, entries, size, start)
    behind = end
    if end >= _LOCATOR.size and _at(archive, end - _LOCATOR.size, 4) == _LOCATOR_MARK:
        told, behind = _end64(archive, end - _LOCATOR.size, told)
    elif ABSENT16 in {here, entries} or ABSENT32 in {size, start}:
        raise Confusing(MALFORMED)
    disk, first_disk, here, entries, size, start = told
    if disk or first_disk or here != entries:
        raise Confusing(MALFORMED)
    if entries > MAX_ENTRIES or size > MAX_DIRECTORY:
        raise Confusing(f"More than {MAX_ENTRIES} files, or a directory of more than {MAX_DIRECTORY} bytes")
    if start + size != behind:
        # Bytes before the archive move everything in it.
        raise Confusing("Mismatched central directory offset")
    return _Directory(start, size, entries)


def _find_end(archive: BinaryIO) -> tuple[int, int]:
    """Return where the last end record is, as readers look for it, and the length of the file."""
    length = archive.seek(0, 2)
    start = max(0, length - _END.size - _MAX_COMMENT)
    tail = _at(archive, start, length - start)
    found = tail.rfind(_END_MARK, 0, max(0, len(tail) - _END.size + len(_END_MARK)))
    if found < 0:
        raise Confusing("No end of central directory")
    return start + found, length


def _end64(archive: BinaryIO, locator: int, told: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    _, disk, position, disks = _LOCATOR.unpack(_at(archive, locator, _LOCATOR.size))
    if disk or disks > 1:
        raise Confusing(MALFORMED)
    if position + _END64.size != locator:
        raise Confusing("ZIP64 extensible data not allowed")
    mark, length, _, _, *values = _END64.unpack(_at(archive, position, _END64.size))
    if mark != _END64_MARK or length != _END64.size - 12:
        raise Confusing(MALFORMED)
    for old, new, absent in zip(told, values, (*[ABSENT16] * 4, *[ABSENT32] * 2), strict=True):
        if old not in {new, absent}:
            raise Confusing("Mismatched central directory records")
    return tuple(values), position


def _central_entries(archive: BinaryIO, directory: _Directory) -> Iterator[ZipEntry]:
    content = memoryview(_at(archive, directory.start, directory.size))
    position = 0
    for _ in range(directory.entries):
        if position + _CENTRAL.size > len(content):
            raise Confusing("Mismatched central directory records")
        fields = _CENTRAL.unpack_from(content, position)
        mark, _, version, flags, method, _, _, crc, compressed, size, name, extra, comment, disk, _, _, offset = fields
        if mark != _CENTRAL_MARK:
            raise Confusing("Mismatched central directory records")
        if comment:
            raise Confusing("Comment in central directory")
        at = position + _CENTRAL.size
        position = at + name + extra
        if position > len(content):
            raise Confusing(MALFORMED)
        raw = bytes(content[at : at + name])
        text = _name(raw, flags)
        numbers = [size, compressed, offset, disk]
        size, compressed, offset, disk = widened(bytes(content[at + name : position]), raw, numbers)
        if disk or flags & _ENCRYPTED:
            raise Confusing("Encrypted, or in several parts")
        if version & 0xFF > _NEWEST:
            raise Confusing(MALFORMED)
        yield ZipEntry(text, flags, method, crc, compressed, size, offset)
    if position != len(content):
        raise Confusing("Mismatched central directory size")


def _local_entry(archive: BinaryIO, position: int, by_offset: dict[int, ZipEntry]) -> tuple[ZipEntry, int]:
    """Return the entry whose header is at ``position``, with the header's flags, and where the next record is."""
    head = _at(archive, position, _LOCAL.size)
    if head[:4] != _LOCAL_MARK:
        raise Confusing("Unknown record signature")
    _, _, flags, method, _, _, crc, compressed, size, name_length, extra_length = _LOCAL.unpack(head)
    rest = _at(archive, position + _LOCAL.size, name_length + extra_length)
    raw, extra = rest[:name_length], rest[name_length:]
    name = _name(raw, flags)
    entry = by_offset.get(position)
    if entry is None or entry.name != name:
        raise Confusing("Filename not in central directory")
    if method != entry.method or flags & _ENCRYPTED or (entry.has_descriptor and not flags & _DESCRIPTOR):
        raise Confusing("Mis-matched local headers and central directory")
    if not method and entry.compressed != entry.size:
        # One reader takes so many bytes, the next one the other number.
        raise Confusing("Mis-matched file size")
    size, compressed = widened(extra, raw, [size, compressed], local_method=method)
    entry = replace(entry, flags=flags, start=position + _LOCAL.size + len(rest))
    data_end = entry.start + entry.compressed
    told = (crc, compressed, size)
    if entry.has_descriptor:
        data_end += _descriptor_length(_at_most(archive, data_end, 24), entry)
        if told == (0, 0, 0):
            return entry, data_end
    _compare(told, entry)
    return entry, data_end


def _compare(told: tuple[int, int, int], entry: ZipEntry) -> None:
    crc, compressed, size = told
    if compressed != entry.compressed:
        raise Confusing("Mis-matched data size")
    if size != entry.size:
        raise Confusing("Mis-matched file size")
    if crc != entry.crc:
        raise Confusing("Mis-matched local headers and central directory")


def _descriptor_length(found: bytes, entry: ZipEntry) -> int:
    """Return the length of the data descriptor that ``found`` begins with: with or without a mark, short or long."""
    for form in ("<LLL", "<LQQ"):
        try:
            expected = struct.pack(form, entry.crc, entry.compressed, entry.size)
        except struct.error:  # too long for the short form
            continue
        for mark in (_DESCRIPTOR_MARK, b""):
            if found.startswith(mark + expected) and found[len(mark + expected) :][:2] in {b"", b"PK"}:
                return len(mark + expected)
    raise Confusing("Mis-matched data descriptor")


def _name(raw: bytes, flags: int) -> str:
    if any(byte < 0x20 or byte == 0x7F for byte in raw) or not raw:
        raise Confusing("Invalid character in filename")
    try:
        # Without the flag, readers take what is not ASCII for any of several encodings.
        return raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError as e:
        raise Confusing("Filename not unicode") from e


def _at(archive: BinaryIO, position: int, length: int) -> bytes:
    content = _at_most(archive, position, length)
    if len(content) != length:
        raise Confusing(MALFORMED)
    return content


def _at_most(archive: BinaryIO, position: int, length: int) -> bytes:
    archive.seek(position)
    return archive.read(length)
