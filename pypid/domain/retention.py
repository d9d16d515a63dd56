"""Which releases of a hosted project go, by the rules of its index."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import inf

from packaging.version import Version

from pypid.domain.releases import latest

DAY = 86400.0

SETTLED = 7 * DAY
"""
Seconds for which the clock must have gone on without a jump before an age counts.

A machine that starts with the wrong year is put right within that, by NTP or
by somebody to whom TLS and the log have told it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """The rules of one index, of which none drops anything by default. Durations are in seconds, infinity is never."""

    keep_releases: int | None = None
    """How many releases of a project stay; None: all."""
    drop_prereleases_after: float = inf
    """Since the last upload to the pre-release; development releases are some (PEP 440)."""
    drop_dev_after: float = inf
    """Since the last upload to the development release."""
    drop_unused_after: float = inf
    """Since the last upload to the release, or the last download of any of its files."""

    @property
    def asks_for_ages(self) -> bool:
        return min(self.drop_prereleases_after, self.drop_dev_after, self.drop_unused_after) < inf


KEEP_ALL = Retention()


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is known of one release. Times are seconds since 1970."""

    version: Version
    uploaded_at: float
    """When the last of its files was."""
    yanked: bool
    """All of its files are."""
    downloaded_at: float | None = None
    """When any of its files last was, or a little later; None: never, as far as anybody has counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A release that goes."""

    version: Version
    reason: str
    """For people: ``it is ...``."""


def plan_project(
    rules: Retention, releases: Collection[Release], *, now: float, counted_since: float | None
) -> list[Dropped]:
    """
    Return which of the ``releases``, all of one project, go: the oldest version first.

    Releases go whole, since half a release installs on some machines only.
    The one that installers take, and the newest final one, always stay: no
    project ends by a rule. ``counted_since``: for how long downloads have been
    counted, and the clock has not jumped, without a break; None: not at all.
    """
    staying = _staying(releases)
    least = _least_kept(rules.keep_releases, releases)
    going = []
    for release in sorted(releases, key=lambda release: release.version):
        if release.version in staying:
            continue
        if least is not None and release.version < least:
            reason = f"older than the last {rules.keep_releases}" if rules.keep_releases != 1 else "not the last one"
        else:
            reason = next(_reasons_of_age(rules, release, now, counted_since), "")
        if reason:
            going.append(Dropped(version=release.version, reason=reason))
    return going


def is_settled(now: float, counted_since: float | None) -> bool:
    """Return whether ages may be believed."""
    return counted_since is not None and now - counted_since >= SETTLED


def _staying(releases: Collection[Release]) -> set[Version]:
    """Return the versions that no rule drops."""
    finals = [release.version for release in releases if not release.version.is_prerelease]
    staying = {max(finals)} if finals else set()
    if releases:
        staying.add(latest({release.version: release.yanked for release in releases}))
    return staying


def _least_kept(count: int | None, releases: Collection[Release]) -> Version | None:
    """
    Return the oldest of the last ``count`` releases, if there are so many.

    Final ones are counted, or pre-releases where there is no other: a hundred
    nightly builds must not push out the final releases. Yanked ones are not
    counted; they go with what is as old.
    """
    if count is None:
        return None
    usable = [release.version for release in releases if not release.yanked]
    counted = [version for version in usable if not version.is_prerelease] or usable
    return sorted(counted)[-count] if len(counted) >= count else None


def _reasons_of_age(rules: Retention, release: Release, now: float, counted_since: float | None) -> Iterator[str]:
    """Yield why the release is too old."""
    if counted_since is None or not is_settled(now, counted_since):
        return
    age = now - release.uploaded_at
    if release.version.is_devrelease and age > rules.drop_dev_after:
        yield f"a development release, uploaded {_days(age)} ago"
    if release.version.is_prerelease and age > rules.drop_prereleases_after:
        yield f"a pre-release, uploaded {_days(age)} ago"
    # What was downloaded before anybody counted was perhaps downloaded just then.
    idle = min(age, now - counted_since, now - (release.downloaded_at or 0.0))
    if idle > rules.drop_unused_after:
        yield f"not downloaded for {_days(idle)}"


def _days(seconds: float) -> str:
    days = int(seconds // DAY)
    return "1 day" if days == 1 else f"{days} days"
