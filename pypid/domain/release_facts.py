"""What is known of a release beyond what its project page says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from packaging.version import Version

from pypid.domain.cache_status import HIT, CacheStatus

FileKey = tuple[str, str]
"""A file's name and sha256."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherDigests:
    """What is known of a file beside its sha256, in lower-case hex."""

    md5: str | None = None
    blake2b_256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """Of one release; the digests may be of all files of its project."""

    version: Version | None = None
    """The release, where it is another one than was asked for: what upstream takes for the latest."""
    metadata: bytes = b""
    """The METADATA of one of its files, where there is one."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """What upstream says under ``info``."""
    digests: Mapping[FileKey, OtherDigests] = field(default_factory=dict)
    vulnerabilities: Sequence[Mapping[str, Any]] = ()
    cache_status: CacheStatus = HIT
