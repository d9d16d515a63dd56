"""
Places at which a test has the process killed, stopped or refused by the disk.

    PYPID_FAILPOINTS="blob.linked=kill" twistd pypid             # SIGKILL, the first time that a blob is linked
    PYPID_FAILPOINTS="db.before_commit@2=raise:ENOSPC,..."       # the second commit only finds the disk full
    PYPID_FAILPOINTS="sidecar.renamed@3+=stop"                   # SIGSTOP from the third time on, until a SIGCONT

What a daemon promises about its disk can be proved only where it can be interrupted between any two of its steps.
Nothing but `twistd pypid` ever arms them; a command such as ``pypid gc`` passes through.
"""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock, get_ident

VARIABLE = "PYPID_FAILPOINTS"


class Failpoint(StrEnum):
    """
    Every place there is, named for the step that has just been done.

    An error raised there is what the next step would have met.
    """

    STAGING_CREATED = "staging.created"
    STAGING_WRITTEN = "staging.written"
    STAGING_SYNCED = "staging.synced"
    BLOB_DIRECTORY_MADE = "blob.directory_made"
    BLOB_LINKED = "blob.linked"
    BLOB_DIRECTORY_SYNCED = "blob.directory_synced"
    SIDECAR_DIRECTORY_MADE = "sidecar.directory_made"
    SIDECAR_WRITTEN = "sidecar.written"
    SIDECAR_SYNCED = "sidecar.synced"
    SIDECAR_RENAMED = "sidecar.renamed"
    SIDECAR_DIRECTORY_SYNCED = "sidecar.directory_synced"
    AUDIT_APPENDED = "audit.appended"
    AUDIT_SYNCED = "audit.synced"
    DB_BEFORE_COMMIT = "db.before_commit"
    DB_COMMITTED = "db.committed"
    ANSWER_DECIDED = "answer.decided"


@dataclass(frozen=True, slots=True)
class _Trap:
    act: Callable[[], None]
    first: int
    """The pass at which it acts; the first of all is 1."""
    goes_on: bool
    """It acts at every later one as well."""

    def acts_at(self, number: int) -> bool:
        return number == self.first or (self.goes_on and number > self.first)


class _Armed:
    def __init__(self, traps: dict[Failpoint, list[_Trap]]) -> None:
        self._traps = traps
        self._passes = dict.fromkeys(Failpoint, 0)
        self._lock = Lock()  # they are reached on many threads

    def reached(self, point: Failpoint) -> None:
        with self._lock:
            self._passes[point] += 1
            number = self._passes[point]
        for trap in self._traps.get(point, ()):
            if trap.acts_at(number):
                trap.act()


_armed: _Armed | None = None
# Global: handed down, it would be in the signature of every step that it is there to interrupt.


def reached(point: Failpoint) -> None:
    """Do what ``point`` is armed with, which is nothing outside a test. Raises `OSError` if it is armed with one."""
    if _armed is not None:
        _armed.reached(point)


def arm(text: str) -> None:
    """
    Read the value of `VARIABLE`; an empty one disarms all.

    Raises `ValueError` for what is no failpoint or no action, and changes nothing then.
    """
    global _armed  # noqa: PLW0603 (see there)
    traps: dict[Failpoint, list[_Trap]] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        point, trap = _trap(item)
        traps.setdefault(point, []).append(trap)
    _armed = _Armed(traps) if traps else None


_ITEM = re.compile(r"(?P<name>[a-z._]+)(?:@(?P<pass>[1-9][0-9]*)(?P<more>\+)?)?=(?P<action>[A-Za-z0-9:]+)")


def _trap(item: str) -> tuple[Failpoint, _Trap]:
    given = _ITEM.fullmatch(item)
    if given is None:
        raise ValueError(f"{VARIABLE}: expected NAME=ACTION, NAME@PASS=ACTION or NAME@PASS+=ACTION, got {item!r}")
    if given["name"] not in set(Failpoint):
        raise ValueError(f"{VARIABLE}: no failpoint {given['name']!r} (have: {', '.join(Failpoint)})")
    goes_on = given["pass"] is None or given["more"] is not None
    return Failpoint(given["name"]), _Trap(_action(given["action"]), int(given["pass"] or 1), goes_on)


def _action(text: str) -> Callable[[], None]:
    verb, _, name = text.partition(":")
    if text == "kill":
        return lambda: os.kill(os.getpid(), signal.SIGKILL)
    if text == "stop":
        # To this thread, which has gone on a little when it is another that takes a signal to the process.
        return lambda: signal.pthread_kill(get_ident(), signal.SIGSTOP)
    number = getattr(errno, name, None)
    if verb != "raise" or not isinstance(number, int):
        raise ValueError(f"{VARIABLE}: expected kill, stop or raise:ERRNO (such as raise:ENOSPC), got {text!r}")
    return lambda: _refuse(number)


def _refuse(number: int) -> None:
    raise OSError(number, os.strerror(number))
