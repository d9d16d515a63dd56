"""What changed last in a project that was uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pypid.domain.names import NormalizedName


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The last upload to a project."""

    project: NormalizedName
    serial: int
    """As `ProjectPage` has it."""
    time: datetime
    """Aware, in UTC."""
