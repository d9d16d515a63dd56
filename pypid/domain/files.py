"""The one model of a project and its distribution files, whatever the source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum

from packaging.version import InvalidVersion, Version

from pypid.domain.cache_status import HIT, CacheStatus
from pypid.domain.digests import Digest
from pypid.domain.filenames import UnknownFilename, parse_filename
from pypid.domain.names import NormalizedName

DIGEST_PREFIX_LENGTH = 16
"""Hex digits of the identity in a file's URL: 64 bits, so that other bytes get another URL."""


class TimeSource(Enum):
    """Who says when a file was uploaded."""

    UPSTREAM = "upstream"
    HOSTED = "hosted"
    """It was uploaded to pypid itself."""
    FIRST_SEEN = "first-seen"
    """Nobody: it is when a page of upstream, which has no times, first listed the file."""


class Status(Enum):
    """The project statuses that there are (PEP 792)."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DEPRECATED = "deprecated"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """What the project's index says of the project as a whole."""

    status: Status
    reason: str | None = None
    """For people; never empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionFile:
    """One sdist or wheel, as an index page describes it."""

    filename: str
    sha256: str | None
    """64 lower-case hex digits; None where upstream does not say it and no bytes have come yet."""
    verified: bool = True
    """
    Its sha256 is what upstream says.

    Else it is that of the bytes which came first, if any did: they vouch for
    nothing but that it is the same file again.
    """
    other_digest: Digest | None = None
    """What upstream says in place of the sha256. Never shown to clients."""
    upstream: str = ""
    """Where the file is not `verified`: whose file of that name it is. Never shown to clients."""
    size: int | None = None
    """Bytes; None where an HTML-only upstream does not say."""
    upload_time: datetime | None = None
    """Aware, in UTC."""
    upload_time_source: TimeSource = TimeSource.UPSTREAM
    """Means nothing where there is no time. Never shown to clients."""
    requires_python: str | None = None
    yanked: str | None = None
    """None: not yanked. ``""``: yanked without a reason (PEP 592)."""
    core_metadata: str | None = None
    """
    The sha256 of the file's METADATA (PEP 658), if it can be fetched beside it.

    ``""``: it can, its digest is known when somebody has.
    """
    provenance: str | None = None
    """
    Absolute https URL of the file's attestations (PEP 740).

    ``""``: they are beside the file, under a URL that depends on how the client reached us.
    """
    origin: str | None = None
    """Absolute URL at the upstream; None for a hosted file. Never shown to clients."""

    @property
    def identity(self) -> str:
        """
        64 hex digits, the same for as long as upstream says the same of the file.

        With the filename they tell it from other bytes: its sha256, or made of
        who upstream is and of the digest that it says instead, if any.
        """
        if self.verified and self.sha256 is not None:
            return self.sha256
        said = f"{self.upstream}\n{self.filename}\n{self.other_digest or ''}"
        return hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()

    @property
    def digest_prefix(self) -> str:
        return self.identity[:DIGEST_PREFIX_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectPage:
    """A project's files, in the order in which they are shown."""

    name: NormalizedName
    files: tuple[DistributionFile, ...]
    revision: str
    """Equal revisions of one (index, project) hold equal files: the key of what is rendered."""
    serial: int = 0
    """Of an uploaded project: grows with each change, and is greater than that of all that changed before."""
    max_age: int = 0
    """Seconds for which a client may use the page unasked; 0: it must revalidate each time."""
    versions: tuple[str, ...] = field(default=())
    """Every version that has a file, and those that upstream names without one; oldest first."""
    status: ProjectStatus | None = None
    """None: not said, which means active (PEP 792)."""
    attested: bool = False
    """Some of the files have attestations beside them."""
    cache_status: CacheStatus = HIT
    """How this answer came about."""

    def find(self, filename: str, digest_prefix: str) -> DistributionFile | None:
        """Return the file of that name whose identity begins so, if the page has it."""
        for file in self.files:
            if file.filename == filename and file.digest_prefix == digest_prefix:
                return file
        return None

    def revised(self, files: tuple[DistributionFile, ...], changes: Iterable[str]) -> ProjectPage:
        """Return the page with other ``files``, known by another revision; ``changes`` say all that is different."""
        digest = hashlib.sha256(self.revision.encode())
        for change in changes:
            digest.update(f"{change}\n".encode())
        return replace(self, files=files, revision=digest.hexdigest()[:32])


def other_bytes(before: ProjectPage, after: ProjectPage) -> tuple[str, ...]:
    """Return the filenames that ``after`` has with other bytes than ``before``, as far as digests tell."""
    known = {file.filename: file for file in before.files}
    return tuple(file.filename for file in after.files if _contradict(known.get(file.filename, file), file))


def _contradict(one: DistributionFile, other: DistributionFile) -> bool:
    if one.sha256 is not None and other.sha256 is not None:
        return one.sha256 != other.sha256
    first, second = one.other_digest, other.other_digest
    return first is not None and second is not None and first.algorithm == second.algorithm and first != second


def offered(files: tuple[DistributionFile, ...], status: ProjectStatus | None) -> tuple[DistributionFile, ...]:
    """Return the files that may be shown: none of a quarantined project, whatever its index lists (PEP 792)."""
    return () if status is not None and status.status is Status.QUARANTINED else files


def versions_of(files: tuple[DistributionFile, ...]) -> tuple[str, ...]:
    """Return the distinct versions of ``files``, oldest first; unparsable filenames have none."""
    found: set[Version] = set()
    for file in files:
        try:
            found.add(parse_filename(file.filename).version)
        except UnknownFilename:
            continue
    return tuple(str(version) for version in sorted(found))


def sort_versions(texts: frozenset[str]) -> tuple[str, ...]:
    """Return version ``texts`` oldest first; those that are no PEP 440 versions come before."""
    legacy: list[str] = []
    proper: list[tuple[Version, str]] = []
    for text in texts:
        try:
            proper.append((Version(text), text))
        except InvalidVersion:
            legacy.append(text)
    return (*sorted(legacy), *(text for _, text in sorted(proper)))
