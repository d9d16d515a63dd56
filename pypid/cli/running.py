"""Finding the daemon that runs on a data directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunning(Exception):
    """A daemon holds the data directory."""


def running_pid(data: Path) -> int | None:
    """
    Return the process id of the daemon that holds ``<data>/lock``.

    None if there is none, or if this user may not know.
    """
    try:
        with (data / "lock").open("rb") as lock:
            pid = int(lock.read(32))
            # Asked first: trying the lock could for a moment stand in the way of a daemon that starts.
            if not _exists(pid):
                return None
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return pid
    except (OSError, ValueError):
        return None
    return None


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """
    Keep the data directory to ourselves, as the daemon does. Raises `AlreadyRunning`, `OSError`.

    Our process id is not written into the file: whoever reads it means to signal a daemon.
    """
    lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise AlreadyRunning(f"a pypid is using {data}") from e
        yield
    finally:
        os.close(lock)


def _exists(pid: int) -> bool:
    if pid <= 0:  # to kill(), these are groups of processes
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True
