"""What is looked at in every distribution file, whichever kind it is."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

MAX_METADATA = 10 * 1024 * 1024
"""Bytes. The longest METADATA on PyPI, with its README inside, is well under a tenth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What was read of an archive."""

    metadata: bytes
    """METADATA or PKG-INFO, as it is."""
    files: AbstractSet[str]
    licenses: str
    """The directory that License-File is relative to, with a slash at its end."""
