"""
What must hold of a daemon after every test, whatever the test did to it.

    problems = problems_of(daemon)  # one line each; [] is what every test wants

It serves at once; descriptors and threads are back to about what they were after the start; the log has neither
a traceback nor a secret; nothing is left in staging. Each is given `GRACE` seconds to come true where it may be late.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.kit.processes import eventually
from tests.kit.rawclient import get

GRACE = 5.0
"""Seconds for connections to close and files to go."""
FD_TOLERANCE = 2
MORE_THREADS = 40
"""Thread pools grow to their limits and stay there; what grows beyond leaks."""
_EVENT = re.compile(r"^(?=\d{4}-\d\d-\d\d)", re.MULTILINE)
_BAD = ("Traceback", "Unhandled")


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the process had when it was ready."""

    fds: int
    threads: int


class Observed(Protocol):
    """What is looked at: `tests.kit.daemon.Daemon`, in the tests of this module something simpler."""

    data: Path
    baseline: Baseline
    secrets: list[str]
    expected: list[str]

    @property
    def url(self) -> str: ...
    @property
    def alive(self) -> bool: ...
    def log(self) -> str: ...
    def fds(self) -> int: ...
    def threads(self) -> int: ...


def problems_of(daemon: Observed, *, grace: float = GRACE) -> list[str]:
    """Return every broken invariant."""
    found = list(problems_of_log(daemon.log(), expected=daemon.expected, secrets=daemon.secrets))
    if not daemon.alive:
        return ["the daemon has died", *found]
    found += _health(daemon.url)
    limit = daemon.baseline.fds + FD_TOLERANCE
    if not eventually(lambda: daemon.fds() <= limit, grace):
        found.append(f"{daemon.fds()} open descriptors, {daemon.baseline.fds} after the start")
    limit = daemon.baseline.threads + MORE_THREADS
    if daemon.threads() > limit:
        found.append(f"{daemon.threads()} threads, {daemon.baseline.threads} after the start")
    if not eventually(lambda: not _staged(daemon.data), grace):
        found.append(f"left in staging: {', '.join(_staged(daemon.data))}")
    return found


def problems_of_log(log: str, *, expected: list[str], secrets: list[str]) -> Iterator[str]:
    """
    Yield the unexpected events that show a failure, the expected ones that are missing, and leaked secrets.

    An event is all lines from one that begins with a date to the next such.
    """
    for event in _EVENT.split(log):
        if any(bad in event for bad in _BAD) and not any(text in event for text in expected):
            yield f"in the log: {event.strip()}"
    for text in expected:
        if text not in log:
            yield f"expected, but not in the log: {text!r}"
    for secret in secrets:
        # Without the last characters, which depend on what follows; at each offset in a group of three.
        encoded = [base64.b64encode(b"x" * i + secret.encode())[4 if i else 0 : -4].decode() for i in range(3)]
        if secret in log or any(len(text) >= 8 and text in log for text in encoded):
            yield f"in the log: the secret {secret!r}"


def _health(url: str) -> Iterator[str]:
    begin = time.monotonic()
    try:
        status = get(f"{url}-/health", timeout=5).status
    except (OSError, EOFError) as e:
        yield f"no answer from /-/health: {e!r}"
        return
    seconds = time.monotonic() - begin
    if status != 200:
        yield f"/-/health answers {status}"
    if seconds >= 1:
        yield f"/-/health took {seconds:.1f} s"


def _staged(data: Path) -> list[str]:
    staging = data / "staging"
    return sorted(path.name for path in staging.iterdir()) if staging.exists() else []
