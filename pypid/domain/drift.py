"""What an upstream should not change about what it has published, and did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from packaging.version import Version

from pypid.domain.filenames import parse_filename
from pypid.domain.files import DistributionFile, ProjectPage, TimeSource, other_bytes

RELEASE_IS_CLOSED = timedelta(days=14)
"""After its first file. PyPI takes no more files for such a release: whoever adds one may have stolen a password."""


class DriftKind(Enum):
    OTHER_BYTES = "other-bytes"
    """A known filename has another digest."""
    UPLOAD_TIME = "upload-time"
    """A known file is said to have been uploaded at another time."""
    LATE_FILE = "late-file"
    """A release got a file long after its first one."""
    UNYANKED = "unyanked"
    """A file that was yanked is offered again."""
    GONE = "gone"
    """The project was withdrawn."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One such change."""

    kind: DriftKind
    filename: str | None = None
    """None where it is about the project."""
    now: str = ""
    """What upstream says now, if that can be said."""


def drifts(before: ProjectPage, said: ProjectPage) -> tuple[Drift, ...]:
    """
    Return what upstream, by its page as it is ``said`` now, has changed.

    ``before``: the page so far, as clients were told it.
    """
    known = {file.filename: file for file in before.files}
    found = [Drift(DriftKind.OTHER_BYTES, name) for name in other_bytes(before, said)]
    began = _beginnings(before)
    for file in said.files:
        old = known.get(file.filename)
        if old is None:
            if _is_late(file, began):
                found.append(Drift(DriftKind.LATE_FILE, file.filename, str(file.upload_time)))
        elif old.identity == file.identity:
            if _says_other_time(old, file):
                found.append(Drift(DriftKind.UPLOAD_TIME, file.filename, str(file.upload_time)))
            if old.yanked is not None and file.yanked is None:
                found.append(Drift(DriftKind.UNYANKED, file.filename))
    return tuple(found)


def _beginnings(page: ProjectPage) -> dict[Version, datetime]:
    """Return when the first file of each release was uploaded, as far as upstream says it."""
    began: dict[Version, datetime] = {}
    for file in page.files:
        if file.upload_time is not None and file.upload_time_source is TimeSource.UPSTREAM:
            version = parse_filename(file.filename).version
            began[version] = min(began.get(version, file.upload_time), file.upload_time)
    return began


def _is_late(file: DistributionFile, began: dict[Version, datetime]) -> bool:
    beginning = began.get(parse_filename(file.filename).version)
    return beginning is not None and file.upload_time is not None and file.upload_time - beginning > RELEASE_IS_CLOSED


def _says_other_time(old: DistributionFile, file: DistributionFile) -> bool:
    return (
        file.upload_time is not None
        and old.upload_time_source is TimeSource.UPSTREAM
        and old.upload_time != file.upload_time
    )
