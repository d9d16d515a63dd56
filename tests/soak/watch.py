"""What the daemon takes of the machine while a soak goes on."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kit.daemon import Daemon

MIB = 2**20
MORE_MEMORY = 1.15
"""The last third's memory, in parts of the first's."""
MORE_FDS = 15
"""Descriptors that the last third may have more: there are as many as clients and transfers happen to be."""


@dataclass(frozen=True, slots=True)
class Sample:
    rss: int
    fds: int
    threads: int


def sample(daemon: Daemon) -> Sample:
    return Sample(daemon.rss(), daemon.fds(), daemon.threads())


def growth(samples: list[Sample]) -> Iterator[str]:
    """Yield what grew from the first third to the last."""
    third = len(samples) // 3
    if third == 0:
        return
    first, last = samples[:third], samples[-third:]
    rss = [statistics.median(each.rss for each in part) for part in (first, last)]
    fds = [statistics.median(each.fds for each in part) for part in (first, last)]
    if rss[1] > rss[0] * MORE_MEMORY:
        yield f"memory grew from {rss[0] / MIB:.0f} to {rss[1] / MIB:.0f} MiB"
    if fds[1] > fds[0] + MORE_FDS:
        yield f"open descriptors grew from {fds[0]:.0f} to {fds[1]:.0f}"
