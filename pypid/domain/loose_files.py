"""What is known of distribution files that lie in a directory, each under its own name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import BinaryIO

from pypid.domain.filenames import OLD_SDISTS
from pypid.domain.files import DistributionFile, TimeSource
from pypid.domain.headline import Headline
from pypid.domain.old_sdists import is_old, old_sdist_problem
from pypid.domain.sightings import FileState
from pypid.domain.validation.distribution import Question, inspect_distribution
from pypid.domain.validation.findings import Level

SUFFIXES = (".whl", ".tar.gz", ".zip", *OLD_SDISTS)
"""How the names end that may be those of distribution files; what is called otherwise is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseFile:
    """A file in a directory, as it was when it was read."""

    path: str
    """Absolute."""
    state: FileState
    sha256: str
    problem: str = ""
    """Why it is not offered, if it is not."""
    core_metadata: str | None = None
    """The sha256 of a wheel's METADATA."""
    headline: Headline = Headline()  # noqa: RUF009  # frozen

    @property
    def filename(self) -> str:
        return self.path.rpartition("/")[2]

    def described(self) -> DistributionFile:
        """Return the file as an index page has it: its time is when its bytes last changed."""
        return DistributionFile(
            filename=self.filename,
            sha256=self.sha256,
            size=self.state.size,
            upload_time=_time(self.state.mtime_ns),
            upload_time_source=TimeSource.HOSTED,
            requires_python=self.headline.requires_python,
            core_metadata=self.core_metadata,
        )


def _time(ns: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    except (ValueError, OverflowError, OSError):
        return None  # a file can be of the year 300,000,000


def examined(archive: BinaryIO, unread: LooseFile) -> LooseFile:
    """
    Return ``unread`` with what ``archive``, its bytes, says of it.

    Less is demanded than of an upload, since these files were published before:
    that the archive is whole and has one reading (`Level.LENIENT`). Time and
    memory are bounded as `inspect_distribution` bounds them.
    """
    filename = unread.filename
    if is_old(filename):
        return replace(unread, problem=old_sdist_problem(archive, filename))
    verdict = inspect_distribution(archive, Question(filename=filename, level=Level.LENIENT))
    if verdict.problems:
        return replace(unread, problem="; ".join(verdict.problems))
    beside = verdict.metadata if filename.endswith(".whl") else None
    return replace(
        unread,
        core_metadata=None if beside is None else hashlib.sha256(beside).hexdigest(),
        headline=verdict.headline,
    )
