"""Reading a file that others may change at any moment."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence

from pypid.domain.filenames import parse_filename
from pypid.domain.loose_files import LooseFile, examined
from pypid.domain.metadata import NoMetadata, read_metadata
from pypid.domain.sightings import FileState
from pypid.storage.descriptor import SharedDescriptor
from pypid.storage.loose_tree import state_of

STEP = 1024 * 1024
"""Bytes that are read before it is asked whether to go on."""

_OPEN = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


class FileChanged(Exception):
    """The file is not the one that was looked at, or is gone."""


class FileDamaged(FileChanged):
    """The file system says that it is the same file, and it has other bytes."""


class Interrupted(Exception):
    """Whoever wanted the file read does not any more."""


def read_file(
    roots: Sequence[str], path: str, state: FileState, *, stopped: Callable[[], bool] = lambda: False
) -> LooseFile:
    """
    Return what the file at ``path``, which is in ``state``, is.

    Raises `FileChanged`, `Interrupted` when ``stopped``, and `OSError` when it cannot be read.
    """
    with os.fdopen(open_below(roots, path), "rb") as file:
        if state_of(os.fstat(file.fileno())) != state:
            raise FileChanged(path)
        digest = hashlib.sha256()
        while part := file.read(STEP):
            digest.update(part)
            if stopped():
                raise Interrupted(path)
        read = examined(file, LooseFile(path=path, state=state, sha256=digest.hexdigest()))
        if state_of(os.fstat(file.fileno())) != state:
            raise FileChanged(path)
        return read


def read_core_metadata(roots: Sequence[str], file: LooseFile) -> bytes:
    """Return the METADATA in a wheel. Raises `FileChanged` if it is another one than it was, and `OSError`."""
    with os.fdopen(open_below(roots, file.path), "rb") as wheel:
        try:
            content = read_metadata(wheel, parse_filename(file.filename))
        except NoMetadata as e:
            raise FileChanged(file.path) from e
    if hashlib.sha256(content).hexdigest() != file.core_metadata:
        raise FileChanged(file.path)
    return content


def open_below(roots: Sequence[str], path: str) -> int:
    """
    Return a descriptor of the regular file at ``path``, which is below one of ``roots``.

    No link is followed but those on the way to the root, not even one that
    was put there a moment ago. Raises `FileChanged`, and `OSError`.
    """
    root = next(root for root in roots if path.startswith(f"{root.rstrip('/')}/"))
    *directories, name = path[len(root) :].strip("/").split("/")
    here = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for directory in directories:
            below = os.open(directory, _OPEN | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = below
        # Not to be kept waiting by a pipe that was put there.
        number = os.open(name, _OPEN | os.O_NONBLOCK, dir_fd=here)
    except FileNotFoundError as e:
        raise FileChanged(path) from e
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise FileChanged(path)
    return number


def open_file(roots: Sequence[str], file: LooseFile) -> CheckedFile:
    """Open ``file``, which must look as it did. Raises `FileChanged`, and `OSError`."""
    descriptor = open_below(roots, file.path)
    if not state_of(os.fstat(descriptor)).same_content(file.state):
        os.close(descriptor)
        raise FileChanged(file.path)
    return CheckedFile(descriptor, file)


def compare_file(roots: Sequence[str], file: LooseFile) -> None:
    """Read ``file`` to its end; `CheckedFile.read_part` may be called from then on. Raises as that does."""
    checked = open_file(roots, file)
    try:
        while checked.read_on(STEP):
            pass
        checked.check_state()
    finally:
        checked.close()


class CheckedFile:
    """
    An open file that gives no end but that of the right bytes.

    Its reads block, and come one after the other. All raise `FileChanged`,
    and `OSError` where the disk has none.
    """

    def __init__(self, descriptor: int, file: LooseFile) -> None:
        self._descriptor = SharedDescriptor(descriptor)
        self._file = file
        self._size = file.state.size
        self._digest = hashlib.sha256()
        self._passed = 0

    def is_next(self, offset: int) -> bool:
        """Say whether all that comes before ``offset`` was read by `read_on`."""
        return offset == self._passed

    def read_on(self, size: int) -> bytes:
        """
        Return the next up to ``size`` bytes, ``b""`` at the end.

        The last ones come only if all have the file's digest. What others
        append meanwhile is not read.
        """
        part = self._descriptor.pread(min(size, self._size - self._passed), self._passed)
        self._digest.update(part)
        self._passed += len(part)
        if self._passed == self._size:
            self._check(self._digest.hexdigest())
        elif not part:
            raise FileChanged(self._file.path)  # it was cut off
        return part

    def read_part(self, size: int, offset: int) -> bytes:
        """Return up to ``size`` bytes from ``offset`` of a file that was compared since it is in its state."""
        part = self._descriptor.pread(size, offset)
        # Asked afterwards: a file's times move before its bytes do.
        self.check_state()
        return part

    def check_state(self) -> None:
        if not self._is_as_it_was():
            raise FileChanged(self._file.path)

    def close(self) -> None:
        self._descriptor.close()

    def _check(self, sha256: str) -> None:
        if sha256 != self._file.sha256:
            raise (FileDamaged if self._is_as_it_was() else FileChanged)(self._file.path)

    def _is_as_it_was(self) -> bool:
        return state_of(self._descriptor.status()) == self._file.state
