"""What is asked for: by a line of a list, or by a package of a lock file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from pypid.domain.names import NormalizedName, normalize_name
from pypid.domain.targets import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A project, in some of its versions."""

    project: NormalizedName
    asked_by: str
    """For people: ``requirements.txt:3``."""
    specifier: SpecifierSet = field(default_factory=SpecifierSet)
    marker: Marker | None = None
    extras: frozenset[str] = frozenset()
    sha256s: frozenset[str] = frozenset()
    """If there are any: of the only files that are good."""
    prereleases: bool = False
    """Take those also where there is a final version."""

    def holds(self, target: Target) -> bool:
        return target.holds(self.marker)

    def __str__(self) -> str:
        return f"{self.project}{self.specifier}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """One version of a project, and its files."""

    project: NormalizedName
    asked_by: str
    version: str
    files: Mapping[str, str | None]
    """By filename, the sha256 as far as the lock file has it."""
    markers: tuple[Marker, ...] = ()
    """It is for where any of them holds; without any, for everywhere."""
    extras: frozenset[str] = frozenset()
    """All that the lock file knows."""
    groups: frozenset[str] = frozenset()
    """All dependency groups that the lock file knows."""

    def holds(self, target: Target) -> bool:
        holding = (target.holds(marker, extras=self.extras, groups=self.groups) for marker in self.markers)
        return not self.markers or any(holding)

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


def want(requirement: Requirement, asked_by: str) -> Wanted:
    """Return what ``requirement``, which has no URL, asks for. Raises `InvalidName`."""
    return Wanted(
        project=normalize_name(requirement.name),
        asked_by=asked_by,
        specifier=requirement.specifier,
        marker=requirement.marker,
        extras=frozenset(normalize_name(extra) for extra in requirement.extras),
    )
