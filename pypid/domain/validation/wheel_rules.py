"""What a wheel must be: its name, its archive, and the files that installers read."""

from __future__ import annotations

from typing import BinaryIO

from packaging.utils import parse_wheel_filename

from pypid.domain.filenames import ParsedFilename
from pypid.domain.names import shorten
from pypid.domain.validation.contents import MAX_METADATA, Contents
from pypid.domain.validation.entry_points import entry_points_problem
from pypid.domain.validation.findings import Findings, NotAccepted, Weight
from pypid.domain.validation.paths import check_paths
from pypid.domain.validation.platform_tags import is_public_platform
from pypid.domain.validation.record import InvalidRecord, Record, list_differences, read_record
from pypid.domain.validation.record_digests import check_contents
from pypid.domain.validation.tar_members import BLOCK, is_header
from pypid.domain.validation.zip_contents import ZipContents, open_zip

MAX_RECORD = 32 * 1024 * 1024
"""Bytes of RECORD: as many files as an archive may hold, with paths of 200 characters."""

MAX_SMALL = 1024 * 1024
"""Bytes of WHEEL and of entry_points.txt, which have a line for each tag or command."""


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
        wheel = open_zip(archive)
        archive.seek(0)
        if is_header(archive.read(BLOCK)):
            raise NotAccepted("File is both a zip and a tar file")
        _check_entries(wheel, findings)
        return _read(wheel, filename, expected, findings)
    except NotAccepted as e:
        findings.add(Weight.SAFETY, f"Invalid distribution file. {e}.")
    return None


def _check_entries(wheel: ZipContents, findings: Findings) -> None:
    check_paths((entry.name for entry in wheel.entries), findings)
    wheel.check_compression(findings)
    if any(entry.has_descriptor for entry in wheel.entries):
        findings.add(
            Weight.ADVICE,
            "Invalid distribution file. ZIP archive not accepted: ZIP contains a data descriptor.",
        )


def _read(wheel: ZipContents, filename: str, expected: ParsedFilename, findings: Findings) -> Contents | None:
    sizes = {path: entry.size for path, entry in wheel.files.items()}
    directory = _dist_info(sizes, filename, expected, findings)
    _read_wheel_file(wheel, directory, findings)
    record = _read_record(wheel, filename, directory, sizes, findings)
    check_contents(wheel, record, directory, findings)
    _read_entry_points(wheel, filename, directory, findings)
    metadata = wheel.content(f"{directory}/METADATA", MAX_METADATA)
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


def _read_wheel_file(wheel: ZipContents, directory: str, findings: Findings) -> None:
    content = wheel.content(f"{directory}/WHEEL", MAX_SMALL)
    if content is None:
        findings.add(Weight.FORM, f"Invalid distribution file. WHEEL not found at {directory}/WHEEL.")
    elif not any(line.startswith(b"Wheel-Version: 1.") for line in content.splitlines()):
        findings.add(Weight.NOTE, "WHEEL does not say that it is of version 1, the only one that installers know.")


def _read_record(
    wheel: ZipContents, filename: str, directory: str, sizes: dict[str, int], findings: Findings
) -> Record:
    content = wheel.content(f"{directory}/RECORD", MAX_RECORD)
    if content is None:
        findings.add(Weight.FORM, f"Wheel {filename!r} does not contain the required RECORD file: {directory}/RECORD.")
        return {}
    try:
        record = read_record(content)
    except InvalidRecord as e:
        findings.add(Weight.ADVICE, str(e))
        return {}
    for difference in list_differences(record, sizes, directory):
        findings.add(Weight.ADVICE, difference)
    return record


def _read_entry_points(wheel: ZipContents, filename: str, directory: str, findings: Findings) -> None:
    content = wheel.content(f"{directory}/entry_points.txt", MAX_SMALL)
    problem = None if content is None else entry_points_problem(content)
    if problem is not None:
        findings.add(
            Weight.FORM,
            f"Wheel {filename!r} has invalid entry points defined in the entry_points.txt file: {problem}.",
        )
