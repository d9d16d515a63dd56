"""How hosted.db changes: each change one function, with its sidecars and its lines of the audit log."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from sqlite3 import Connection
from typing import Any

import msgspec
from packaging.version import Version

from pypid.domain.actor import Actor
from pypid.domain.audit import Action, Event
from pypid.domain.errors import (
    FileNotFound,
    NameStillUsed,
    ProjectNotFound,
)
from pypid.domain.files import ProjectStatus
from pypid.domain.names import IndexName, NormalizedName
from pypid.domain.subject import Subject
from pypid.storage.hosted_file import HostedFile
from pypid.storage.hosted_rows import files_of, find_file, next_serial, note_latest, put_file
from pypid.storage.journal import Journal
from pypid.storage.restoring import restore_project
from pypid.storage.sidecars import PROJECT
from pypid.storage.upload_checks import is_published


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A change as it is asked for."""

    index: IndexName
    actor: Actor
    at: str
    """ISO 8601 in UTC, to the microsecond."""


@dataclass(frozen=True, slots=True)
class HostedChanges:
    """The changes over one connection, in a transaction."""

    connection: Connection
    journal: Journal
    deed: Deed

    def publish(self, file: HostedFile, form: Mapping[str, object], *, volatile: bool) -> bool:
        """
        Show ``file``; return False, with nothing changed, if it is shown already.

        Raises `FileExists`, `FileDeleted`, `ProjectClosed`, `UploadRefused`.
        """
        key = (file.index_name, file.project, file.filename, file.sha256)
        if is_published(self.connection, *key, volatile=volatile):
            return False
        present = find_file(self.connection, file.index_name, file.filename)
        serial = next_serial(self.connection)
        self._touch_project(file.project, serial)
        self._execute("DELETE FROM tombstone WHERE index_name = ? AND filename = ?", file.index_name, file.filename)
        file = replace(file, serial=serial, changed_at=self.deed.at)
        put_file(self.connection, file)
        note_latest(self.connection, file.index_name, file.project)
        self.journal.published(file, form)
        self._note(Action.PUBLISH if present is None else Action.OVERWRITE, serial, file)
        return True

    def yank(self, subject: Subject, reason: str | None) -> list[str]:
        """
        Yank the files of ``subject`` for ``reason``, or take that back (None); return the filenames that changed.

        Raises `ProjectNotFound`, `FileNotFound`.
        """
        files = [file for file in self._files(subject) if file.yanked != reason]
        if files:
            serial = next_serial(self.connection)
            for file in files:
                changed = replace(file, yanked=reason, serial=serial, changed_at=self.deed.at)
                put_file(self.connection, changed)
                self.journal.changed(changed)
                self._note(Action.UNYANK if reason is None else Action.YANK, serial, changed, reason or None)
            self._touch_project(subject.project, serial)
            note_latest(self.connection, self.deed.index, subject.project)
        return [file.filename for file in files]

    def delete(
        self, subject: Subject, reason: str | None = None, expected: Collection[str] | None = None
    ) -> list[HostedFile]:
        """
        Take the files of ``subject`` away, and return them; their names do not come back with other bytes.

        The project keeps its name. Nothing is done if ``expected`` is given
        and the filenames are others. Raises `ProjectNotFound`, `FileNotFound`.
        """
        files = self._files(subject)
        if not files or (expected is not None and {file.filename for file in files} != set(expected)):
            return []
        serial, deed = next_serial(self.connection), self.deed
        for file in files:
            gone = replace(file, serial=serial, changed_at=deed.at)
            self._execute("DELETE FROM file WHERE index_name = ? AND filename = ?", deed.index, file.filename)
            self._execute(
                "INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(deed.index, file.filename, file.project, file.sha256, serial, deed.at, deed.actor.user),
            )
            self.journal.deleted(gone, deleted_at=deed.at, deleted_by=deed.actor.user)
            self._note(Action.DELETE, serial, gone, reason)
        self._touch_project(subject.project, serial)
        note_latest(self.connection, deed.index, subject.project)
        return files

    def set_status(self, project: NormalizedName, status: ProjectStatus | None) -> bool:
        """Say ``status`` of the project, None being active; return whether that is new. Raises `ProjectNotFound`."""
        wanted = (None, None) if status is None else (status.status.value, status.reason)
        if self._project(project) == wanted:
            return False
        serial = next_serial(self.connection)
        self._touch_project(project, serial)
        self._execute(
            "UPDATE project SET status = ?, status_reason = ? WHERE index_name = ? AND name = ?",
            *(*wanted, self.deed.index, project),
        )
        restore_project(self.connection, self.journal, self.deed.index, project)
        self._note_project(Action.SET_STATUS, serial, project, status=wanted[0] or "active", reason=wanted[1])
        return True

    def release_name(self, project: NormalizedName) -> None:
        """
        Forget the project, which has no files any more: its name is ours no longer.

        Raises `ProjectNotFound`, or `NameStillUsed` while it has files.
        """
        self._project(project)
        if self._files(Subject(project=project)):
            raise NameStillUsed(f"{project} has files in {self.deed.index}: delete them first")
        serial = next_serial(self.connection)
        self._execute("DELETE FROM project WHERE index_name = ? AND name = ?", self.deed.index, project)
        record = {"index_name": self.deed.index, "project": project, "serial": serial, "released": True}
        self.journal.put(self.deed.index, project, PROJECT, record)
        self._note_project(Action.RELEASE_NAME, serial, project)

    def _files(self, subject: Subject) -> list[HostedFile]:
        """Return the files of ``subject``; of a project as a whole there may be none."""
        self._project(subject.project)
        files = [
            file
            for file in files_of(self.connection, self.deed.index, subject.project)
            if subject.covers(filename=file.filename, version=Version(file.version))
        ]
        if not files and (subject.version, subject.filename) != (None, None):
            raise FileNotFound(f"{self.deed.index} has no {subject}")
        return files

    def _project(self, project: NormalizedName) -> tuple[str | None, str | None]:
        """Return the status of the project, and why. Raises `ProjectNotFound`."""
        row = self._row("SELECT status, status_reason FROM project WHERE index_name = ? AND name = ?", project)
        if row is None:
            raise ProjectNotFound(f"{self.deed.index} has no project {project} of its own")
        return row[0], row[1]

    def _touch_project(self, project: NormalizedName, serial: int) -> None:
        self._execute(
            "INSERT INTO project (index_name, name, serial, changed_at) VALUES (?, ?, ?, ?) ON CONFLICT (index_name, "
            "name) DO UPDATE SET serial = excluded.serial, changed_at = excluded.changed_at",
            *(self.deed.index, project, serial, self.deed.at),
        )

    def _note(self, action: Action, serial: int, file: HostedFile, reason: str | None = None) -> None:
        event = self._event(action, serial, file.project)
        self.journal.event(
            msgspec.structs.replace(
                event, version=file.version, filename=file.filename, sha256=file.sha256, reason=reason
            )
        )

    def _note_project(
        self,
        action: Action,
        serial: int,
        project: NormalizedName,
        *,
        status: str | None = None,
        reason: str | None = None,
    ) -> None:
        event = self._event(action, serial, project)
        self.journal.event(msgspec.structs.replace(event, status=status, reason=reason))

    def _event(self, action: Action, serial: int, project: NormalizedName) -> Event:
        deed = self.deed
        return Event(
            serial=serial,
            time=deed.at,
            user=deed.actor.user,
            address=deed.actor.address,
            action=action,
            index=deed.index,
            project=project,
        )

    def _row(self, statement: str, key: str) -> Sequence[Any] | None:
        row: Sequence[Any] | None = self.connection.execute(statement, (self.deed.index, key)).fetchone()
        return row

    def _execute(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, values)
