"""
An upload time for every file of a mirrored page, which never moves once it was told.

Upstream's Last-Modified of a file comes too late to be one: with the file, after a page has told a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pypid.domain.files import DistributionFile, ProjectPage, TimeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTime:
    """When clients were told that a file was uploaded."""

    filename: str
    identity: str
    """With the name: other bytes are another file."""
    upload_time: datetime
    """Aware, in UTC."""
    source: TimeSource

    @property
    def key(self) -> tuple[str, str]:
        return self.filename, self.identity


def with_told_times(
    page: ProjectPage, *, recorded: Iterable[ToldTime], held: ProjectPage | None, now: datetime
) -> tuple[ProjectPage, tuple[ToldTime, ...]]:
    """
    Return upstream's ``page`` with an upload time for every file, and which times are to be recorded.

    What was ``recorded`` counts, then what the page says that is ``held`` so
    far, then upstream, then ``now``. Cool-downs need a time: without it pip
    installs nothing and uv ignores the file. One that moved would change what
    a lock of yesterday means.
    """
    kept = frozenset(recorded)
    known = {} if held is None else {time.key: time for time in map(_said_of, held.files) if time is not None}
    known.update((time.key, time) for time in kept)
    times = [known.get((file.filename, file.identity)) or _said_of(file) or _told(file, now) for file in page.files]
    changed = [time for file, time in zip(page.files, times, strict=True) if time.upload_time != file.upload_time]
    if not changed:
        return page, ()
    files = tuple(_timed(file, time) for file, time in zip(page.files, times, strict=True))
    new = tuple(time for time in changed if time not in kept)
    return page.revised(files, (f"{time.filename} {time.upload_time.isoformat()}" for time in changed)), new


def _said_of(file: DistributionFile) -> ToldTime | None:
    return None if file.upload_time is None else _told(file, file.upload_time, file.upload_time_source)


def _told(file: DistributionFile, time: datetime, source: TimeSource = TimeSource.FIRST_SEEN) -> ToldTime:
    return ToldTime(filename=file.filename, identity=file.identity, upload_time=time, source=source)


def _timed(file: DistributionFile, time: ToldTime) -> DistributionFile:
    if time.upload_time == file.upload_time:
        return file
    return replace(file, upload_time=time.upload_time, upload_time_source=time.source)
