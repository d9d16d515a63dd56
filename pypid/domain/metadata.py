"""The core metadata inside a mirrored wheel, byte for byte."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from typing import BinaryIO

from packaging.utils import canonicalize_name

from pypid.domain.filenames import ParsedFilename
from pypid.domain.partial import MissingPart, PartialFile
from pypid.domain.ranges import ByteRange

MAX_METADATA = 10 * 1024 * 1024
"""Bytes. The longest METADATA on PyPI, with its README inside, is well under a tenth of it."""

MAX_ENTRIES = 100_000
"""Files in one wheel: several times what the biggest hold."""

PART = 256 * 1024
"""
Bytes to ask for at a time.

In the last so many, wheels have both their directory and their METADATA, up to
about 1,700 files (pandas, scipy, numpy). With 64 KiB these take three requests,
and they are asked for one after the other.
"""

MAX_PARTS = 12
"""
Two do for most wheels of any size: directory and METADATA.

More are for comments, for what is not in its usual place, and for riddles.
"""

MAX_LEARNED = 16 * 1024 * 1024
"""Bytes of one wheel to be looked at: what a directory of `MAX_ENTRIES` files takes, with names of 100 characters."""

_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,  # encrypted
    OSError,
    ValueError,
)
"""What zipfile and its decompressors raise for bytes that are no archive, or one that is damaged."""


class NoMetadata(ValueError):
    """The archive is no wheel with one METADATA that can be read."""


def metadata_or_part(wheel: PartialFile, expected: ParsedFilename) -> bytes | ByteRange:
    """
    Return the METADATA of a wheel that somebody else publishes, or the part of it that must be known next.

    What METADATA says is not looked at: to believe it is for who reads it.
    Raises `NoMetadata`, also for a wheel of which too much would have to be known.
    """
    try:
        return read_metadata(wheel, expected)
    except MissingPart as e:
        part = wheel.unknown_around(e.part, PART)
    if len(wheel.parts) == MAX_PARTS or wheel.learned + part.stop - part.start > MAX_LEARNED:
        raise NoMetadata(f"It is not found in {len(wheel.parts)} parts of the wheel, {wheel.learned} bytes.")
    return part


def read_metadata(archive: PartialFile | BinaryIO, expected: ParsedFilename) -> bytes:
    """Return the METADATA of a wheel. Raises `NoMetadata`, and `MissingPart` where a part of it is not known."""
    try:
        with zipfile.ZipFile(archive) as wheel, wheel.open(_choose(wheel, expected)) as file:
            content = file.read(MAX_METADATA + 1)
    except NoMetadata:
        raise
    except _UNREADABLE as e:
        raise NoMetadata(f"It cannot be read as a wheel: {e}.") from e
    if len(content) > MAX_METADATA:
        raise NoMetadata(f"Its METADATA is longer than {MAX_METADATA} bytes.")
    return content


def _choose(wheel: zipfile.ZipFile, expected: ParsedFilename) -> zipfile.ZipInfo:
    """Return the METADATA of the project and version, else the one of the project that installers would take."""
    entries = wheel.infolist()
    if len(entries) > MAX_ENTRIES:
        raise NoMetadata(f"It holds more than {MAX_ENTRIES} files.")
    similar = [entry for entry in entries if _is_similar(entry.filename, expected)]
    own = [entry for entry in similar if _is_own(entry.filename, expected)]
    if len(own) == 1:
        return own[0]
    if own or len(similar) != 1:
        raise NoMetadata(f"It holds {len(own)} METADATA files of {expected.project}, not one.")
    return similar[0]


def _is_similar(path: str, expected: ParsedFilename) -> bool:
    directory, _, name = path.partition("/")
    if name != "METADATA" or not directory.endswith(".dist-info"):
        return False
    return canonicalize_name(directory).startswith(expected.project)


def _is_own(path: str, expected: ParsedFilename) -> bool:
    project, _, version = path.removesuffix(".dist-info/METADATA").partition("-")
    return expected.is_of(project, version)
