"""What a wheel must be: its name, its archive, and the files that installers read."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from typing import BinaryIO

from packaging.utils import parse_wheel_filename

from pypid.domain.filenames import ParsedFilename
from pypid.domain.names import shorten
from pypid.domain.validation.contents import MAX_METADATA, Contents
from pypid.domain.validation.entry_points import entry_points_problem
from pypid.domain.validation.findings import Findings, NotAccepted, Weight
from pypid.domain.validation.gzip_stream import BOMB, is_bomb
from pypid.domain.validation.paths import check_paths
from pypid.domain.validation.platform_tags import is_public_platform
from pypid.domain.validation.record import record_differences
from pypid.domain.validation.tar_members import BLOCK, is_header
from pypid.domain.validation.zip_records import ZipEntry, read_entries

MAX_RECORD = 32 * 1024 * 1024
"""Bytes of RECORD: as many files as an archive may hold, with paths of 200 characters."""

MAX_SMALL = 1024 * 1024
"""Bytes of WHEEL and of entry_points.txt, which have a line for each tag or command."""

UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
)
"""What zipfile and its decompressors raise for a member that is damaged."""


def check_wheel_filename(filename: str, expected: ParsedFilename, findings: Findings) -> None:
    """Note where ``filename``, which parses, is not as installers and PyPI have it."""
    written, normalized = filename.partition("-")[0], expected.project.replace("-", "_")
    if written != normalized:
        findings.add(
            Weight.ADVICE,
            f"Filename {filename!r} should contain the normalized project name {normalized!r}, not {written!r}.",
        )
    *_, tags = parse_wheel_filename(filename)
    for platform in sorted({tag.platform for tag in tags}):
        if not is_public_platform(platform):
            findings.add(
                Weight.POLICY, f"Binary wheel {filename!r} has an unsupported platform tag {shorten(platform)}."
            )


def read_wheel(archive: BinaryIO, filename: str, expected: ParsedFilename, findings: Findings) -> Contents | None:
    """Return what is in the wheel, None if that cannot be known; what is wrong with it is noted."""
    try:
        entries = read_entries(archive)
        archive.seek(0)
        if is_header(archive.read(BLOCK)):
            raise NotAccepted("File is both a zip and a tar file")
        if is_bomb(archive.seek(0, 2), sum(entry.size for entry in entries)):
            raise NotAccepted(BOMB)
        _check_entries(entries, findings)
        with zipfile.ZipFile(archive) as wheel:
            if sorted(wheel.namelist()) != sorted(entry.name for entry in entries):
                raise NotAccepted("ZIP archive not accepted: Mis-matched local headers and central directory")
            return _read(wheel, filename, expected, findings)
    except NotAccepted as e:
        findings.add(Weight.SAFETY, f"Invalid distribution file. {e}.")
    except UNREADABLE as e:
        findings.add(Weight.SAFETY, f"Invalid distribution file. It cannot be read as a wheel: {shorten(str(e), 200)}.")
    return None


def _check_entries(entries: Sequence[ZipEntry], findings: Findings) -> None:
    check_paths((entry.name for entry in entries), findings)
    if any(entry.method not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for entry in entries):
        findings.add(Weight.FORM, "Invalid distribution file. File does not use a supported compression type.")
    if any(entry.has_descriptor for entry in entries):
        findings.add(
            Weight.ADVICE,
            "Invalid distribution file. ZIP archive not accepted: ZIP contains a data descriptor.",
        )


def _read(wheel: zipfile.ZipFile, filename: str, expected: ParsedFilename, findings: Findings) -> Contents | None:
    sizes = {entry.filename: entry.file_size for entry in wheel.infolist() if not entry.is_dir()}
    directory = _dist_info(sizes, filename, expected, findings)
    _read_wheel_file(wheel, directory, findings)
    _read_record(wheel, filename, directory, sizes, findings)
    _read_entry_points(wheel, filename, directory, findings)
    metadata = _member(wheel, f"{directory}/METADATA", MAX_METADATA)
    if metadata is None:
        findings.add(
            Weight.SAFETY,
            f"Wheel {filename!r} does not contain the required METADATA file: {directory}/METADATA.",
        )
        return None
    return Contents(metadata=metadata, files=sizes.keys(), licenses=f"{directory}/licenses/")


def _dist_info(sizes: dict[str, int], filename: str, expected: ParsedFilename, findings: Findings) -> str:
    """Return the directory of the wheel's metadata, which old build tools spell otherwise than the file's name."""
    name, version, _ = filename.split("-", 2)
    exact = f"{name}-{version}.dist-info"
    present = {path.partition("/")[0] for path in sizes if path.partition("/")[0].endswith(".dist-info")}
    own = {directory for directory in present if expected.is_of(*_split(directory))}
    if len(own) > 1:
        raise NotAccepted(f"It holds {len(own)} directories of metadata: {', '.join(map(shorten, sorted(own)[:3]))}")
    if present - own:
        findings.add(Weight.NOTE, f"It holds metadata of another project: {shorten(min(present - own))}.")
    if own and exact not in own:
        findings.add(Weight.ADVICE, f"The directory {shorten(min(own))} should be {exact!r}.")
    return own.pop() if own else exact


def _split(directory: str) -> tuple[str, str]:
    project, _, version = directory.removesuffix(".dist-info").partition("-")
    return project, version


def _read_wheel_file(wheel: zipfile.ZipFile, directory: str, findings: Findings) -> None:
    content = _member(wheel, f"{directory}/WHEEL", MAX_SMALL)
    if content is None:
        findings.add(Weight.FORM, f"Invalid distribution file. WHEEL not found at {directory}/WHEEL.")
    elif not any(line.startswith(b"Wheel-Version: 1.") for line in content.splitlines()):
        findings.add(Weight.NOTE, "WHEEL does not say that it is of version 1, the only one that installers know.")


def _read_record(
    wheel: zipfile.ZipFile, filename: str, directory: str, sizes: dict[str, int], findings: Findings
) -> None:
    content = _member(wheel, f"{directory}/RECORD", MAX_RECORD)
    if content is None:
        findings.add(Weight.FORM, f"Wheel {filename!r} does not contain the required RECORD file: {directory}/RECORD.")
        return
    for difference in record_differences(content, sizes, directory):
        findings.add(Weight.ADVICE, difference)


def _read_entry_points(wheel: zipfile.ZipFile, filename: str, directory: str, findings: Findings) -> None:
    content = _member(wheel, f"{directory}/entry_points.txt", MAX_SMALL)
    problem = None if content is None else entry_points_problem(content)
    if problem is not None:
        findings.add(
            Weight.FORM,
            f"Wheel {filename!r} has invalid entry points defined in the entry_points.txt file: {problem}.",
        )


def _member(wheel: zipfile.ZipFile, path: str, limit: int) -> bytes | None:
    """Return the content of a member, None if there is none; raises `NotAccepted` for more than ``limit`` bytes."""
    try:
        entry = wheel.getinfo(path)
    except KeyError:
        return None
    with wheel.open(entry) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise NotAccepted(f"{path} is longer than {limit} bytes")
    return content
