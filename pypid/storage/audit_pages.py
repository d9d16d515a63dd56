"""The audit log as it is read: a page of it at a time."""

from __future__ import annotations

import os
from contextlib import suppress

from pypid.domain.audit import Event, read_line
from pypid.storage.audit import AuditLog

BLOCK = 64 * 1024
"""Bytes read at a time."""


def events_after(audit: AuditLog, serial: int, limit: int) -> list[Event]:
    """
    Return ``limit`` events of later changes than ``serial``, if there are so many, the oldest first.

    Of a change either all events are among them or none: who asks for those
    after the last one's serial misses nothing.
    """
    found: list[Event] = []
    for event in audit.since(serial):
        if len(found) >= limit and event.serial != found[-1].serial:
            break
        found.append(event)
    return found


def newest_events(audit: AuditLog, limit: int) -> list[Event]:
    """Return the last ``limit`` events, the oldest first."""
    try:
        file = audit.path.open("rb", buffering=0)
    except FileNotFoundError:
        return []
    with file:
        begin, tail = file.seek(0, os.SEEK_END), b""
        while begin and tail.count(b"\n") <= limit:
            end, begin = begin, max(0, begin - BLOCK)
            tail = os.pread(file.fileno(), end - begin, begin) + tail
    events: list[Event] = []
    for line in tail.split(b"\n"):
        with suppress(ValueError):  # the end of a line, and the beginning of one that is being written
            events.append(read_line(line))
    return events[-limit:]
