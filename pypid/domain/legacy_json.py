"""The JSON that PyPI had before the Simple API: a project or a release, with what its metadata says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from packaging.metadata import parse_email
from packaging.version import InvalidVersion, Version

from pypid.domain.errors import FileNotFound
from pypid.domain.filenames import FileKind, UnknownFilename, parse_filename
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import shorten
from pypid.domain.simple_page import encodable, relative_url

_INFO: dict[str, Any] = {
    "author": None,
    "author_email": None,
    "classifiers": [],
    "description": None,
    "description_content_type": None,
    "download_url": None,
    "dynamic": None,
    "home_page": None,
    "keywords": None,
    "license": None,
    "license_expression": None,
    "license_files": None,
    "maintainer": None,
    "maintainer_email": None,
    "project_urls": None,
    "provides_extra": None,
    "requires_dist": None,
    "requires_python": None,
    "summary": None,
}
"""What PyPI says where nothing is known, under the names that `packaging.metadata` has too."""

Releases = dict[Version, list[DistributionFile]]


def releases_of(page: ProjectPage) -> Releases:
    """Return the files by version, oldest first; versions without a file have an empty list."""
    found: Releases = {}
    for text in page.versions:
        try:
            found[Version(text)] = []
        except InvalidVersion:
            continue
    for file in page.files:
        try:
            found.setdefault(parse_filename(file.filename).version, []).append(file)
        except UnknownFilename:
            continue
    return dict(sorted(found.items()))


def choose_release(releases: Releases, wanted: str | None) -> Version | None:
    """
    Return the version ``wanted``; without one the latest, which is a final and not a yanked one where there is any.

    None where there is nothing to choose from. Raises `FileNotFound` for a version that is not there.
    """
    if wanted is None:
        return max(releases, key=lambda version: _rank(version, releases[version]), default=None)
    try:
        version = Version(wanted)
    except ValueError as e:  # InvalidVersion is one; so is what int() raises for more than 4300 digits
        raise FileNotFound(f"{shorten(wanted)} is no version") from e
    for each in releases:
        if each == version:
            return each  # as it is spelled here: 1.0 and 1 are equal
    raise FileNotFound(f"there is no release {version}")


def file_with_metadata(files: Sequence[DistributionFile]) -> DistributionFile | None:
    """Return the newest of ``files`` that has its METADATA beside it, here and not only at the upstream."""
    return next((file for file in reversed(files) if file.core_metadata and file.origin is None), None)


def render(
    page: ProjectPage, releases: Releases, version: Version | None, *, metadata: bytes, base: str, whole: bool
) -> bytes:
    """
    Return the body that says ``version``, and with ``whole`` all ``releases``.

    ``metadata``: of one of its files, empty where there is none. ``base``:
    absolute URL of the index, since readers expect absolute URLs.
    """
    files = [] if version is None else releases[version]
    body: dict[str, Any] = {
        "info": _info(page, version, files, metadata),
        "last_serial": -1,
        "urls": [_entry(page, file, base) for file in files],
        "vulnerabilities": [],
    }
    if whole:
        body["releases"] = {
            str(each): [_entry(page, file, base) for file in listed] for each, listed in releases.items()
        }
    return msgspec.json.encode(body)


def _rank(version: Version, files: Sequence[DistributionFile]) -> tuple[bool, bool, bool, Version]:
    return bool(files), _yanked(files) is None, not version.is_prerelease, version


def _yanked(files: Sequence[DistributionFile]) -> str | None:
    """Return why the release is yanked, which it is when all of its files are; None if it is not."""
    reasons = [file.yanked for file in files if file.yanked is not None]
    return max(reasons) if reasons and len(reasons) == len(files) else None


def _info(
    page: ProjectPage, version: Version | None, files: Sequence[DistributionFile], metadata: bytes
) -> dict[str, Any]:
    raw: dict[str, Any] = dict(parse_email(metadata)[0])
    known = {key: _safe(raw[key]) for key in _INFO if raw.get(key)}
    if "keywords" in known:
        known["keywords"] = ",".join(known["keywords"])
    if "requires_python" not in known:
        known["requires_python"] = next((file.requires_python for file in files if file.requires_python), None)
    reason = _yanked(files)
    return {
        **_INFO,
        **known,
        "name": _safe(raw.get("name")) or page.name,
        "version": "" if version is None else str(version),
        "yanked": reason is not None,
        "yanked_reason": _safe(reason) or None,
    }


def _safe(value: Any) -> Any:
    """Return ``value`` with each text in it made one that UTF-8 can say."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, list):
        return [_safe(each) for each in value]
    if isinstance(value, dict):
        return {encodable(key): _safe(each) for key, each in value.items()}
    return value


def _entry(page: ProjectPage, file: DistributionFile, base: str) -> dict[str, Any]:
    kind = parse_filename(file.filename).kind
    time = None if file.upload_time is None else file.upload_time.replace(tzinfo=None)
    return {
        "comment_text": None,
        "digests": {"sha256": file.sha256},
        "filename": file.filename,
        "has_sig": False,
        "packagetype": kind.value,
        "python_version": "source" if kind is FileKind.SDIST else file.filename.split("-")[-3],
        "requires_python": _safe(file.requires_python),
        "size": file.size,
        "upload_time": None if time is None else time.isoformat(timespec="seconds"),
        "upload_time_iso_8601": None if time is None else time.isoformat(timespec="microseconds") + "Z",
        "url": relative_url(page.name, file, base),
        "yanked": file.yanked is not None,
        "yanked_reason": _safe(file.yanked) or None,
    }
