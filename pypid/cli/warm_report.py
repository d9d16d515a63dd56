"""What came of a warm-up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pypid.cli.index_reader import Got


class Failure(NamedTuple):
    """Something that is not there now."""

    what: str
    why: str


@dataclass(slots=True)
class Report:
    """What is there now, and what is not."""

    files: list[Got] = field(default_factory=list)
    pages: int = 0
    failures: list[Failure] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """A line for each thing that no installer would ask this index for."""
    stopped: str | None = None
    """Why it ended early."""
    left: int = 0
    """Requests that were yet to be made when it did, as far as was known."""

    @property
    def complete(self) -> bool:
        return not self.failures and self.stopped is None

    def fail(self, what: str, why: str) -> None:
        """Remember a failure, once."""
        failure = Failure(what, why)
        if failure not in self.failures:
            self.failures.append(failure)

    def skip(self, line: str) -> None:
        if line not in self.skipped:
            self.skipped.append(line)

    def summary(self) -> str:
        """Return one line about what is there."""
        there = f"{_count(len(self.files), 'file')} of {_count(self.pages, 'project')}"
        if any(got.already_there is None for got in self.files):
            return f"{there}: all there now ({show_size(sum(got.read for got in self.files))} read)"
        new = [got.read for got in self.files if not got.already_there]
        return f"{there}: {len(new)} fetched ({show_size(sum(new))}), {len(self.files) - len(new)} already there"

    def troubles(self) -> Iterator[str]:
        """Return the lines about what is not."""
        yield from (f"skipped: {line}" for line in self.skipped)
        yield from (f"failed: {failure.what}: {failure.why}" for failure in self.failures)
        if self.stopped is not None:
            yield f"stopped with at least {_count(self.left, 'request')} to go: {self.stopped}; run it again to go on"

    def to_json(self) -> str:
        """Return everything, for scripts."""
        files = [
            {"filename": got.file.filename, "sha256": got.file.sha256, "read": got.read, "already": got.already_there}
            for got in self.files
        ]
        document = {
            "complete": self.complete,
            "stopped": self.stopped,
            "projects": self.pages,
            "files": files,
            "failures": [failure._asdict() for failure in self.failures],
            "skipped": self.skipped,
        }
        return json.dumps(document, indent=2)


def show_size(size: int) -> str:
    """Return a number of bytes in words."""
    value = float(size)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{size} bytes" if unit == "bytes" else f"{value:.1f} {unit}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
