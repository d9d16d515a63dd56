"""Core metadata for every wheel of a mirrored page, and none that was found to be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pypid.domain.files import DistributionFile, ProjectPage


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMetadata:
    """What was found in a wheel, and holds from then on instead of what upstream claims."""

    filename: str
    identity: str
    """Of the wheel. With the name: other bytes are another file."""
    claim: str | None
    """The sha256 that upstream claimed of the METADATA, without keeping it; None: it claimed none."""
    core_metadata: str | None
    """The sha256 of the METADATA that is in the wheel; None: there is none."""
    verified: bool
    """It was read from the wheel that has that identity, not from parts of what may be another."""

    @property
    def key(self) -> tuple[str, str]:
        return self.filename, self.identity


def with_core_metadata(page: ProjectPage, recorded: Iterable[FoundMetadata]) -> ProjectPage:
    """
    Return upstream's ``page`` with core metadata for every wheel that has any.

    A claim of upstream's stands until it was found to be wrong; a new one that
    it makes then is believed again.
    """
    known = {found.key: found for found in recorded}
    return _changed(page, [_offered(file, known.get((file.filename, file.identity))) for file in page.files])


def with_found(page: ProjectPage, found: FoundMetadata) -> ProjectPage:
    """Return ``page``, which is known to be wrong there, with what was ``found``."""
    changed = [
        replace(file, core_metadata=found.core_metadata) if (file.filename, file.identity) == found.key else file
        for file in page.files
    ]
    return _changed(page, changed)


def _offered(file: DistributionFile, found: FoundMetadata | None) -> DistributionFile:
    claim = file.core_metadata
    if found is not None and claim in {None, found.claim}:
        return replace(file, core_metadata=found.core_metadata)
    if claim is None and file.filename.endswith(".whl"):
        return replace(file, core_metadata="")
    return file


def _changed(page: ProjectPage, files: list[DistributionFile]) -> ProjectPage:
    said = [
        f"{new.filename} {new.core_metadata}"
        for old, new in zip(page.files, files, strict=True)
        if new.core_metadata != old.core_metadata
    ]
    return page.revised(tuple(files), said) if said else page
