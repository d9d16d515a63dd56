"""What a distribution requires, by its core metadata."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.metadata import parse_email
from packaging.requirements import Requirement

from pypid.domain.targets import Target
from pypid.domain.wanted import Wanted, want


def dependencies(metadata: bytes, target: Target, *, extras: frozenset[str], asked_by: str) -> Iterator[Wanted]:
    """Return what is required on ``target`` with ``extras``, except what is not from an index or cannot be read."""
    raw, _ = parse_email(metadata)
    for text in raw.get("requires_dist", []):
        try:
            requirement = Requirement(text)
            if not requirement.url and target.holds(requirement.marker, extras=extras):
                yield want(requirement, asked_by)
        except (ValueError, RecursionError):  # what packaging raises for hostile text, besides what it documents
            continue
