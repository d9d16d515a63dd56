"""The rules that are laid over indexes: the SQL of hosted.db about them, their sidecars and their audit lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sqlite3 import Connection

from packaging.version import Version
from twisted.internet.defer import Deferred

from pypid.domain.audit import Action, Event
from pypid.domain.files import Status
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.overlay import Kind, Rule
from pypid.domain.subject import Subject
from pypid.flight import shield
from pypid.storage.database import Database
from pypid.storage.hosted_changes import Deed
from pypid.storage.hosted_rows import next_serial
from pypid.storage.journal import Journal
from pypid.storage.sidecars import OVERLAY

_MADE = {Kind.YANK: Action.YANK, Kind.BLOCK: Action.BLOCK, Kind.STATUS: Action.SET_STATUS}
_UNMADE = {Kind.YANK: Action.UNYANK, Kind.BLOCK: Action.UNBLOCK, Kind.STATUS: Action.SET_STATUS}

_COLUMNS = ("version", "filename", "kind", "status", "reason", "serial", "made_at", "made_by")
_RULES = f"SELECT project, {', '.join(_COLUMNS)} FROM overlay WHERE index_name = ?"  # noqa: S608
_THE_RULE = "index_name = ? AND project = ? AND version = ? AND filename = ? AND kind = ?"

Rules = Mapping[NormalizedName, Sequence[Rule]]


class Overlays:
    """
    The rules of every index, all of them in memory: they are made by hand.

    This process is the only writer.
    """

    def __init__(self, database: Database, journal: Journal) -> None:
        """``database``: hosted.db, whose companion ``journal`` is."""
        self._database = database
        self._journal = journal
        self._known: dict[IndexName, Rules] = {}
        self.changes = 0
        """How many there were in the life of this process: while it stays, so do the rules."""

    async def of(self, index: IndexName, project: NormalizedName) -> Sequence[Rule]:
        """Return the rules that are laid over the project."""
        known = self._known.get(index)
        if known is None:
            changes = self.changes
            known = await self._database.read(lambda connection: _read(connection, index))
            if changes == self.changes:
                self._known[index] = known
        return known.get(project, ())

    async def make(self, deed: Deed, rule: Rule) -> bool:
        """
        Lay ``rule`` over its project, in the place of one of the same kind and subject; return whether it is new.

        It is durable when this returns; cancelling lets the caller go, and the change is made.
        """
        return await self._change(deed, rule, made=True)

    async def unmake(self, deed: Deed, subject: Subject, kind: Kind) -> bool:
        """Take a rule away; return whether there was one. As `make` otherwise."""
        return await self._change(deed, Rule(subject=subject, kind=kind), made=False)

    async def _change(self, deed: Deed, rule: Rule, *, made: bool) -> bool:
        async def changed() -> bool:
            outcome = await self._database.write(
                lambda connection: _change(connection, self._journal, deed, rule, made=made)
            )
            self.changes += 1
            self._known.pop(deed.index, None)
            return outcome

        return await shield(Deferred.fromCoroutine(changed()))


def _read(connection: Connection, index: IndexName) -> Rules:
    rules: dict[NormalizedName, list[Rule]] = {}
    for project, version, filename, kind, status, reason, serial, _, _ in connection.execute(
        f"{_RULES} ORDER BY serial", (index,)
    ):
        subject = Subject(project=project, version=Version(version) if version else None, filename=filename or None)
        rule = Rule(
            subject=subject,
            kind=Kind(kind),
            reason=reason,
            status=None if status is None else Status(status),
            serial=serial,
        )
        rules.setdefault(project, []).append(rule)
    return rules


def _change(connection: Connection, journal: Journal, deed: Deed, rule: Rule, *, made: bool) -> bool:
    key = (deed.index, *_key(connection, deed.index, rule))
    status = None if rule.status is None else rule.status.value
    present = connection.execute(f"SELECT status, reason FROM overlay WHERE {_THE_RULE}", key).fetchone()  # noqa: S608
    if present == ((status, rule.reason) if made else None):
        return False
    serial = next_serial(connection)
    if made:
        values = (*key, status, rule.reason, serial, deed.at, deed.actor.user)
        connection.execute(f"INSERT OR REPLACE INTO overlay VALUES ({', '.join('?' * len(values))})", values)  # noqa: S608
    else:
        connection.execute(f"DELETE FROM overlay WHERE {_THE_RULE}", key)  # noqa: S608
    restore_overlay(connection, journal, deed.index, rule.subject.project)
    journal.event(_event(deed, rule, serial, made=made))
    return True


def restore_overlay(connection: Connection, journal: Journal, index: IndexName, project: NormalizedName) -> None:
    """Have the sidecar of what is laid over the project say what the rows do."""
    rows = connection.execute(f"{_RULES} AND project = ? ORDER BY serial", (index, project)).fetchall()
    rules = [dict(zip(_COLUMNS, row[1:], strict=True)) for row in rows]
    journal.put(index, project, OVERLAY, {"index_name": index, "project": project, "rules": rules})


def _key(connection: Connection, index: IndexName, rule: Rule) -> tuple[str, str, str, str]:
    """Return what the row of ``rule`` is known by; its version is spelled as in the row that is there, if one is."""
    subject = rule.subject
    version = "" if subject.version is None else str(subject.version)
    spelled = "SELECT version FROM overlay WHERE index_name = ? AND project = ? AND version <> '' AND kind = ?"
    for (known,) in connection.execute(spelled, (index, subject.project, rule.kind.value)):
        if Version(known) == subject.version:
            version = known
    return subject.project, version, subject.filename or "", rule.kind.value


def _event(deed: Deed, rule: Rule, serial: int, *, made: bool) -> Event:
    subject = rule.subject
    status = None
    if rule.kind is Kind.STATUS:
        status = rule.status.value if made and rule.status is not None else "upstream's"
    return Event(
        serial=serial,
        time=deed.at,
        user=deed.actor.user,
        address=deed.actor.address,
        action=(_MADE if made else _UNMADE)[rule.kind],
        index=deed.index,
        project=subject.project,
        version=None if subject.version is None else str(subject.version),
        filename=subject.filename,
        status=status,
        reason=rule.reason or None,
    )
