"""Which part of a file a request asks for, and whether it asks at all (RFC 9110, sections 13.1 and 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A hundred digits are beyond any file and cheap as an int; a longer number makes the header malformed.
_SPEC = re.compile(r"([0-9]{0,100})[ \t]*-[ \t]*([0-9]{0,100})")
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,100})-([0-9]{1,100})/([0-9]{1,100}|\*)", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


class UnsatisfiableRange(ValueError):
    """The range lies outside the file: 416, with ``Content-Range: bytes */SIZE``."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes from ``start`` up to but without ``stop``; never empty, never past the file's end."""

    start: int
    stop: int


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """
    Return the part of a file of ``size`` bytes that a Range header names.

    None stands for the whole file, as an ordinary 200: no header, another
    unit, a malformed header, or several ranges (whose answers would multiply
    the bytes sent: CVE-2011-3192). Raises `UnsatisfiableRange` for a range
    that begins at or after the end, and for a suffix of no bytes.
    """
    spec = _single_spec(header)
    if spec is None:
        return None
    first, last = spec
    if not first:
        return _suffix(int(last), size)
    start = int(first)
    if last and int(last) < start:
        return None  # malformed, says section 14.1.1; so not 416
    if start >= size:
        raise UnsatisfiableRange(f"the range starts at byte {start}, but the file has {size} bytes")
    return ByteRange(start, min(int(last) + 1, size) if last else size)


def _single_spec(header: str | None) -> tuple[str, str] | None:
    """Return the digits before and after the one hyphen, not both of them empty."""
    unit, _, specs = (header or "").partition("=")
    if unit.strip().lower() != "bytes":
        return None
    named = [spec.strip() for spec in specs.split(",") if spec.strip()]
    if len(named) != 1:
        return None
    match = _SPEC.fullmatch(named[0])
    if match is None or not (match[1] or match[2]):
        return None
    return match[1], match[2]


def _suffix(length: int, size: int) -> ByteRange | None:
    if length == 0:
        raise UnsatisfiableRange("the range is the last 0 bytes of the file")
    if size == 0:
        return None  # satisfiable by section 14.1.2, but no Content-Range can say "no bytes of 0"
    return ByteRange(max(size - length, 0), size)


def is_content_range_of(part: ByteRange, header: str | None) -> bool:
    """Return whether a Content-Range header says that exactly ``part`` is sent, of a file that can have it."""
    match = _CONTENT_RANGE.fullmatch(header or "")
    if match is None or ByteRange(int(match[1]), int(match[2]) + 1) != part:
        return False
    return match[3] == "*" or int(match[3]) >= part.stop


def is_content_range_from(start: int, header: str | None) -> bool:
    """Return whether a Content-Range header says that bytes are sent from ``start`` on."""
    match = _CONTENT_RANGE.fullmatch(header or "")
    return match is not None and int(match[1]) == start


def if_range_matches(header: str | None, etag: str) -> bool:
    """
    Return whether a Range header counts, given the If-Range header beside it.

    The comparison is strong, so a weak tag never matches. Nor does a date:
    the only validator of our files is the ETag.
    """
    if header is None:
        return True
    return header.strip() == etag and not etag.startswith("W/")


def is_resumption(header: str | None, if_range: str | None) -> bool:
    """
    Return whether a client that sends this Range, and this If-Range, seems to complete a file that it has begun.

    Who only looks into a file names both ends of what it looks at, or asks
    for the last bytes; and does not say which bytes it has.
    """
    spec = _single_spec(header)
    return if_range is not None or (spec is not None and bool(spec[0]) and not spec[1])


def completes_file(part: ByteRange, size: int, header: str | None, if_range: str | None) -> bool:
    """
    Return whether a client that was sent ``part``, by this Range and If-Range, has the whole file now.

    Who resumes gets the end of the file once, however often it broke off; an
    end that is looked into for the core metadata completes nothing.
    """
    return part.stop == size and (part.start == 0 or is_resumption(header, if_range))


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Return whether the client has this representation already (304), by weak comparison."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in _ENTITY_TAG.findall(if_none_match)
