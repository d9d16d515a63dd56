"""What a change is about: a project, one of its releases, or one of its files."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from pypid.domain.names import NormalizedName


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A project as a whole, unless one of the others is given; never both."""

    project: NormalizedName
    version: Version | None = None
    filename: str | None = None

    def __str__(self) -> str:
        if self.filename is not None:
            return self.filename
        return self.project if self.version is None else f"{self.project} {self.version}"

    def covers(self, *, filename: str, version: Version) -> bool:
        """Return whether it is about this file of its project."""
        return self.filename in {None, filename} and self.version in {None, version}
