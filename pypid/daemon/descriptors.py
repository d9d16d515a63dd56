"""How many files and connections the process may have open."""

from __future__ import annotations

import resource

MOST = 2**16
"""Descriptors to ask for: for 30,000 connections. A hard limit may be a billion, and each costs the kernel memory."""

KEPT_BACK = 128
"""For the databases, listening ports, threads, upstream's connections and archives that are looked into."""

EACH = 2
"""A connection, and the file that is sent or received over it."""


def raise_limit() -> int:
    """Allow the process as many descriptors as it may have, up to `MOST`, and return how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted_limit(soft, hard)
    if wanted != soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def wanted_limit(soft: int, hard: int) -> int:
    """Return what the soft limit should be: never less than it is."""
    if soft == resource.RLIM_INFINITY:
        return soft
    most = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
    return max(soft, most)


def connections_for(descriptors: int) -> int:
    """Return how many clients there may be at a time so that none of them finds a file or a database closed to it."""
    if descriptors == resource.RLIM_INFINITY:
        descriptors = MOST
    return max(descriptors - KEPT_BACK, KEPT_BACK) // EACH
