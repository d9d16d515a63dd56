"""What is known of the releases of an index and of what was done to them, for those who look after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from packaging.version import Version

from pypid.domain.audit import Event
from pypid.domain.download_days import DownloadDays
from pypid.domain.errors import ProjectNotFound
from pypid.domain.files import Status
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.overlay import Rule, status_of
from pypid.domain.reports import (
    AuditReport,
    FileReport,
    ProjectReport,
    ReleaseReport,
    RuleReport,
    TombstoneReport,
)
from pypid.indexes.download_counts import DownloadCounts
from pypid.offload import Offload
from pypid.storage.audit import AuditLog
from pypid.storage.audit_pages import events_after, newest_events
from pypid.storage.database import Database
from pypid.storage.hosted_file import HostedFile
from pypid.storage.hosted_project import HostedProject, read_project
from pypid.storage.overlays import Overlays


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Reads; it changes nothing."""

    hosted: Database
    overlays: Overlays
    counts: DownloadCounts
    audit: AuditLog
    offload: Offload

    async def hosted_project(self, index: IndexName, project: NormalizedName) -> ProjectReport:
        """Return all that was uploaded of the project, and what is deleted of it. Raises `ProjectNotFound`."""
        found = await self.hosted.read(lambda connection: read_project(connection, index, project))
        if found is None:
            raise ProjectNotFound(f"{index} has no project {project} of its own")
        return _hosted(index, project, found, await self.counts.of_project(index, project))

    async def overlaid_project(self, index: IndexName, project: NormalizedName) -> ProjectReport:
        """Return what is laid over the project, which may be nothing; upstream is not asked for more."""
        rules = await self.overlays.of(index, project)
        status = status_of(rules)
        return ProjectReport(
            index=index,
            project=project,
            status=None if status is None else status.status.value,
            status_reason=None if status is None else status.reason,
            serial=None,
            changed_at=None,
            releases=(),
            tombstones=(),
            rules=tuple(map(_rule, rules)),
        )

    async def events_after(self, serial: int, limit: int) -> AuditReport:
        """Return about ``limit`` events of later changes than ``serial``: the last change is there as a whole."""
        return _events(await self.offload(events_after, self.audit, serial, limit))

    async def newest_events(self, limit: int) -> AuditReport:
        """Return the last ``limit`` events."""
        return _events(await self.offload(newest_events, self.audit, limit))


def _hosted(
    index: IndexName, project: NormalizedName, found: HostedProject, downloads: Mapping[str, DownloadDays]
) -> ProjectReport:
    status = found.status
    return ProjectReport(
        index=index,
        project=project,
        status=Status.ACTIVE.value if status is None else status.status.value,
        status_reason=None if status is None else status.reason,
        serial=found.serial,
        changed_at=found.changed_at,
        releases=tuple(_releases(found.files, downloads)),
        tombstones=tuple(
            TombstoneReport(
                filename=each.filename,
                sha256=each.sha256,
                deleted_at=each.deleted_at,
                deleted_by=each.deleted_by,
                serial=each.serial,
            )
            for each in found.tombstones
        ),
        rules=(),
    )


def _releases(files: Iterable[HostedFile], downloads: Mapping[str, DownloadDays]) -> Iterator[ReleaseReport]:
    by_version = sorted(files, key=lambda file: Version(file.version))  # which keeps the order of the files
    for version, group in groupby(by_version, key=lambda file: file.version):
        reported = tuple(_file(file, downloads) for file in group)
        yield ReleaseReport(
            version=version,
            yanked=all(file.yanked is not None for file in reported),
            downloads=sum(file.downloads for file in reported),
            files=reported,
        )


def _file(file: HostedFile, downloads: Mapping[str, DownloadDays]) -> FileReport:
    days = downloads.get(file.filename)
    return FileReport(
        filename=file.filename,
        version=file.version,
        size=file.size,
        digests={"blake2b_256": file.blake2_256, "md5": file.md5, "sha256": file.sha256},
        requires_python=file.requires_python,
        yanked=file.yanked,
        uploaded_at=file.uploaded_at,
        uploaded_by=file.uploaded_by,
        changed_at=file.changed_at,
        serial=file.serial,
        downloads=0 if days is None else days.total,
    )


def _rule(rule: Rule) -> RuleReport:
    subject = rule.subject
    return RuleReport(
        kind=rule.kind.value,
        version=None if subject.version is None else str(subject.version),
        filename=subject.filename,
        status=None if rule.status is None else rule.status.value,
        reason=rule.reason,
        serial=rule.serial,
    )


def _events(events: list[Event]) -> AuditReport:
    return AuditReport(events=tuple(events), last_serial=events[-1].serial if events else None)
