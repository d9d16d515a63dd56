"""Small files that are replaced together, and put back together if need be."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pypid.failpoints import Failpoint, reached
from pypid.storage.blobs import sync_directory


@dataclass(frozen=True, slots=True)
class _Replaced:
    path: Path
    old: Path | None
    """Another link to what was there before; None: there was nothing."""


class Replacing:
    """
    Replaces files so that each is whole at any moment, and durable when `write` returns.

    What is unfinished lies in ``workspace``, which is on the same file system
    and emptied at the start. Until `settle`, `take_back` puts back what was
    there, without needing room on the disk.
    """

    def __init__(self, root: Path, workspace: Path) -> None:
        self._root = root
        self._workspace = workspace
        self._durable: set[Path] = {root}  # directories whose names this process has synced
        self._replaced: list[_Replaced] = []

    def write(self, contents: Mapping[Path, bytes]) -> None:
        """Have each path hold its content. Raises `OSError`, after which `take_back` must be called."""
        directories: dict[Path, None] = {}
        for path, content in contents.items():
            self._make_directory(path.parent)
            self._replace(path, content)
            directories[path.parent] = None
        for directory in directories:
            sync_directory(directory)
            reached(Failpoint.SIDECAR_DIRECTORY_SYNCED)

    def settle(self) -> None:
        """Keep what was written."""
        for replaced in self._replaced:
            if replaced.old is not None:
                with suppress(OSError):  # it is in the workspace, which the next start empties
                    replaced.old.unlink()
        self._replaced.clear()

    def take_back(self) -> None:
        """Put everything back as it was before `write`. Raises the last `OSError`, having done what can be done."""
        replaced, self._replaced = self._replaced, []
        refused: OSError | None = None
        for each in replaced:
            try:
                _put_back(each)
            except OSError as e:
                refused = e
        for directory in {each.path.parent for each in replaced}:
            sync_directory(directory)
        if refused is not None:
            raise refused

    def _replace(self, path: Path, content: bytes) -> None:
        token = secrets.token_hex(16)
        unfinished, old = self._workspace / f"{token}.part", self._workspace / f"{token}.old"
        try:
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                reached(Failpoint.SIDECAR_WRITTEN)
                os.fsync(file.fileno())
            reached(Failpoint.SIDECAR_SYNCED)
            try:
                os.link(path, old)
            except FileNotFoundError:  # that the workspace is there has been seen
                self._replaced.append(_Replaced(path, None))
            else:
                self._replaced.append(_Replaced(path, old))
            unfinished.replace(path)
            reached(Failpoint.SIDECAR_RENAMED)
        finally:
            unfinished.unlink(missing_ok=True)

    def _make_directory(self, directory: Path) -> None:
        if directory in self._durable and directory.is_dir():
            return
        if directory != self._root:
            self._make_directory(directory.parent)
        directory.mkdir(mode=0o750, exist_ok=True)
        reached(Failpoint.SIDECAR_DIRECTORY_MADE)
        # Even if it was there: whoever made it may have ended before it was synced.
        sync_directory(directory.parent)
        self._durable.add(directory)


def _put_back(replaced: _Replaced) -> None:
    if replaced.old is None:
        replaced.path.unlink(missing_ok=True)
    else:
        replaced.old.replace(replaced.path)
        replaced.old.unlink(missing_ok=True)  # rename(2) does nothing when both are one file
