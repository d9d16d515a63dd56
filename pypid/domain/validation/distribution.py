"""One distribution file: whether it may be published, and what it says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from pypid.domain.filenames import FileKind, ParsedFilename, UnknownFilename, parse_filename
from pypid.domain.headline import Headline, read_headline
from pypid.domain.validation.claims import NO_CLAIMS, Claims, check_claims
from pypid.domain.validation.contents import Contents
from pypid.domain.validation.field_rules import check_fields, check_licenses
from pypid.domain.validation.findings import Findings, Level, Weight
from pypid.domain.validation.metadata_fields import Fields
from pypid.domain.validation.sdist_rules import check_sdist_filename, read_sdist
from pypid.domain.validation.wheel_rules import check_wheel_filename, read_wheel


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May a file of this name be published at this level, when a form says this of it?"""

    filename: str
    level: Level
    claims: Claims = NO_CLAIMS


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer."""

    problems: tuple[str, ...] = ()
    """Why not: every reason, one line each. Empty: it may."""
    warnings: tuple[str, ...] = ()
    metadata: bytes | None = None
    """METADATA or PKG-INFO as it is, if the file may be published and has one."""
    headline: Headline = Headline()  # noqa: RUF009  # frozen


def inspect_distribution(archive: BinaryIO, question: Question) -> Verdict:
    """
    Read ``archive``, which can be sought in, and return what is to be said of it.

    Nothing is extracted, and whatever the bytes are, nothing is raised but
    `OSError` where they cannot be read. Memory is bounded; time grows as the
    length of the file, times `MAX_RATIO` for a source distribution, and with
    what is unpacked of a wheel, `MAX_COMPARED` at the most.
    """
    findings = Findings(question.level)
    metadata = _inspect(archive, question, findings)
    if findings.problems or metadata is None:
        return Verdict(problems=findings.problems, warnings=findings.warnings)
    return Verdict(warnings=findings.warnings, metadata=metadata, headline=read_headline(metadata))


def _inspect(archive: BinaryIO, question: Question, findings: Findings) -> bytes | None:
    try:
        expected = parse_filename(question.filename)
    except UnknownFilename as e:
        findings.add(Weight.SAFETY, f"{e}.")
        return None
    contents = _read(archive, question.filename, expected, findings)
    if contents is None:
        return None
    try:
        fields = Fields(contents.metadata)
        check_fields(fields, expected, findings)
        check_licenses(fields, contents, question.filename, findings)
        check_claims(question.claims, fields, expected.kind, findings)
    except RecursionError:
        findings.add(Weight.SAFETY, "Invalid distribution file. Its metadata is nested too deeply.")
    return contents.metadata


def _read(archive: BinaryIO, filename: str, expected: ParsedFilename, findings: Findings) -> Contents | None:
    if expected.kind is FileKind.WHEEL:
        check_wheel_filename(filename, expected, findings)
        return read_wheel(archive, filename, expected, findings)
    check_sdist_filename(filename, expected, findings)
    return read_sdist(archive, filename, expected, findings)
