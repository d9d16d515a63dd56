"""Files that decide who may do what, and that anybody on the machine could change."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from pypid.config.load import BUILT_IN_SOURCE
from pypid.config.settings import Config


def writable_by_others(config: Config) -> Iterator[str]:
    """Yield a sentence for each file of ``config``, itself included, that others than owner and group can write."""
    if config.source != BUILT_IN_SOURCE:
        yield from problems_of_writers(Path(config.source))
    yield from problems_of_writers(config.users.htpasswd)
    if config.users.group_file is not None:
        yield from problems_of_writers(config.users.group_file)


def problems_of_writers(path: Path) -> Iterator[str]:
    """
    Yield a sentence if users of the machine other than owner and group can write ``path``, or replace it.

    A file that is not there has none; a sticky directory such as /tmp lets nobody replace what is others'.
    """
    try:
        if path.stat().st_mode & stat.S_IWOTH:
            yield f"{path} can be changed by every user of this machine: chmod o-w {path}"
        directory = path.parent.stat().st_mode
    except OSError:
        return
    if directory & stat.S_IWOTH and not directory & stat.S_ISVTX:
        yield f"{path} can be replaced by every user of this machine: chmod o-w {path.parent}"
