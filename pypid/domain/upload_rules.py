"""What an index demands of uploads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pypid.domain.names import IndexName
from pypid.domain.validation.findings import Level


class Attesting(Enum):
    """What an index does with attestations (PEP 740). That they are about their file is always checked."""

    CHECK = "check"
    """Their signatures are verified where pypi-attestations is installed."""
    VERIFY = "verify"
    """Their signatures are verified."""
    REQUIRE = "require"
    """The same, and there must be some."""


class Shadowing(Enum):
    """What becomes of the first upload to a project that people here have from a mirror."""

    REFUSE = "refuse"
    WARN = "warn"
    """It is published, and the uploader is told."""
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRules:
    """The rules of one hosted index."""

    level: Level = Level.STANDARD
    attesting: Attesting = Attesting.CHECK
    signers: tuple[str, ...] = ()
    """Patterns of who may have signed attestations, which are verified then; none: anybody."""
    volatile: bool = False
    """Whether a file may be published in the place of another one of its name."""
    shadowing: Shadowing = Shadowing.REFUSE
    mirrors: tuple[IndexName, ...] = ()
    """Those below the index, whose projects it hides where it has one of the name."""
