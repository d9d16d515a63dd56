"""One file that was uploaded, as hosted.db and its sidecar have it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime

from pypid.domain.files import DistributionFile, TimeSource
from pypid.domain.names import IndexName, NormalizedName


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedFile:
    """One row of what was uploaded. Times are ISO 8601 in UTC, to the microsecond."""

    index_name: IndexName
    filename: str
    project: NormalizedName
    version: str
    """As PEP 440 normalizes it."""
    filetype: str
    size: int
    sha256: str
    blake2_256: str
    md5: str
    requires_python: str | None
    summary: str | None
    """One line."""
    core_metadata: str | None
    """The sha256 of a wheel's METADATA, which is a blob."""
    signature: str | None = None
    """The sha256 of its detached signature, which is a blob."""
    provenance: str | None = None
    """The sha256 of its provenance (PEP 740), which is a blob."""
    yanked: str | None = None
    uploaded_at: str
    uploaded_by: str
    serial: int = 0
    """Of the last change of this file; 0 until it is published."""
    changed_at: str = ""
    """When that was."""

    @property
    def blobs(self) -> tuple[str, ...]:
        """The sha256 of all that is kept for it."""
        named = (self.sha256, self.core_metadata, self.signature, self.provenance)
        return tuple(sha256 for sha256 in named if sha256 is not None)

    def described(self) -> DistributionFile:
        return DistributionFile(
            filename=self.filename,
            sha256=self.sha256,
            size=self.size,
            upload_time=datetime.fromisoformat(self.uploaded_at).astimezone(UTC),
            upload_time_source=TimeSource.HOSTED,
            requires_python=self.requires_python,
            yanked=self.yanked,
            core_metadata=self.core_metadata,
            provenance=None if self.provenance is None else "",
        )


COLUMNS = tuple(field.name for field in fields(HostedFile))


def iso(seconds: float) -> str:
    """Return a time in seconds since 1970 as the records have it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
