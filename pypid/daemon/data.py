"""The data directory: ours alone while we run."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pypid.daemon.failure import StartFailed


class DataDirectory:
    """
    Everything that is kept, under one path.

    The lock is held by the open file, not by its presence: however the
    process ends, it is free again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def open(self) -> None:
        """Make the directory if it is not there, and lock it. Raises `StartFailed`."""
        try:
            self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as e:
            raise StartFailed(
                f"the data directory {self.path} cannot be used: {e.strerror}; "
                "give another with data = ... in [server], or PYPID_SERVER__DATA",
                os.EX_CANTCREAT,
            ) from e
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            holder = os.pread(self._lock, 20, 0).decode("ascii", "replace").strip()
            self.close()
            raise StartFailed(
                f"the data directory {self.path} is in use by another pypid (pid {holder or 'unknown'})", os.EX_TEMPFAIL
            ) from e
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
