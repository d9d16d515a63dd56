"""At the start: changes that lie beside hosted.db, and are not in it."""

from __future__ import annotations

from sqlite3 import Connection

import msgspec
from twisted.logger import Logger

from pypid.domain.audit import Action, Event
from pypid.storage.hosted_rows import next_serial
from pypid.storage.journal import Journal
from pypid.storage.overlays import restore_overlay
from pypid.storage.restoring import restore_file, restore_project
from pypid.storage.sidecars import OVERLAY, PROJECT

_log = Logger()


class OlderDatabase(Exception):
    """
    hosted.db lacks changes that were acknowledged: an older one was put back.

    Names that were uploaded since would be asked for elsewhere.
    """

    def __init__(self, event: Event) -> None:
        super().__init__(
            f"it is older than audit.jsonl, which has {event.filename or event.project} changed on {event.time}"
        )


def recover(connection: Connection, journal: Journal) -> None:
    """
    Make the sidecars agree again with hosted.db, after changes that were never committed.

    They are written before the commit. The sidecar of an upload that was not
    acknowledged stays, marked as undone, until the file is uploaded again.

    Raises `OlderDatabase` when more than one transaction is missing.
    """
    (known,) = connection.execute("SELECT last_serial FROM counter").fetchone()
    interrupted: list[Event] = []
    last = known
    for event in journal.audit.since(known):
        last = event.serial
        if event.action is Action.UNDONE:
            continue  # by a start that was itself interrupted
        if interrupted and event.group != interrupted[0].group:
            raise OlderDatabase(event)
        interrupted.append(event)
    # No serial is ever used twice.
    connection.execute("UPDATE counter SET last_serial = ?", (last,))
    if not interrupted:
        return
    serial = next_serial(connection)
    for event in interrupted:
        _undo(connection, journal, event, serial)
    _log.warn("{count} changes were under way when pypid ended, and were not made", count=len(interrupted))


def _undo(connection: Connection, journal: Journal, event: Event, serial: int) -> None:
    """Have each sidecar that the change may have written say what the rows do; ``serial``: of that."""
    if event.filename is not None:
        restore_file(connection, journal, event.index, event.project, event.filename)
    if journal.has(event.index, event.project, PROJECT):
        restore_project(connection, journal, event.index, event.project)
    if journal.has(event.index, event.project, OVERLAY):
        restore_overlay(connection, journal, event.index, event.project)
    journal.event(msgspec.structs.replace(event, action=Action.UNDONE, serial=serial, undoes=event.serial))
