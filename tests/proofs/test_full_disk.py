"""
A disk that is full, or nearly, when a file is uploaded (C06, C08, C10).

The less there is left, the earlier an upload is refused: as it comes, as it is moved, in its sidecar or in SQLite's
commit. Wherever that is, nothing is left of it, and what was there before is served.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.kit.daemon import Daemon, DaemonFactory
from tests.kit.disks import can_mount, small_disk
from tests.kit.dists import wheel
from tests.kit.ledger import Ledger, seen_by

KIB = 1024
MIB = 1024 * KIB
PAGE = 4 * KIB
"""What a tmpfs gives away at a time."""

SMALL_CHANGE = 160 * KIB
"""More than an upload of this module needs in all."""

Fill = Callable[[Path, int], None]


@pytest.fixture(autouse=True)
def mounting() -> None:
    if not can_mount():
        pytest.skip("no file system can be mounted here, not even in a namespace of its own")


def _started(daemon: DaemonFactory, tmp_path: Path, **options: str | int) -> tuple[Daemon, Ledger]:
    """Return a daemon on a small disk, which has something to serve already."""
    data = tmp_path / "daemon-0" / "data"
    data.mkdir(parents=True)
    ledger = Ledger(tmp_path)
    d = daemon(ledger.config, prefix=small_disk(data, **options))
    assert ledger.upload(d, wheel("demo", "0.1")) == 200
    return d, ledger


def _leave_bytes(directory: Path, left: int) -> None:
    """Fill the disk up to the last ``left`` bytes."""
    free = os.statvfs(directory)
    with (directory / "filler").open("wb") as filler:
        os.posix_fallocate(filler.fileno(), 0, free.f_bavail * free.f_frsize - left)


def _leave_inodes(directory: Path, left: int) -> None:
    for number in range(os.statvfs(directory).f_favail - left):
        (directory / f"filler-{number}").touch()


@contextmanager
def _filled(d: Daemon, fill: Fill, left: int) -> Iterator[None]:
    directory = seen_by(d)
    fill(directory, left)
    yield
    for filler in directory.glob("filler*"):
        filler.unlink()


@pytest.mark.parametrize(
    ("fill", "lefts", "options"),
    [
        pytest.param(_leave_bytes, range(0, SMALL_CHANGE, 2 * PAGE), {"size": "8m"}, id="bytes"),
        pytest.param(_leave_inodes, range(10), {"size": "8m", "nr_inodes": 120}, id="inodes"),
    ],
)
def test_refused_whatever_is_left(
    daemon: DaemonFactory, tmp_path: Path, fill: Fill, lefts: range, options: dict[str, str | int]
) -> None:
    """As soon as there is room again uploads succeed, without a restart."""
    d, ledger = _started(daemon, tmp_path, **options)
    numbers = count()
    statuses: dict[int, int | None] = {}
    for left in lefts:
        demo = wheel("demo", f"1.{next(numbers)}", size=16 * KIB)
        with _filled(d, fill, left):
            statuses[left] = ledger.upload(d, demo)
            ledger.check(d)
        assert ledger.upload(d, demo) == 200
        ledger.check(d)
    assert set(statuses.values()) == {200, 507}, statuses
    assert (statuses[lefts[0]], statuses[lefts[-1]]) == (507, 200), statuses
