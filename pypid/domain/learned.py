"""The sha256 of files whose upstream does not say it: that of the bytes which came first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pypid.domain.files import ProjectPage


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedDigest:
    """What a file was found to have when it was fetched, and has to have whenever it is fetched again."""

    filename: str
    identity: str
    sha256: str

    @property
    def key(self) -> tuple[str, str]:
        return self.filename, self.identity


def with_learned(page: ProjectPage, learned: Iterable[LearnedDigest]) -> ProjectPage:
    """Return ``page`` with the sha256 of every file of which it was ``learned``, upstream not saying it."""
    known = {each.key: each.sha256 for each in learned}
    changed = [
        file if file.verified else replace(file, sha256=known.get((file.filename, file.identity), file.sha256))
        for file in page.files
    ]
    said = [
        f"{new.filename} {new.sha256}" for old, new in zip(page.files, changed, strict=True) if new.sha256 != old.sha256
    ]
    return page.revised(tuple(changed), said) if said else page
