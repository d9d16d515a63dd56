"""Looking for distribution files in directories that others fill."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pypid.domain.loose_files import SUFFIXES
from pypid.domain.sightings import FileState

LOST_AND_FOUND = "lost+found"
"""What the root of an ext4 file system holds, readable by nobody else."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What is below some directories."""

    files: list[tuple[str, FileState]]
    """Absolute path and state; those of the first directory first, and those of each sorted."""
    empty: tuple[str, ...]
    """Which of the directories have no entry at all."""


def survey(roots: Sequence[str]) -> Tree:
    """
    Return the files below ``roots`` that are called as distribution files are.

    What begins with a dot is left out, such as the files that rsync is still
    writing. Links are not followed: who may write here could make anything
    public that pypid can read. Those to files are among what is returned, and
    cannot be read: their names are meant to be ours. Raises `OSError` where a directory cannot be
    read, since nobody can say then which projects there are.
    """
    files: list[tuple[str, FileState]] = []
    empty: list[str] = []
    for root in roots:
        entries = _entries(root)
        if not entries:
            empty.append(root)
        files += sorted(_below(entries))
    return Tree(files, tuple(empty))


def state_of(status: os.stat_result) -> FileState:
    return FileState(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _below(entries: list[os.DirEntry[str]]) -> Iterator[tuple[str, FileState]]:
    waiting = [entry for entry in entries if entry.name != LOST_AND_FOUND]
    while waiting:
        entry = waiting.pop()
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                waiting += _entries(entry.path)
            elif entry.name.endswith(SUFFIXES):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                    yield entry.path, state_of(status)
        except FileNotFoundError:
            continue  # removed, or renamed, in the meantime


def _entries(directory: str) -> list[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        return list(entries)
