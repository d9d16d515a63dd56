"""The core metadata inside a wheel, byte for byte."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from typing import BinaryIO

from packaging.metadata import parse_email
from packaging.version import Version

from pypid.domain.errors import UploadRefused
from pypid.domain.filenames import ParsedFilename
from pypid.domain.names import normalize_name, shorten

MAX_METADATA = 10 * 1024 * 1024
"""Bytes. The longest METADATA on PyPI, with its README inside, is well under a tenth of it."""

MAX_ENTRIES = 100_000
"""Files in one wheel: several times what the biggest hold."""

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


def read_wheel_metadata(archive: BinaryIO, expected: ParsedFilename) -> bytes:
    """
    Return the wheel's METADATA file as it is.

    Nothing is extracted. Raises `UploadRefused` when ``archive`` is no wheel of
    the project and version that its filename says.
    """
    try:
        with zipfile.ZipFile(archive) as wheel:
            metadata = _read(wheel, expected)
    except _UNREADABLE as e:
        raise UploadRefused([f"Invalid distribution file. It cannot be read as a wheel: {e}."]) from e
    _check(metadata, expected)
    return metadata


def _read(wheel: zipfile.ZipFile, expected: ParsedFilename) -> bytes:
    entries = wheel.infolist()
    if len(entries) > MAX_ENTRIES:
        raise UploadRefused([f"Invalid distribution file. It holds more than {MAX_ENTRIES} files."])
    found = [entry for entry in entries if _is_metadata(entry.filename, expected)]
    if len(found) != 1:
        raise UploadRefused(
            [f"Invalid distribution file. It holds {len(found)} METADATA files of {expected.project}, not one."]
        )
    with wheel.open(found[0]) as file:
        metadata = file.read(MAX_METADATA + 1)
    if len(metadata) > MAX_METADATA:
        raise UploadRefused([f"Invalid distribution file. Its METADATA is longer than {MAX_METADATA} bytes."])
    return metadata


def _is_metadata(path: str, expected: ParsedFilename) -> bool:
    directory, _, name = path.partition("/")
    project, _, version = directory.removesuffix(".dist-info").partition("-")
    if name != "METADATA" or not directory.endswith(".dist-info"):
        return False
    return _is_of(project, version, expected)


def _check(metadata: bytes, expected: ParsedFilename) -> None:
    raw, _ = parse_email(metadata)
    name, version = raw.get("name", ""), raw.get("version", "")
    if not _is_of(name, version, expected):
        raise UploadRefused(
            [
                (
                    f"Invalid distribution file. Its METADATA says it is {shorten(name)} {shorten(version)}, "
                    f"its filename says {expected.project} {expected.version}."
                )
            ]
        )


def _is_of(name: str, version: str, expected: ParsedFilename) -> bool:
    try:
        return normalize_name(name) == expected.project and Version(version) == expected.version
    except ValueError:  # InvalidName and InvalidVersion are; so is what int() raises for more than 4300 digits
        return False
