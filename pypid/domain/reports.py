"""What those who look after indexes are told, field by field as JSON has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from pypid.domain.audit import Event
from pypid.domain.download_days import DownloadDays, by_release, united
from pypid.domain.names import IndexName, NormalizedName


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, or a part of one. Times are ISO 8601 in UTC."""


class IndexReport(Report, frozen=True, kw_only=True):
    """An index."""

    name: IndexName
    takes_uploads: bool


class RootReport(Report, frozen=True, kw_only=True):
    """What there is."""

    pypid: str
    """Its version."""
    openapi: str
    """Path of the document that describes the API."""
    default_index: IndexName | None
    """None where it is a secret to who asks."""
    indexes: tuple[IndexReport, ...]


class FileReport(Report, frozen=True, kw_only=True):
    """A file that was uploaded."""

    filename: str
    version: str
    size: int
    """Bytes."""
    digests: Mapping[str, str]
    """In hex, by the names that the legacy JSON has for them."""
    requires_python: str | None
    yanked: str | None
    """The reason, which may be ``""``; None: it is not."""
    uploaded_at: str
    uploaded_by: str
    changed_at: str
    serial: int
    """Of the file's last change."""
    downloads: int


class ReleaseReport(Report, frozen=True, kw_only=True):
    """A release, with its files: the oldest first."""

    version: str
    yanked: bool
    """All of its files are."""
    downloads: int
    files: tuple[FileReport, ...]


class TombstoneReport(Report, frozen=True, kw_only=True):
    """A filename that was published and is deleted."""

    filename: str
    sha256: str
    deleted_at: str
    deleted_by: str
    serial: int


class RuleReport(Report, frozen=True, kw_only=True):
    """What is laid over a project of an index that takes no uploads, or over one of its releases or files."""

    kind: str
    version: str | None
    filename: str | None
    status: str | None
    reason: str
    serial: int


class ProjectReport(Report, frozen=True, kw_only=True):
    """A project of a hosted index, or one of another index that something is laid over."""

    index: IndexName
    project: NormalizedName
    status: str | None
    """None: the index has no other than its upstream says."""
    status_reason: str | None
    serial: int | None
    """Of the project's last change, where it is hosted."""
    changed_at: str | None
    releases: tuple[ReleaseReport, ...]
    """The oldest version first."""
    tombstones: tuple[TombstoneReport, ...]
    rules: tuple[RuleReport, ...]


class ChangeReport(Report, frozen=True, kw_only=True):
    """What has become of a request to change something."""

    changed: bool
    """False: it was so before."""
    files: tuple[str, ...] = ()
    """The names of the hosted files that changed."""


class AuditReport(Report, frozen=True, kw_only=True):
    """Some events of the audit log, the oldest first."""

    events: tuple[Event, ...]
    last_serial: int | None
    """What to ask for the events ``after``; None: there are none here."""


class DownloadsReport(Report, frozen=True, kw_only=True):
    """How often something was downloaded."""

    total: int
    earlier: int
    """On days that are no longer kept one by one."""
    last_day: date | None
    days: Mapping[str, int]
    """By ISO date; days without any are left out."""


class ProjectDownloadsReport(Report, frozen=True, kw_only=True):
    """How often a project was downloaded from one index."""

    index: IndexName
    project: NormalizedName
    total: int
    releases: Mapping[str, DownloadsReport]
    files: Mapping[str, DownloadsReport]


class GoingReport(Report, frozen=True, kw_only=True):
    """A release that goes, or is gone, by the rules of its index."""

    project: NormalizedName
    version: str
    files: tuple[str, ...]
    reason: str


class RetentionReport(Report, frozen=True, kw_only=True):
    """The releases of an index that go, or are gone, by its rules."""

    index: IndexName
    releases: tuple[GoingReport, ...]


def downloads_of(
    index: IndexName, project: NormalizedName, files: Mapping[str, DownloadDays]
) -> ProjectDownloadsReport:
    """Return the downloads of a project, whose ``files`` come by name."""
    return ProjectDownloadsReport(
        index=index,
        project=project,
        total=united(list(files.values())).total if files else 0,
        releases={str(version): _downloads(days) for version, days in by_release(files).items()},
        files={filename: _downloads(days) for filename, days in files.items()},
    )


def _downloads(days: DownloadDays) -> DownloadsReport:
    return DownloadsReport(
        total=days.total,
        earlier=days.earlier,
        last_day=days.last_day,
        days={day.isoformat(): count for day, count in days.days.items()},
    )
