"""When a file that somebody copies into a directory is taken for whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

OLD = 60.0
"""Seconds without a change after which a file counts as whole at first sight: few copies pause for so long."""

TICK = 2.0
"""
Seconds between two looks that find the same.

The coarsest clock of a file system in use (FAT's): two changes within it may leave the same times.
"""


class FileState(NamedTuple):
    """
    What the file system says of a file: while it stays the same, so do the bytes.

    Not the device, whose number may be another one after each boot.
    """

    inode: int
    size: int
    """Bytes."""
    mtime_ns: int
    ctime_ns: int
    """Any change moves it, and unlike `mtime_ns` nobody can set it: scp and rsync move that one back."""

    def same_content(self, other: FileState) -> bool:
        """Say whether no more than the file's owner, rights or links seem to have changed."""
        return self[:3] == other[:3]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file as it was seen, and how long it has been so."""

    state: FileState
    since: float
    """When it was first seen in this state."""

    def is_settled(self, now: float) -> bool:
        """
        Say whether nobody seems to be writing the file any more.

        Either it is old by the clock of its file system, or it was the same
        some time ago by ours: the two may differ, and ours may be set.
        """
        return now - self.state.ctime_ns / 1e9 >= OLD or abs(now - self.since) >= TICK


def seen(state: FileState, before: Sighting | None, now: float) -> Sighting:
    """Return the sighting of a file that is in ``state`` at ``now``, both in seconds since 1970."""
    return before if before is not None and before.state == state else Sighting(state, now)
