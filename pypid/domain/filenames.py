"""What a distribution file's name says: project, version and kind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod

from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from pypid.domain.names import InvalidName, NormalizedName, normalize_name, shorten

MAX_FILENAME_LENGTH = 255
"""Bytes. The longest name that the usual file systems of clients can store."""

MAX_TAGS = 256
"""
Tags that a wheel's compressed tag sets may stand for (PEP 425). Ten times what real wheels have; a
hostile name of 255 characters could make thousands, and cost 20 ms to parse.
"""


OLD_SDISTS = (".tar.bz2", ".tbz", ".tgz", ".tar.xz", ".txz", ".tar")
"""
How source distributions ended before PEP 527, beside ``.tar.gz`` and ``.zip``, that pip installs to this day.

They are mirrored; nobody may upload one any more.
"""


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

    def is_of(self, name: str, version: str) -> bool:
        """Say whether ``name`` and ``version``, however they are spelled, are those of the file."""
        try:
            return normalize_name(name) == self.project and Version(version) == self.version
        except ValueError:  # InvalidName and InvalidVersion are; so is what int() raises for more than 4300 digits
            return False


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
            if _count_tags(filename) > MAX_TAGS:
                raise UnknownFilename(f"{shorten(filename)} stands for more than {MAX_TAGS} tags")
            name, version, _, _ = parse_wheel_filename(filename)
            return ParsedFilename(normalize_name(name), version, FileKind.WHEEL)
        old = next((suffix for suffix in OLD_SDISTS if filename.endswith(suffix)), None)
        name, version = parse_sdist_filename(filename if old is None else f"{filename.removesuffix(old)}.tar.gz")
        return ParsedFilename(normalize_name(name), version, FileKind.SDIST)
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion, InvalidName) as e:
        raise UnknownFilename(str(e)) from e


def _count_tags(filename: str) -> int:
    """Return how many tags the last three parts of a wheel's name expand to."""
    return prod(part.count(".") + 1 for part in filename.removesuffix(".whl").split("-")[-3:])
