"""A project's files by release, and which release is meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.version import InvalidVersion, Version

from pypid.domain.errors import FileNotFound
from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.files import DistributionFile, ProjectPage
from pypid.domain.names import shorten

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
        return max(
            releases,
            key=lambda version: (
                bool(releases[version]),
                *_rank(version, yanked=reason_yanked(releases[version]) is not None),
            ),
            default=None,
        )
    try:
        version = Version(wanted)
    except ValueError as e:  # InvalidVersion is one; so is what int() raises for more than 4300 digits
        raise FileNotFound(f"{shorten(wanted)} is no version") from e
    for each in releases:
        if each == version:
            return each  # as it is spelled here: 1.0 and 1 are equal
    raise FileNotFound(f"there is no release {version}")


def reason_yanked(files: Sequence[DistributionFile]) -> str | None:
    """Return why the release is yanked, which it is when all of its files are; None if it is not."""
    reasons = [file.yanked for file in files if file.yanked is not None]
    return max(reasons) if reasons and len(reasons) == len(files) else None


def latest(releases: Mapping[Version, bool]) -> Version:
    """Return the latest of at least one release, each of which has files and is yanked or not."""
    return max(releases, key=lambda version: _rank(version, yanked=releases[version]))


def _rank(version: Version, *, yanked: bool) -> tuple[bool, bool, Version]:
    return not yanked, not version.is_prerelease, version
