"""Where the control socket is: in the data directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "control.sock"

LONGEST = 107
"""Bytes of the path of a socket: `sun_path` has 108, with a NUL in the end (unix(7))."""


@contextmanager
def address_of(data: Path) -> Iterator[str]:
    """
    Yield the path by which the socket in ``data`` can be bound and reached inside the block, however long its own is.

    Raises `OSError`.
    """
    path = str(data / NAME)
    if len(os.fsencode(path)) <= LONGEST:
        yield path
        return
    directory = os.open(data, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{NAME}"
    finally:
        os.close(directory)
