"""The extra fields of a zip archive's records: sizes of more than 32 bits, and names in another encoding."""

from __future__ import annotations

import struct
from collections.abc import Iterator

ABSENT16, ABSENT32 = 0xFFFF, 0xFFFFFFFF
"""In place of a number that a ZIP64 record has."""

MALFORMED = "Malformed zip file"

_EXTRA = struct.Struct("<HH")
_ZIP64, _UNICODE_PATH = 0x0001, 0x7075
_ZIP64_LENGTHS = frozenset({0, 8, 16, 24, 28})


class Confusing(ValueError):
    """The archive has another reading, or none; the message says why."""


def widened(extra: bytes, raw_name: bytes, numbers: list[int], *, local_method: int | None = None) -> list[int]:
    """
    Return ``numbers`` (sizes, offset, disk) with what the ZIP64 extra field has of them.

    ``local_method``: how the content is compressed, for the extra field of a
    local header; that must have both sizes or, of what is stored, one.
    """
    absent = [number == ABSENT32 for number in numbers[:3]] + [number == ABSENT16 for number in numbers[3:]]
    extras = list(_extras(extra))
    kinds = [kind for kind, _ in extras if kind in {_ZIP64, _UNICODE_PATH}]
    if len(kinds) != len(set(kinds)):
        raise Confusing("Invalid duplicate extra in local file")
    for kind, content in extras:
        if kind == _UNICODE_PATH and content[5:] != raw_name:
            raise Confusing("Invalid character in filename")
        if kind == _ZIP64 and len(content) not in _ZIP64_LENGTHS:
            raise Confusing(MALFORMED)
    zip64 = dict(extras).get(_ZIP64)
    if zip64 is None:
        if any(absent):
            raise Confusing(MALFORMED)
        return numbers
    if local_method is None:
        return _central_numbers(zip64, numbers, absent)
    return _local_numbers(zip64, numbers, absent, is_stored=local_method == 0)


def _central_numbers(content: bytes, numbers: list[int], absent: list[bool]) -> list[int]:
    """Return ``numbers``, those that are absent from ``content``, which has no others."""
    found, position = [], 0
    for number, is_absent, width in zip(numbers, absent, ("<Q", "<Q", "<Q", "<L"), strict=True):
        value = number
        if is_absent:
            if position + struct.calcsize(width) > len(content):
                raise Confusing(MALFORMED)
            (value,) = struct.unpack_from(width, content, position)
            position += struct.calcsize(width)
        found.append(value)
    return found


def _local_numbers(content: bytes, numbers: list[int], absent: list[bool], *, is_stored: bool) -> list[int]:
    size, compressed = numbers
    if (len(content) == 8 and not is_stored) or (not content and any(absent)):
        raise Confusing(MALFORMED)
    if not content:
        return numbers
    (told,) = struct.unpack_from("<Q", content)
    packed: int = told if len(content) == 8 else struct.unpack_from("<Q", content, 8)[0]
    if compressed not in {packed, ABSENT32}:
        raise Confusing("Mis-matched data size")
    return [told if absent[0] else size, packed]


def _extras(extra: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(extra):
        if position + _EXTRA.size > len(extra):
            raise Confusing(MALFORMED)
        kind, length = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size + length
        if position > len(extra):
            raise Confusing(MALFORMED)
        yield kind, extra[position - length : position]
