"""What core metadata may say, at each level."""

from __future__ import annotations

from email.utils import parseaddr
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement

from pypid.domain.filenames import ParsedFilename
from pypid.domain.headline import MAX_SUMMARY
from pypid.domain.names import shorten
from pypid.domain.validation.contents import Contents
from pypid.domain.validation.findings import Findings, Weight
from pypid.domain.validation.metadata_fields import Fields

MAX_LABEL = 32
"""Characters of a project URL's label, as at PyPI."""

_RESOLVERS_NEED = frozenset({"requires_python", "requires_dist"})
_REPEATED_IN_VAIN = frozenset({"requires-python"})


def check_fields(fields: Fields, expected: ParsedFilename, findings: Findings) -> None:
    """Note what is wrong with the metadata of the file that ``expected`` is the name of."""
    name, version = fields.raw.get("name", ""), fields.raw.get("version", "")
    if not expected.is_of(name, version):
        findings.add(
            Weight.SAFETY,
            f"Invalid distribution file. Its metadata says it is {shorten(name)} {shorten(version)}, "
            f"its filename says {expected.project} {expected.version}.",
        )
    for field, problem in fields.problems.items():
        if field not in {"name", "version"}:
            findings.add(Weight.FORM if field in _RESOLVERS_NEED else Weight.ADVICE, f"{problem}.")
    for header in fields.unparsed:
        weight = Weight.FORM if header in _REPEATED_IN_VAIN else Weight.NOTE
        findings.add(weight, f"{shorten(header)} is no field of core metadata, or is there too often.")
    if fields.raw.get("license") and fields.raw.get("license_expression"):
        findings.add(
            Weight.ADVICE,
            "License is deprecated when License-Expression is present. Only License-Expression should be present.",
        )
    if expected.version.local:
        findings.add(Weight.POLICY, f"The use of local versions in {str(expected.version)!r} is not allowed.")
    if len(fields.raw.get("summary", "")) > MAX_SUMMARY:
        findings.add(Weight.POLICY, f"'summary' field must be {MAX_SUMMARY} characters or less.")
    _check_dependencies(fields, findings)
    _check_people(fields, findings)
    _check_links(fields, findings)


def check_licenses(fields: Fields, contents: Contents, filename: str, findings: Findings) -> None:
    """Note the licence files that are not where PEP 639 has them; before version 2.4 they could be anywhere."""
    if not _is_since_2_4(fields.raw.get("metadata_version", "")):
        return
    for path in fields.raw.get("license_files", []):
        target = contents.licenses + path
        if target not in contents.files:
            findings.add(
                Weight.FORM,
                f"License-File {shorten(path)[1:-1]} does not exist in distribution file {filename} "
                f"at {shorten(target, 300)[1:-1]}.",
            )


def _is_since_2_4(version: str) -> bool:
    major, _, minor = version.partition(".")
    return major == "2" and minor.isdecimal() and len(minor) < 4 and int(minor) >= 4


def _check_dependencies(fields: Fields, findings: Findings) -> None:
    for text in fields.raw.get("requires_dist", []):
        try:
            url = Requirement(text).url
        except InvalidRequirement:
            continue  # noted already
        if url is not None:
            findings.add(Weight.POLICY, f"Can't have direct dependency: {shorten(text)}.")
    for classifier in fields.raw.get("classifiers", []):
        if classifier.startswith("Private ::"):
            findings.add(Weight.POLICY, f"{shorten(classifier)} is not a valid classifier.")


def _check_people(fields: Fields, findings: Findings) -> None:
    for text in (fields.raw.get("author_email"), fields.raw.get("maintainer_email")):
        _, address = parseaddr((text or "")[:1000])
        _, at, host = address.rpartition("@")
        if address and not (at and "." in host):
            findings.add(Weight.POLICY, f"{shorten(address)} is not a valid email address.")


def _check_links(fields: Fields, findings: Findings) -> None:
    named = [url for url in (fields.raw.get("home_page"), fields.raw.get("download_url")) if url is not None]
    for label, url in fields.raw.get("project_urls", {}).items():
        if not label or len(label) > MAX_LABEL:
            findings.add(Weight.POLICY, f"{shorten(label)} must be {MAX_LABEL} characters or less, and one at least.")
        named.append(url)
    for url in named:
        if not _is_web_url(url):
            findings.add(Weight.POLICY, f"{shorten(url)} is not a valid url.")


def _is_web_url(text: str) -> bool:
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.netloc or url.path)
