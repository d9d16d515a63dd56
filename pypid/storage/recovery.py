"""At the start: changes that lie beside hosted.db, and are not in it."""

from __future__ import annotations

from sqlite3 import Connection

import msgspec
from twisted.logger import Logger

from pypid.domain.audit import Action, Event
from pypid.storage.journal import Journal
from pypid.storage.overlays import restore_overlay
from pypid.storage.restoring import restore_file, restore_project
from pypid.storage.sidecars import OVERLAY, PROJECT

_log = Logger()


def recover(connection: Connection, journal: Journal) -> None:
    """
    Make the sidecars agree again with hosted.db, after changes that were never committed.

    They are written before the commit. The sidecar of an upload that was not
    acknowledged stays, marked as undone, until the file is uploaded again.

    When more than one transaction is missing, hosted.db is an older one that
    was put back: nothing is touched then, since the sidecars know more.
    """
    (known,) = connection.execute("SELECT last_serial FROM counter").fetchone()
    missing = (event for event in journal.audit.since(known) if event.action is not Action.UNDONE)
    last = first = next(missing, None)
    if first is None or last is None:
        return
    interrupted = [first]
    for last in missing:
        if last.group == first.group:
            interrupted.append(last)
    # No serial is ever used twice.
    connection.execute("UPDATE counter SET last_serial = ?", (last.serial,))
    if last.group != first.group:
        _log.critical(
            "hosted.db lacks {count} changes that audit.jsonl has, the last of {time}: was an older one put back? "
            "'pypid rebuild' makes it anew from the sidecars, with all of them",
            count=last.serial - known,
            time=last.time,
        )
        return
    for event in interrupted:
        _undo(connection, journal, event)
    _log.warn("{count} changes were under way when pypid ended, and were not made", count=last.serial - known)


def _undo(connection: Connection, journal: Journal, event: Event) -> None:
    """Have each sidecar that the change may have written say what the rows do."""
    if event.filename is not None:
        restore_file(connection, journal, event.index, event.project, event.filename)
    if journal.has(event.index, event.project, PROJECT):
        restore_project(connection, journal, event.index, event.project)
    if journal.has(event.index, event.project, OVERLAY):
        restore_overlay(connection, journal, event.index, event.project)
    journal.event(msgspec.structs.replace(event, action=Action.UNDONE))
