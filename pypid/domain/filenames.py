"""What a distribution file's name says: project, version and kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from pypid.domain.names import InvalidName, NormalizedName, normalize_name, shorten

MAX_FILENAME_LENGTH = 255
"""Bytes. The longest name that the usual file systems of clients can store."""


class FileKind(Enum):
    """The upload API's names for the two kinds of distribution (PEP 527, PEP 715)."""

    SDIST = "sdist"
    WHEEL = "bdist_wheel"


class UnknownFilename(ValueError):
    """The name is neither that of a wheel nor of a source distribution."""


@dataclass(frozen=True, slots=True)
class ParsedFilename:
    project: NormalizedName
    version: Version
    kind: FileKind


def parse_filename(filename: str) -> ParsedFilename:
    """
    Return what ``filename`` says, by the wheel and sdist naming rules.

    Raises `UnknownFilename` with a reason for anything else. A name that
    parses has no slash, no control character and no non-ASCII character.
    """
    if not filename.isascii() or not filename.isprintable() or set(filename) & set("/\\ "):
        raise UnknownFilename(f"{shorten(filename)} has characters that no distribution file name has")
    if len(filename) > MAX_FILENAME_LENGTH:
        raise UnknownFilename(f"{shorten(filename)} is longer than {MAX_FILENAME_LENGTH} characters")
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
            return ParsedFilename(normalize_name(name), version, FileKind.WHEEL)
        name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion, InvalidName) as e:
        raise UnknownFilename(str(e)) from e
    return ParsedFilename(normalize_name(name), version, FileKind.SDIST)
