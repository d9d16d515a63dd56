"""The htpasswd file on disk: read whole, replaced whole, by one editor at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NEW_FILE_MODE = 0o640
NEW_DIRECTORY_MODE = 0o750


class CannotEdit(Exception):
    """The file cannot be read or replaced; the message names it and says why."""


def read_htpasswd(path: Path) -> str:
    """Return the text, ``""`` if there is no file. Raises `CannotEdit` for one that cannot be read."""
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as e:
        line = e.object.count(b"\n", 0, e.start) + 1
        raise CannotEdit(f"{path}:{line}: not UTF-8 text") from e
    except OSError as e:
        raise CannotEdit(f"{path}: {e.strerror}") from e


def edit_htpasswd(path: Path, change: Callable[[str], str]) -> None:
    """
    Replace the text of the file by what ``change`` makes of it.

    Other editors wait meanwhile; a reader sees the old text or the new one,
    also after a crash. If ``change`` raises, nothing is changed. Raises `CannotEdit`.
    """
    # A link is followed, so that what it points to is replaced and not the link.
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=NEW_DIRECTORY_MODE)
        with _locked(path.with_name(f"{path.name}.lock")):
            old = read_htpasswd(path)
            new = change(old)
            if new != old:
                _replace(path, new.encode())
    except OSError as e:
        raise CannotEdit(f"{e.filename or path}: {e.strerror}") from e


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file; it stays, because one that is removed can be locked by two."""
    fd = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, NEW_FILE_MODE)
    try:
        if os.geteuid() == 0:
            _give_to(path.parent.stat(), fd)  # else the daemon's own user could never edit again
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _replace(path: Path, content: bytes) -> None:
    fd, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            _copy_access(path, fd)
            os.fsync(fd)
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _copy_access(path: Path, fd: int) -> None:
    """Give the new file the mode and owner of the old one, or those of a first file."""
    try:
        model = path.stat()
        mode = model.st_mode & 0o777
    except FileNotFoundError:
        # Made by root for a daemon that is not: the owner of the directory must be able to read it.
        model = path.parent.stat()
        mode = NEW_FILE_MODE
    if os.geteuid() == 0:
        _give_to(model, fd)
    os.fchmod(fd, mode)


def _give_to(model: os.stat_result, fd: int) -> None:
    os.fchown(fd, model.st_uid, model.st_gid)
